-- How did one metric of one column develop? The column '' is the whole window, the segment '' all rows.
SELECT window_start, window_end, value, previous_value, value_lower, value_upper, threshold_upper, status, labels
FROM metric_history
WHERE monitor = :monitor
    AND check_name = :check_name
    AND metric = :metric
    AND column_name = :column_name
    AND segment = :segment
ORDER BY window_start
