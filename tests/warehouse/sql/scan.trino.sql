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
    ) + "b0" AS "pb0",
    (
      CAST("p" AS BIGINT) * 65536
    ) + "b1" AS "pb1",
    (
      CAST("p" AS BIGINT) * 65536
    ) + "b2" AS "pb2",
    (
      CAST("p" AS BIGINT) * 65536
    ) + "b3" AS "pb3",
    (
      CAST("p" AS BIGINT) * 65536
    ) + "b4" AS "pb4",
    (
      CAST("p" AS BIGINT) * 65536
    ) + "b5" AS "pb5",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b0" AS "p0_b0",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b1" AS "p0_b1",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b2" AS "p0_b2",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b3" AS "p0_b3",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b4" AS "p0_b4",
    (
      CAST("p0_" AS BIGINT) * 65536
    ) + "b5" AS "p0_b5"
  FROM (
    SELECT
      (
        CASE
          WHEN "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
          THEN CASE
            WHEN "scheduled_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
            THEN CAST(-1 AS INTEGER)
            ELSE CAST(0 AS INTEGER)
          END
          ELSE CASE
            WHEN "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
            THEN CAST(1 AS INTEGER)
            ELSE CAST(-1 AS INTEGER)
          END
        END
      ) * 3 AS "p",
      (
        (
          CASE
            WHEN "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
            THEN CASE
              WHEN "scheduled_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
              THEN CAST(-1 AS INTEGER)
              ELSE CAST(0 AS INTEGER)
            END
            ELSE CASE
              WHEN "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
              THEN CAST(1 AS INTEGER)
              ELSE CAST(-1 AS INTEGER)
            END
          END
        ) * 3
      ) + (
        CASE
          WHEN CASE
            WHEN CAST("origin" AS VARCHAR) IS NULL
            THEN 0
            WHEN CAST("origin" AS VARCHAR) = 'EWR'
            THEN 1
            WHEN CAST("origin" AS VARCHAR) = 'JFK'
            THEN 2
            ELSE 3
          END BETWEEN 1 AND 2
          THEN CASE
            WHEN CAST("origin" AS VARCHAR) IS NULL
            THEN 0
            WHEN CAST("origin" AS VARCHAR) = 'EWR'
            THEN 1
            WHEN CAST("origin" AS VARCHAR) = 'JFK'
            THEN 2
            ELSE 3
          END + 0
        END
      ) AS "p0_",
      CAST(CASE
        WHEN CAST("distance" AS DOUBLE) IS NULL OR IS_NAN(CAST("distance" AS DOUBLE))
        THEN 0
        ELSE CASE
          WHEN CAST("distance" AS DOUBLE) < 500.0e0
          THEN CASE WHEN CAST("distance" AS DOUBLE) < 17.5e0 THEN 1 ELSE 2 END
          ELSE CASE WHEN CAST("distance" AS DOUBLE) < 1000.25e0 THEN 3 ELSE 4 END
        END
      END AS SMALLINT) AS "b0",
      CAST(CASE
        WHEN CAST("scheduled_hour" AS DOUBLE) IS NULL
        OR IS_NAN(CAST("scheduled_hour" AS DOUBLE))
        THEN 0
        ELSE CASE
          WHEN CAST("scheduled_hour" AS DOUBLE) < 6.0e0
          THEN CASE
            WHEN CAST("scheduled_hour" AS DOUBLE) < 5.000000000000001e0
            THEN CASE WHEN CAST("scheduled_hour" AS DOUBLE) < 5.0e0 THEN 1 ELSE 2 END
            ELSE 3
          END
          ELSE CASE WHEN CAST("scheduled_hour" AS DOUBLE) < 6.000000000000001e0 THEN 4 ELSE 5 END
        END
      END AS SMALLINT) AS "b1",
      CAST(CASE
        WHEN CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) IS NULL
        OR IS_NAN(CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE))
        THEN 0
        ELSE CASE
          WHEN CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1350000000.0e0
          THEN CASE
            WHEN CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1300000000.0e0
            THEN 1
            ELSE 2
          END
          ELSE CASE
            WHEN CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) < 1400000000.0e0
            THEN 3
            ELSE 4
          END
        END
      END AS SMALLINT) AS "b2",
      CAST(CASE
        WHEN CAST("carrier" AS VARCHAR) IS NULL
        THEN 0
        WHEN CAST("carrier" AS VARCHAR) = 'UA'
        THEN 1
        WHEN CAST("carrier" AS VARCHAR) = 'O''Hare\'
        THEN 2
        WHEN CAST("carrier" AS VARCHAR) IN ('B6')
        THEN 3
        ELSE 4
      END AS SMALLINT) AS "b3",
      CAST(CASE
        WHEN CAST("origin" AS VARCHAR) IS NULL
        THEN 0
        WHEN CAST("origin" AS VARCHAR) = 'EWR'
        THEN 1
        WHEN CAST("origin" AS VARCHAR) = 'JFK'
        THEN 2
        ELSE 3
      END AS SMALLINT) AS "b4",
      CAST(CASE
        WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END IS NULL
        THEN 0
        WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END = '503'
        THEN 1
        ELSE 3
      END AS SMALLINT) AS "b5"
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

