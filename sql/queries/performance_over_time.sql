-- How right was the model, and how sure is that? The segment '' is all rows, or such as origin=JFK.
SELECT
    result.window_start,
    result.value,
    result.value_lower,
    result.value_upper,
    result.threshold_lower,
    result.threshold_upper,
    result.window_rows AS labelled_rows,
    result.status,
    window_run.labels
FROM result
LEFT JOIN window_run
    ON window_run.monitor = result.monitor
    AND window_run.window_start = result.window_start
    AND window_run.window_end = result.window_end
WHERE result.monitor = :monitor
    AND result.check_name = 'performance'
    AND result.metric = :metric
    AND result.column_name = ''
    AND result.segment = :segment
ORDER BY result.window_start
