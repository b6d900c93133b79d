-- Which share of each column was missing on each day (of UTC)?
WITH windows AS (
    SELECT
        window_start,
        window_end,
        MAX(window_end) OVER (
            ORDER BY window_start, window_end DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_until
    FROM profile
    WHERE monitor = :monitor AND segment = '' AND column_name = ''
)
SELECT
    SUBSTR(CAST(profile.window_start AS VARCHAR(32)), 1, 10) AS day,
    profile.column_name,
    SUM(profile.rows) AS rows,
    SUM(profile.nulls) AS missing,
    1.0 * SUM(profile.nulls) / NULLIF(SUM(profile.rows), 0) AS missing_share
FROM profile
JOIN windows
    ON windows.window_start = profile.window_start
    AND windows.window_end = profile.window_end
WHERE profile.monitor = :monitor
    AND profile.segment = ''
    AND profile.counts IS NOT NULL
    -- A window inside a longer one was run again after it was rolled up: the longer one has its rows already.
    AND (windows.covered_until IS NULL OR windows.covered_until < profile.window_end)
GROUP BY SUBSTR(CAST(profile.window_start AS VARCHAR(32)), 1, 10), profile.column_name
ORDER BY day, missing_share DESC, profile.column_name
