-- Which share of each column was missing on each day (of UTC)?
SELECT
    SUBSTR(CAST(window_start AS VARCHAR(32)), 1, 10) AS day,
    column_name,
    SUM(rows) AS rows,
    SUM(nulls) AS missing,
    1.0 * SUM(nulls) / NULLIF(SUM(rows), 0) AS missing_share
FROM profile
WHERE monitor = :monitor AND segment = '' AND counts IS NOT NULL
GROUP BY SUBSTR(CAST(window_start AS VARCHAR(32)), 1, 10), column_name
ORDER BY day, missing_share DESC, column_name
