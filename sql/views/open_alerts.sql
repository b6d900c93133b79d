-- The alerts that still ask for somebody: open, acknowledged, snoozed, and incidents that last; with what was sent.
SELECT
    alert.alert_id,
    alert.monitor,
    alert.name,
    alert.group_key,
    alert.severity,
    alert.state,
    alert.window_start,
    alert.window_end,
    alert.last_window_start,
    alert.last_window_end,
    alert.resolved_window_end,
    alert.told_window_end,
    alert.snoozed_until,
    alert.columns,
    alert.message,
    (SELECT COUNT(*) FROM alert_event WHERE alert_event.alert_id = alert.alert_id) AS events,
    (
        SELECT COUNT(*) FROM delivery JOIN alert_event ON alert_event.event_id = delivery.event_id
        WHERE alert_event.alert_id = alert.alert_id AND delivery.state = 'sent'
    ) AS messages_sent,
    (
        SELECT COUNT(*) FROM delivery JOIN alert_event ON alert_event.event_id = delivery.event_id
        WHERE alert_event.alert_id = alert.alert_id AND delivery.state <> 'sent'
    ) AS messages_not_sent
FROM alert
WHERE
    alert.state IN ('open', 'acknowledged', 'snoozed')
    OR (alert.state = 'confirmed' AND alert.resolved_window_end IS NULL)
