-- The results of the newest window that each check of each monitor has written.
WITH newest AS (
    SELECT
        monitor,
        check_name,
        window_start,
        window_end,
        ROW_NUMBER() OVER (PARTITION BY monitor, check_name ORDER BY window_end DESC, window_start DESC) AS place
    FROM check_run
)
SELECT
    result.monitor,
    result.window_start,
    result.window_end,
    result.check_name,
    result.metric,
    result.column_name,
    result.segment,
    result.value,
    result.value_lower,
    result.value_upper,
    result.p_value,
    result.threshold_lower,
    result.threshold_upper,
    result.baseline_rows,
    result.window_rows,
    result.status,
    result.message,
    result.detail
FROM newest
JOIN result
    ON result.monitor = newest.monitor
    AND result.window_start = newest.window_start
    AND result.window_end = newest.window_end
    AND result.check_name = newest.check_name
WHERE newest.place = 1
