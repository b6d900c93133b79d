-- Who was told what between two times, and did it arrive? Also what a snooze, a cooldown or a backfill kept quiet.
SELECT
    alert_event.window_start,
    alert.name,
    alert.group_key,
    alert_event.event,
    alert_event.tell,
    delivery.channel,
    delivery.state,
    delivery.attempts,
    delivery.sent_at,
    delivery.error,
    alert.alert_id
FROM alert_event
JOIN alert ON alert.alert_id = alert_event.alert_id
LEFT JOIN delivery ON delivery.event_id = alert_event.event_id
WHERE
    alert.monitor = :monitor
    AND alert_event.actor = ''
    AND alert_event.window_start >= :start
    AND alert_event.window_start < :end
ORDER BY alert_event.window_start, alert.name, alert.group_key, alert_event.sequence, delivery.channel
