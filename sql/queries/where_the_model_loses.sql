-- In which bins of the features, and in which segments, is the model least right?
SELECT segment, AVG(value) AS value, SUM(window_rows) AS labelled_rows, COUNT(*) AS windows
FROM result
WHERE monitor = :monitor
    AND check_name = 'performance'
    AND metric = :metric
    AND segment LIKE :column_name || '=%'
    AND window_start >= :since
    AND window_start < :until
GROUP BY segment
ORDER BY value DESC, segment
