-- How many rows had each window between two times, how many came late, twice or without a key, and how many are missing?
SELECT
    window_start,
    window_end,
    rows,
    late_rows,
    repeats,
    without_key,
    expected,
    COALESCE(missing, CASE WHEN expected > rows THEN expected - rows WHEN expected IS NOT NULL THEN 0 END) AS missing,
    expected_unreadable
FROM traffic
WHERE monitor = :monitor AND window_start >= :start AND window_end <= :end
ORDER BY window_start, window_end
