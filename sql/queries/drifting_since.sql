-- Which columns are drifting now, and since when without a break?
WITH judged AS (
    SELECT column_name, segment, metric, window_start, window_end, value, status
    FROM result
    WHERE monitor = :monitor
        AND check_name IN ('data_drift', 'prediction_drift')
        AND status IN ('ok', 'warning', 'alarm')
),
calm AS (
    SELECT
        column_name,
        segment,
        metric,
        MAX(CASE WHEN status <> 'alarm' THEN window_start END) AS last_calm
    FROM judged
    GROUP BY column_name, segment, metric
)
SELECT
    judged.column_name,
    judged.segment,
    judged.metric,
    MIN(judged.window_start) AS since,
    COUNT(*) AS windows,
    MAX(judged.value) AS highest
FROM judged
JOIN calm
    ON calm.column_name = judged.column_name
    AND calm.segment = judged.segment
    AND calm.metric = judged.metric
WHERE calm.last_calm IS NULL OR judged.window_start > calm.last_calm
GROUP BY judged.column_name, judged.segment, judged.metric
ORDER BY since, highest DESC
