-- Which values of a column became more or less frequent in the window that began at a given time?
SELECT bin_label, rows, share, baseline_rows, baseline_share, share - baseline_share AS moved
FROM feature_histogram
WHERE monitor = :monitor AND window_start = :window_start AND column_name = :column_name AND segment = ''
ORDER BY ABS(share - baseline_share) DESC, bin_index
