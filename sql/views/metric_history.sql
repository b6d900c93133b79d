-- Every number over time, with the one before it and whether its window's labels were complete.
SELECT
    result.monitor,
    result.check_name,
    result.metric,
    result.column_name,
    result.segment,
    result.window_start,
    result.window_end,
    result.value,
    result.value_lower,
    result.value_upper,
    result.threshold_lower,
    result.threshold_upper,
    result.window_rows,
    result.status,
    LAG(result.value) OVER (
        PARTITION BY result.monitor, result.check_name, result.metric, result.column_name, result.segment
        ORDER BY result.window_start, result.window_end
    ) AS previous_value,
    window_run.state AS window_state,
    window_run.labels
FROM result
LEFT JOIN window_run
    ON window_run.monitor = result.monitor
    AND window_run.window_start = result.window_start
    AND window_run.window_end = result.window_end
