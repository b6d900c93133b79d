-- Profiles under the column names of Databricks' profile_metrics table, so that a dashboard written for that one works
-- here. Structs are spelt out (window_start, window_end); what a profile does not hold is NULL; stddev is that of the
-- population.
WITH columns_of_windows AS (
    SELECT
        profile.monitor,
        profile.window_start,
        profile.window_end,
        profile.column_name,
        profile.kind,
        profile.rows,
        profile.nulls,
        profile.minimum,
        profile.maximum,
        profile.baseline_id,
        -- From the first '=' on: the characters before it are all those that are not '='.
        LTRIM(profile.segment, REPLACE(profile.segment, '=', '')) AS slice,
        profile.segment,
        profile.total / NULLIF(profile.rows - profile.nulls, 0) AS mean,
        profile.total / NULLIF(profile.rows - profile.nulls, 0) - COALESCE(profile.origin, 0) AS mean_distance,
        profile.total_squares / NULLIF(profile.rows - profile.nulls, 0) AS mean_square
    FROM profile
    WHERE profile.unreadable IS NULL
)
SELECT
    numbered.monitor,
    numbered.window_start,
    numbered.window_end,
    'INPUT' AS log_type,
    CAST(NULL AS INTEGER) AS logging_table_commit_version,
    numbered.baseline_id AS monitor_version,
    window_length.granularity,
    CASE
        WHEN numbered.segment <> '' THEN SUBSTR(numbered.segment, 1, LENGTH(numbered.segment) - LENGTH(numbered.slice))
    END AS slice_key,
    CASE WHEN numbered.segment <> '' THEN SUBSTR(numbered.slice, 2) END AS slice_value,
    CASE WHEN numbered.column_name = '' THEN ':table' ELSE numbered.column_name END AS column_name,
    numbered.rows AS count,
    CASE numbered.kind WHEN 'numeric' THEN 'double' WHEN 'categorical' THEN 'string' ELSE numbered.kind END AS data_type,
    numbered.nulls AS num_nulls,
    numbered.mean AS avg,
    CAST(NULL AS VARCHAR(1)) AS quantiles,
    numbered.minimum AS min,
    numbered.maximum AS max,
    CASE
        WHEN numbered.mean_square > numbered.mean_distance * numbered.mean_distance
            THEN SQRT(numbered.mean_square - numbered.mean_distance * numbered.mean_distance)
        WHEN numbered.mean_square IS NOT NULL THEN 0.0
    END AS stddev,
    CAST(NULL AS BIGINT) AS num_zeros,
    CAST(NULL AS BIGINT) AS num_nan,
    CAST(NULL AS BIGINT) AS min_length,
    CAST(NULL AS BIGINT) AS max_length,
    CAST(NULL AS DOUBLE PRECISION) AS avg_length,
    CAST(NULL AS VARCHAR(1)) AS non_null_columns,
    CAST(NULL AS VARCHAR(1)) AS frequent_items,
    CAST(NULL AS DOUBLE PRECISION) AS median,
    CAST(NULL AS BIGINT) AS distinct_count,
    CAST(NULL AS DOUBLE PRECISION) AS percent_nan,
    100.0 * numbered.nulls / NULLIF(numbered.rows, 0) AS percent_null,
    CAST(NULL AS DOUBLE PRECISION) AS percent_zeros,
    CAST(NULL AS DOUBLE PRECISION) AS percent_distinct
FROM columns_of_windows AS numbered
JOIN window_length
    ON window_length.monitor = numbered.monitor
    AND window_length.window_start = numbered.window_start
    AND window_length.window_end = numbered.window_end
