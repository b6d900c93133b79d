-- One row per monitor: its newest window, how many windows failed, how many rows came after their windows were read,
-- what the newest results and verdicts and the open alerts say.
WITH runs AS (
    SELECT
        monitor,
        window_start,
        window_end,
        state,
        rows,
        label_coverage,
        labels,
        seconds,
        computed_at,
        error,
        ROW_NUMBER() OVER (PARTITION BY monitor ORDER BY window_end DESC, window_start DESC) AS place,
        COUNT(*) OVER (PARTITION BY monitor) AS windows,
        SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) OVER (PARTITION BY monitor) AS failed_windows
    FROM window_run
),
newest AS (
    SELECT monitor, window_start, window_end, check_name, metric, column_name, segment, status FROM latest_result
    UNION
    SELECT monitor, window_start, window_end, check_name, metric, column_name, segment, status FROM latest_verdict
),
latest AS (
    SELECT
        monitor,
        SUM(CASE WHEN status = 'alarm' THEN 1 ELSE 0 END) AS alarms,
        SUM(CASE WHEN status = 'warning' THEN 1 ELSE 0 END) AS warnings,
        SUM(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
        SUM(CASE WHEN status = 'insufficient_data' THEN 1 ELSE 0 END) AS too_few_rows
    FROM newest
    GROUP BY monitor
),
late AS (
    SELECT monitor, SUM(late_rows) AS late_rows FROM traffic WHERE late_rows > 0 GROUP BY monitor
),
alerts AS (
    SELECT monitor, COUNT(*) AS open_alerts FROM open_alerts GROUP BY monitor
)
SELECT
    runs.monitor,
    runs.window_start,
    runs.window_end,
    runs.state,
    runs.rows,
    runs.label_coverage,
    runs.labels,
    runs.seconds,
    runs.computed_at,
    runs.error,
    runs.windows,
    runs.failed_windows,
    COALESCE(latest.alarms, 0) AS alarms,
    COALESCE(latest.warnings, 0) AS warnings,
    COALESCE(latest.errors, 0) AS errors,
    COALESCE(latest.too_few_rows, 0) AS too_few_rows,
    COALESCE(alerts.open_alerts, 0) AS open_alerts,
    COALESCE(late.late_rows, 0) AS late_rows
FROM runs
LEFT JOIN latest ON latest.monitor = runs.monitor
LEFT JOIN late ON late.monitor = runs.monitor
LEFT JOIN alerts ON alerts.monitor = runs.monitor
WHERE runs.place = 1
