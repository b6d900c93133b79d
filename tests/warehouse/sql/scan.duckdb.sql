SELECT
  "p" AS "p",
  "p0_" AS "p0_",
  COUNT("x0") AS "n0",
  MIN("x0") AS "l0",
  MAX("x0") AS "h0",
  SUM(TRY_CAST("x0" * 4294967296.0e0 AS BIGINT)) AS "t0",
  SUM(TRY_CAST("x0" * "x0" * 4194304.0e0 AS BIGINT)) AS "q0",
  COUNT("x1") AS "n1",
  MIN("x1") AS "l1",
  MAX("x1") AS "h1",
  SUM(TRY_CAST("x1" * 549755813888.0e0 AS BIGINT)) AS "t1",
  SUM(TRY_CAST("x1" * "x1" * 68719476736.0e0 AS BIGINT)) AS "q1",
  COUNT("x2") AS "n2",
  MIN("x2") AS "l2",
  MAX("x2") AS "h2",
  SUM(TRY_CAST("x2" * 2048.0e0 AS BIGINT)) AS "t2",
  SUM(TRY_CAST("x2" * "x2" * 9.5367431640625e-07 AS BIGINT)) AS "q2",
  COUNT("x3") AS "n3",
  COUNT("x4") AS "n4",
  COUNT("x5") AS "n5"
FROM (
  SELECT
    (
      CAST((
        EPOCH_US("scheduled_at") - EPOCH_US(CAST('2013-04-01 04:00:00' AS TIMESTAMP))
      ) // 86400000000 AS INT)
    ) * 3 AS "p",
    (
      (
        CAST((
          EPOCH_US("scheduled_at") - EPOCH_US(CAST('2013-04-01 04:00:00' AS TIMESTAMP))
        ) // 86400000000 AS INT)
      ) * 3
    ) + (
      CASE
        WHEN CASE
          WHEN CAST("origin" AS TEXT) IS NULL
          THEN 0
          ELSE COALESCE(LIST_POSITION(CAST(['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
        END BETWEEN 1 AND 2
        THEN CASE
          WHEN CAST("origin" AS TEXT) IS NULL
          THEN 0
          ELSE COALESCE(LIST_POSITION(CAST(['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
        END + 0
      END
    ) AS "p0_",
    CAST("distance" AS DOUBLE) AS "x0",
    CAST("scheduled_hour" AS DOUBLE) AS "x1",
    CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) AS "x2",
    CAST("carrier" AS TEXT) AS "x3",
    CAST("origin" AS TEXT) AS "x4",
    CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END AS "x5"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  GROUPING SETS (
    ("p"),
    ("p0_")
  );

SELECT
  COALESCE("p", "p0_", "pb0", "pb1", "pb2", "pb3", "pb4", "pb5", "p0_b0", "p0_b1", "p0_b2", "p0_b3", "p0_b4", "p0_b5") AS "k",
  GROUPING("p", "p0_", "pb0", "pb1", "pb2", "pb3", "pb4", "pb5", "p0_b0", "p0_b1", "p0_b2", "p0_b3", "p0_b4", "p0_b5") AS "g",
  COUNT(*) AS "n"
FROM (
  SELECT
    CAST("p" AS BIGINT) AS "p",
    CAST("p0_" AS BIGINT) AS "p0_",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b0" AS "pb0",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b1" AS "pb1",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b2" AS "pb2",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b3" AS "pb3",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b4" AS "pb4",
    (
      CAST("p" AS BIGINT) * 65536
    ) + 32768 + "b5" AS "pb5",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b0" AS "p0_b0",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b1" AS "p0_b1",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b2" AS "p0_b2",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b3" AS "p0_b3",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b4" AS "p0_b4",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + 32768 + "b5" AS "p0_b5"
  FROM (
    SELECT
      (
        CAST((
          EPOCH_US("scheduled_at") - EPOCH_US(CAST('2013-04-01 04:00:00' AS TIMESTAMP))
        ) // 86400000000 AS INT)
      ) * 3 AS "p",
      (
        (
          CAST((
            EPOCH_US("scheduled_at") - EPOCH_US(CAST('2013-04-01 04:00:00' AS TIMESTAMP))
          ) // 86400000000 AS INT)
        ) * 3
      ) + (
        CASE
          WHEN CASE
            WHEN CAST("origin" AS TEXT) IS NULL
            THEN 0
            ELSE COALESCE(LIST_POSITION(CAST(['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
          END BETWEEN 1 AND 2
          THEN CASE
            WHEN CAST("origin" AS TEXT) IS NULL
            THEN 0
            ELSE COALESCE(LIST_POSITION(CAST(['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
          END + 0
        END
      ) AS "p0_",
      TRY_CAST(FLOOR(CAST("distance" AS DOUBLE) * 4.0e0) AS SMALLINT) AS "b0",
      TRY_CAST("scheduled_hour" AS SMALLINT) AS "b1",
      CAST(CASE
        WHEN NOT CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) IS NULL
        THEN CASE
          WHEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1350000000.0e0
          THEN CASE
            WHEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1300000000.0e0
            THEN 1
            ELSE 2
          END
          ELSE CASE
            WHEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1400000000.0e0
            THEN 3
            ELSE 4
          END
        END
      END AS SMALLINT) AS "b2",
      LIST_POSITION(CAST(['UA', 'O''Hare\', 'B6'] AS TEXT[]), CAST("carrier" AS TEXT)) AS "b3",
      LIST_POSITION(CAST(['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)) AS "b4",
      LIST_POSITION(CAST(['503'] AS TEXT[]), CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END) AS "b5"
    FROM "airline"."inference_log"
    WHERE
      "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
      AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
  ) AS "monitored"
) AS "packed"
GROUP BY
  GROUPING SETS (
    ("p"),
    ("p0_"),
    ("pb0"),
    ("pb1"),
    ("pb2"),
    ("pb3"),
    ("pb4"),
    ("pb5"),
    ("p0_b0"),
    ("p0_b1"),
    ("p0_b2"),
    ("p0_b3"),
    ("p0_b4"),
    ("p0_b5")
  );