SELECT
  "p" AS "p",
  "p0_" AS "p0_",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x0" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x0") THEN "x0" END) AS "l0",
  MAX(CASE WHEN "x0" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x0") THEN "x0" END) AS "h0",
  SUM(
    CASE
      WHEN ABS("x0") < 1.1641532182693481e-10
      THEN 0
      WHEN "x0" >= -2147483648.0e0 AND "x0" < 2147483648.0e0
      THEN CAST("x0" * 4294967296.0e0 AS BIGINT)
    END
  ) AS "t0",
  SUM(
    CASE
      WHEN ABS("x0") < 0.000244140625e0
      THEN 0
      WHEN ABS("x0") < 2097152.0e0
      THEN CASE
        WHEN "x0" * "x0" < 2199023255552.0e0
        THEN CAST("x0" * "x0" * 4194304.0e0 AS BIGINT)
      END
    END
  ) AS "q0",
  MIN(CASE WHEN "x1" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x1") THEN "x1" END) AS "l1",
  MAX(CASE WHEN "x1" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x1") THEN "x1" END) AS "h1",
  SUM(
    CASE
      WHEN ABS("x1") < 9.094947017729282e-13
      THEN 0
      WHEN "x1" >= -16777216.0e0 AND "x1" < 16777216.0e0
      THEN CAST("x1" * 549755813888.0e0 AS BIGINT)
    END
  ) AS "t1",
  SUM(
    CASE
      WHEN ABS("x1") < 1.9073486328125e-06
      THEN 0
      WHEN ABS("x1") < 16384.0e0
      THEN CASE
        WHEN "x1" * "x1" < 134217728.0e0
        THEN CAST("x1" * "x1" * 68719476736.0e0 AS BIGINT)
      END
    END
  ) AS "q1",
  MIN(CASE WHEN "x2" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x2") THEN "x2" END) AS "l2",
  MAX(CASE WHEN "x2" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x2") THEN "x2" END) AS "h2",
  SUM(
    CASE
      WHEN ABS("x2") < 0.000244140625e0
      THEN 0
      WHEN "x2" >= -4503599627370496.0e0 AND "x2" < 4503599627370496.0e0
      THEN CAST("x2" * 2048.0e0 AS BIGINT)
    END
  ) AS "t2",
  SUM(
    CASE
      WHEN ABS("x2") < 512.0e0
      THEN 0
      WHEN ABS("x2") < 4398046511104.0e0
      THEN CASE
        WHEN "x2" * "x2" < 9.671406556917033e+24
        THEN CAST("x2" * "x2" * 9.5367431640625e-07 AS BIGINT)
      END
    END
  ) AS "q2"
FROM (
  SELECT
    (
      CASE
        WHEN "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
        THEN CASE
          WHEN "scheduled_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          THEN CAST(-1 AS INTEGER)
          ELSE CAST(0 AS INTEGER)
        END
        ELSE CASE
          WHEN "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
          THEN CAST(1 AS INTEGER)
          ELSE CAST(-1 AS INTEGER)
        END
      END
    ) * 3 AS "p",
    (
      (
        CASE
          WHEN "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
          THEN CASE
            WHEN "scheduled_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
            THEN CAST(-1 AS INTEGER)
            ELSE CAST(0 AS INTEGER)
          END
          ELSE CASE
            WHEN "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
            THEN CAST(1 AS INTEGER)
            ELSE CAST(-1 AS INTEGER)
          END
        END
      ) * 3
    ) + (
      CASE
        WHEN CASE
          WHEN CAST("origin" AS VARCHAR) IS NULL
          THEN 0
          WHEN CAST("origin" AS VARCHAR) = 'EWR'
          THEN 1
          WHEN CAST("origin" AS VARCHAR) = 'JFK'
          THEN 2
          ELSE 3
        END BETWEEN 1 AND 2
        THEN CASE
          WHEN CAST("origin" AS VARCHAR) IS NULL
          THEN 0
          WHEN CAST("origin" AS VARCHAR) = 'EWR'
          THEN 1
          WHEN CAST("origin" AS VARCHAR) = 'JFK'
          THEN 2
          ELSE 3
        END + 0
      END
    ) AS "p0_",
    CAST("distance" AS DOUBLE) AS "x0",
    CAST("scheduled_hour" AS DOUBLE) AS "x1",
    CAST(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) AS "x2"
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
