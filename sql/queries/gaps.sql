-- When, between two times, did no row come for longest? The twenty longest silences; those across windows are whole.
SELECT since, until, seconds
FROM silence
WHERE monitor = :monitor AND since >= :start AND until <= :end
ORDER BY seconds DESC, since
LIMIT 20
