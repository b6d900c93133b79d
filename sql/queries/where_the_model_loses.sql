-- In which bins of the features, and in which segments, is the model least right, the worst first?
WITH lost AS (
    SELECT
        segment,
        SUM(value * window_rows) / SUM(window_rows) AS value,
        SUM(window_rows) AS labelled_rows,
        COUNT(*) AS windows
    FROM result
    WHERE monitor = :monitor
        AND check_name = 'performance'
        AND metric = :metric
        AND column_name = ''
        AND SUBSTR(segment, 1, LENGTH(:column_name) + 1) = :column_name || '='
        AND value IS NOT NULL
        AND window_rows > 0
        AND window_start >= :since
        AND window_start < :until
    GROUP BY segment
)
SELECT segment, value, labelled_rows, windows
FROM lost
ORDER BY
    CASE
        WHEN :metric = 'bias' THEN -ABS(value)
        WHEN :metric IN ('brier', 'log_loss', 'expected_calibration_error', 'mae', 'rmse', 'mape', 'medae') THEN -value
        ELSE value
    END,
    segment
