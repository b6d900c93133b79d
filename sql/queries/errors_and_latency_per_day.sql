-- How many rows, which error rate and which latency had each day (of UTC)? In ms; of several windows a day, the worst.
SELECT
    SUBSTR(CAST(window_start AS VARCHAR(32)), 1, 10) AS day,
    SUM(CASE WHEN metric = 'rows' THEN value END) AS rows,
    MAX(CASE WHEN metric = 'error_rate' THEN value END) AS error_rate,
    MAX(CASE WHEN metric = 'latency_p50' THEN value END) AS latency_p50,
    MAX(CASE WHEN metric = 'latency_p95' THEN value END) AS latency_p95,
    MAX(CASE WHEN metric = 'latency_p99' THEN value END) AS latency_p99
FROM result
WHERE monitor = :monitor AND check_name = 'operations' AND segment = ''
GROUP BY SUBSTR(CAST(window_start AS VARCHAR(32)), 1, 10)
ORDER BY day
