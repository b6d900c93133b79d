-- Which columns of the window that began at a given time were furthest beyond what is allowed?
SELECT
    check_name,
    column_name,
    segment,
    metric,
    value,
    threshold_upper,
    value / NULLIF(threshold_upper, 0) AS times_threshold,
    status,
    message
FROM result
WHERE monitor = :monitor
    AND window_start = :window_start
    AND column_name <> ''
    AND value IS NOT NULL
    AND threshold_upper > 0
ORDER BY times_threshold DESC
LIMIT 20
