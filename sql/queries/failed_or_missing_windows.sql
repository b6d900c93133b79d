-- Which windows between two times failed, or were left out between two that ran?
WITH runs AS (
    SELECT
        window_start,
        window_end,
        state,
        error,
        MAX(window_end) OVER (
            ORDER BY window_start, window_end ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS previous_end
    FROM window_run
    WHERE monitor = :monitor AND window_start >= :start AND window_end <= :end
)
SELECT window_start, window_end, 'failed' AS problem, error
FROM runs
WHERE state = 'failed'
UNION ALL
SELECT previous_end AS window_start, window_start AS window_end, 'missing' AS problem, NULL AS error
FROM runs
WHERE previous_end < window_start
ORDER BY window_start
