-- How long each window is, in seconds and as Databricks' monitoring tables name it. A day of 23 or 25 hours is a day.
SELECT
    monitor,
    window_start,
    window_end,
    seconds,
    CASE
        WHEN seconds < 3600 THEN (seconds / 60) || ' minutes'
        WHEN seconds = 3600 THEN '1 hour'
        WHEN seconds < 82800 THEN (seconds / 3600) || ' hours'
        WHEN days = 1 THEN '1 day'
        WHEN days = 7 THEN '1 week'
        WHEN days IN (14, 21) THEN (days / 7) || ' weeks'
        WHEN days BETWEEN 28 AND 31 THEN '1 month'
        WHEN days BETWEEN 365 AND 366 THEN '1 year'
        ELSE days || ' days'
    END AS granularity
FROM (
    SELECT monitor, window_start, window_end, seconds, (seconds + 43200) / 86400 AS days
    FROM (
        SELECT
            monitor,
            window_start,
            window_end,
            CAST(ROUND((julianday(window_end) - julianday(window_start)) * 86400) AS INTEGER) AS seconds
        FROM (
            SELECT monitor, window_start, window_end FROM window_run
            UNION
            SELECT monitor, window_start, window_end FROM profile WHERE segment = '' AND column_name = ''
        ) AS every_window
    ) AS measured
) AS rounded
