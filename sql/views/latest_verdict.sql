-- The results of the newest window that each check of labels has judged: labels come late, and the newest window that it
-- has written waits for most of them. How often the estimates held the truth is told of windows with all their labels.
WITH parts AS (
    SELECT DISTINCT monitor, check_name, '' AS only_metric
    FROM check_run
    WHERE check_name IN ('performance', 'concept_drift', 'estimated_performance')
    UNION ALL
    SELECT DISTINCT monitor, check_name, 'estimate_coverage' AS only_metric
    FROM check_run
    WHERE check_name = 'estimated_performance'
),
newest AS (
    SELECT
        monitor,
        check_name,
        only_metric,
        (
            SELECT check_run.window_start
            FROM check_run
            WHERE check_run.monitor = parts.monitor
                AND check_run.check_name = parts.check_name
                AND EXISTS (
                    SELECT 1
                    FROM result
                    WHERE result.monitor = check_run.monitor
                        AND result.window_start = check_run.window_start
                        AND result.window_end = check_run.window_end
                        AND result.check_name = check_run.check_name
                        AND result.segment = ''
                        AND result.status IN ('ok', 'warning', 'alarm')
                        AND (
                            result.metric = parts.only_metric
                            OR parts.only_metric = ''
                            AND result.metric NOT IN (
                                'label_coverage', 'label_lag', 'unknown_label_keys', 'labels_without_time',
                                'labels_of_the_future', 'estimate_coverage'
                            )
                        )
                )
            ORDER BY check_run.window_start DESC, check_run.window_end DESC
            LIMIT 1
        ) AS window_start
    FROM parts
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
    AND result.check_name = newest.check_name
    AND (
        result.metric = newest.only_metric
        OR newest.only_metric = '' AND result.metric <> 'estimate_coverage'
    )
