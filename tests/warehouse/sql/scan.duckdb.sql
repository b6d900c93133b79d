SELECT
  "scheduled_at" AS "w",
  LIST_POSITION(CAST(['EWR', 'JFK', NULL] AS TEXT[]), CAST("origin" AS TEXT)) AS "s0",
  CAST("distance" AS DOUBLE) AS "x0",
  CAST("scheduled_hour" AS DOUBLE) AS "x1",
  CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) AS "x2",
  LIST_POSITION(CAST(['UA', 'O''Hare\', 'B6', NULL] AS TEXT[]), CAST("carrier" AS TEXT)) AS "x3",
  LIST_POSITION(CAST(['EWR', 'JFK', NULL] AS TEXT[]), CAST("origin" AS TEXT)) AS "x4",
  LIST_POSITION(
    CAST(['503', NULL] AS TEXT[]),
    CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END
  ) AS "x5"
FROM "airline"."inference_log"
WHERE
  "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
  AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP);
