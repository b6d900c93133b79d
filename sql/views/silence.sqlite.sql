-- Each time without a row: the longest in a window, and those across windows that were read one after the other.
WITH placed AS (
    SELECT
        traffic.*,
        LAG(window_end) OVER (PARTITION BY monitor ORDER BY window_start, window_end) AS previous_end
    FROM traffic
),
numbered AS (
    SELECT
        placed.*,
        SUM(CASE WHEN previous_end = window_start THEN 0 ELSE 1 END)
        OVER (PARTITION BY monitor ORDER BY window_start, window_end) AS run
    FROM placed
)
SELECT monitor, since, until, CAST(ROUND((julianday(until) - julianday(since)) * 86400) AS INTEGER) AS seconds
FROM (
    SELECT monitor, pause_start AS since, pause_end AS until FROM traffic WHERE pause_start IS NOT NULL
    UNION ALL
    SELECT monitor, earlier, first_at
    FROM (
        SELECT
            monitor,
            first_at,
            LAG(last_at) OVER (PARTITION BY monitor, run ORDER BY window_start) AS earlier
        FROM numbered
        WHERE first_at IS NOT NULL
    ) AS followed
    WHERE earlier IS NOT NULL
    UNION ALL
    -- Before the first row of such a run of windows, and after its last one; of dates nothing is known.
    SELECT monitor, MIN(window_start), COALESCE(MIN(first_at), MAX(window_end))
    FROM numbered
    GROUP BY monitor, run
    HAVING COUNT(first_at) = SUM(CASE WHEN rows > 0 THEN 1 ELSE 0 END)
    UNION ALL
    SELECT monitor, MAX(last_at), MAX(window_end)
    FROM numbered
    GROUP BY monitor, run
    HAVING COUNT(last_at) > 0
) AS gaps
WHERE since < until
