-- Drift results under the column names of Databricks' drift_metrics table, one row per window and column. Structs are
-- spelt out (ks_test_statistic, ks_test_pvalue); wasserstein_distance is in standard deviations of the baseline; what a
-- result does not hold is NULL.
WITH drift AS (
    SELECT
        monitor,
        window_start,
        window_end,
        segment,
        LTRIM(segment, REPLACE(segment, '=', '')) AS slice, -- from the first '=' on
        column_name,
        MAX(window_rows) - MAX(baseline_rows) AS count_delta,
        MAX(CASE WHEN metric = 'jensen_shannon' THEN value END) AS js_distance,
        MAX(CASE WHEN metric = 'kolmogorov_smirnov' THEN value END) AS ks_test_statistic,
        MAX(CASE WHEN metric = 'kolmogorov_smirnov' THEN p_value END) AS ks_test_pvalue,
        MAX(CASE WHEN metric = 'wasserstein' THEN value END) AS wasserstein_distance,
        MAX(CASE WHEN metric = 'psi' THEN value END) AS population_stability_index,
        MAX(CASE WHEN metric = 'chi_squared' THEN value END) AS chi_squared_test_statistic,
        MAX(CASE WHEN metric = 'chi_squared' THEN p_value END) AS chi_squared_test_pvalue,
        MAX(CASE WHEN metric = 'total_variation' THEN value END) AS tv_distance,
        MAX(CASE WHEN metric = 'l_infinity' THEN value END) AS l_infinity_distance
    FROM result
    WHERE check_name IN ('data_drift', 'prediction_drift') AND column_name <> ''
    GROUP BY monitor, window_start, window_end, segment, column_name
)
SELECT
    drift.monitor,
    drift.window_start,
    drift.window_end,
    window_length.granularity,
    -- Not that of the profile: a new baseline that looks back counts old windows again, on its own bins.
    window_run.baseline_id AS monitor_version,
    CASE
        WHEN drift.segment <> '' THEN SUBSTR(drift.segment, 1, LENGTH(drift.segment) - LENGTH(drift.slice))
    END AS slice_key,
    CASE WHEN drift.segment <> '' THEN SUBSTR(drift.slice, 2) END AS slice_value,
    drift.column_name,
    CASE profile.kind WHEN 'numeric' THEN 'double' WHEN 'categorical' THEN 'string' ELSE profile.kind END AS data_type,
    CAST(NULL AS VARCHAR(1)) AS window_cmp_start,
    CAST(NULL AS VARCHAR(1)) AS window_cmp_end,
    'BASELINE' AS drift_type,
    drift.count_delta,
    CAST(NULL AS DOUBLE PRECISION) AS avg_delta,
    CAST(NULL AS DOUBLE PRECISION) AS percent_null_delta,
    CAST(NULL AS DOUBLE PRECISION) AS percent_zeros_delta,
    CAST(NULL AS DOUBLE PRECISION) AS percent_distinct_delta,
    CAST(NULL AS VARCHAR(1)) AS non_null_columns_delta,
    drift.js_distance,
    drift.ks_test_statistic,
    drift.ks_test_pvalue,
    drift.wasserstein_distance,
    drift.population_stability_index,
    drift.chi_squared_test_statistic,
    drift.chi_squared_test_pvalue,
    drift.tv_distance,
    drift.l_infinity_distance
FROM drift
LEFT JOIN window_length
    ON window_length.monitor = drift.monitor
    AND window_length.window_start = drift.window_start
    AND window_length.window_end = drift.window_end
LEFT JOIN window_run
    ON window_run.monitor = drift.monitor
    AND window_run.window_start = drift.window_start
    AND window_run.window_end = drift.window_end
LEFT JOIN profile
    ON profile.monitor = drift.monitor
    AND profile.window_start = drift.window_start
    AND profile.window_end = drift.window_end
    AND profile.segment = drift.segment
    AND profile.column_name = drift.column_name
