-- Which alerts were opened between two times, how long did each last, and what did people make of it?
SELECT
    alert.name,
    alert.group_key,
    alert.severity,
    alert.state,
    alert.window_start AS since,
    alert.last_window_end AS until,
    decision.event AS decided,
    decision.actor AS decided_by,
    decision.note,
    alert.message,
    alert.alert_id
FROM alert
LEFT JOIN alert_event AS decision ON decision.alert_id = alert.alert_id AND decision.sequence = (
    SELECT MAX(latest.sequence) FROM alert_event AS latest WHERE latest.alert_id = alert.alert_id AND latest.actor <> ''
)
WHERE alert.monitor = :monitor AND alert.window_start >= :start AND alert.window_start < :end
ORDER BY alert.window_start, alert.name, alert.group_key
