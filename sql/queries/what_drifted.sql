-- What drifted between two times (last week, say), how far, and for how many windows?
SELECT
    check_name,
    column_name,
    segment,
    metric,
    COUNT(*) AS windows_in_alarm,
    MIN(window_start) AS since,
    MAX(window_end) AS until,
    MAX(value) AS highest,
    MAX(threshold_upper) AS threshold
FROM result
WHERE monitor = :monitor
    AND check_name IN ('data_drift', 'prediction_drift', 'concept_drift')
    AND status = 'alarm'
    AND window_start >= :start
    AND window_end <= :end
GROUP BY check_name, column_name, segment, metric
ORDER BY windows_in_alarm DESC, highest DESC
