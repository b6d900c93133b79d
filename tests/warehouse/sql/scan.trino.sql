SELECT
  CAST(0 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
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
    CAST(0 AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(1 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 1.1641532182693481e-10
      THEN 0
      WHEN "x" >= -2147483648.0e0 AND "x" < 2147483648.0e0
      THEN CAST("x" * 4294967296.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 0.000244140625e0
      THEN 0
      WHEN ABS("x") < 2097152.0e0
      THEN CASE
        WHEN "x" * "x" < 2199023255552.0e0
        THEN CAST("x" * "x" * 4194304.0e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
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
    CAST(CASE
      WHEN CAST("distance" AS DOUBLE) IS NULL OR IS_NAN(CAST("distance" AS DOUBLE))
      THEN 0
      ELSE CASE
        WHEN CAST("distance" AS DOUBLE) < 500.0e0
        THEN CASE WHEN CAST("distance" AS DOUBLE) < 17.5e0 THEN 1 ELSE 2 END
        ELSE CASE WHEN CAST("distance" AS DOUBLE) < 1000.25e0 THEN 3 ELSE 4 END
      END
    END AS INTEGER) AS "b",
    CAST("distance" AS DOUBLE) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(2 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 9.094947017729282e-13
      THEN 0
      WHEN "x" >= -16777216.0e0 AND "x" < 16777216.0e0
      THEN CAST("x" * 549755813888.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 1.9073486328125e-06
      THEN 0
      WHEN ABS("x") < 16384.0e0
      THEN CASE
        WHEN "x" * "x" < 134217728.0e0
        THEN CAST("x" * "x" * 68719476736.0e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
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
    END AS INTEGER) AS "b",
    CAST("scheduled_hour" AS DOUBLE) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(3 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 0.000244140625e0
      THEN 0
      WHEN "x" >= -4503599627370496.0e0 AND "x" < 4503599627370496.0e0
      THEN CAST("x" * 2048.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN "x" > -136088953472.0e0 AND "x" < 138788953472.0e0
      THEN CASE
        WHEN ABS("x" - 1350000000.0e0) < 16.0e0
        THEN 0
        WHEN (
          "x" - 1350000000.0e0
        ) * (
          "x" - 1350000000.0e0
        ) < 9.44473296573929e+21
        THEN CAST((
          "x" - 1350000000.0e0
        ) * (
          "x" - 1350000000.0e0
        ) * 0.0009765625e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
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
    CAST(CASE
      WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) IS NULL
      OR IS_NAN(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)))
      THEN 0
      ELSE CASE
        WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1350000000.0e0
        THEN CASE
          WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1300000000.0e0
          THEN 1
          ELSE 2
        END
        ELSE CASE
          WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1400000000.0e0
          THEN 3
          ELSE 4
        END
      END
    END AS INTEGER) AS "b",
    TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(4 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
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
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(5 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
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
    CAST(CASE
      WHEN CAST("origin" AS VARCHAR) IS NULL
      THEN 0
      WHEN CAST("origin" AS VARCHAR) = 'EWR'
      THEN 1
      WHEN CAST("origin" AS VARCHAR) = 'JFK'
      THEN 2
      ELSE 3
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(6 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
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
    CAST(CASE
      WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END IS NULL
      THEN 0
      WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END = '503'
      THEN 1
      ELSE 3
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(7 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
FROM (
  SELECT
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
    ) AS "p",
    CAST(0 AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(8 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 1.1641532182693481e-10
      THEN 0
      WHEN "x" >= -2147483648.0e0 AND "x" < 2147483648.0e0
      THEN CAST("x" * 4294967296.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 0.000244140625e0
      THEN 0
      WHEN ABS("x") < 2097152.0e0
      THEN CASE
        WHEN "x" * "x" < 2199023255552.0e0
        THEN CAST("x" * "x" * 4194304.0e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
FROM (
  SELECT
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
    ) AS "p",
    CAST(CASE
      WHEN CAST("distance" AS DOUBLE) IS NULL OR IS_NAN(CAST("distance" AS DOUBLE))
      THEN 0
      ELSE CASE
        WHEN CAST("distance" AS DOUBLE) < 500.0e0
        THEN CASE WHEN CAST("distance" AS DOUBLE) < 17.5e0 THEN 1 ELSE 2 END
        ELSE CASE WHEN CAST("distance" AS DOUBLE) < 1000.25e0 THEN 3 ELSE 4 END
      END
    END AS INTEGER) AS "b",
    CAST("distance" AS DOUBLE) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(9 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 9.094947017729282e-13
      THEN 0
      WHEN "x" >= -16777216.0e0 AND "x" < 16777216.0e0
      THEN CAST("x" * 549755813888.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 1.9073486328125e-06
      THEN 0
      WHEN ABS("x") < 16384.0e0
      THEN CASE
        WHEN "x" * "x" < 134217728.0e0
        THEN CAST("x" * "x" * 68719476736.0e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
FROM (
  SELECT
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
    ) AS "p",
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
    END AS INTEGER) AS "b",
    CAST("scheduled_hour" AS DOUBLE) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(10 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  MIN(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "l",
  MAX(CASE WHEN "x" BETWEEN -1e+308 AND 1e+308 AND NOT IS_NAN("x") THEN "x" END) AS "h",
  SUM(
    CAST(CASE
      WHEN ABS("x") < 0.000244140625e0
      THEN 0
      WHEN "x" >= -4503599627370496.0e0 AND "x" < 4503599627370496.0e0
      THEN CAST("x" * 2048.0e0 AS BIGINT)
    END AS DECIMAL(38, 0))
  ) AS "t",
  SUM(
    CAST(CASE
      WHEN "x" > -136088953472.0e0 AND "x" < 138788953472.0e0
      THEN CASE
        WHEN ABS("x" - 1350000000.0e0) < 16.0e0
        THEN 0
        WHEN (
          "x" - 1350000000.0e0
        ) * (
          "x" - 1350000000.0e0
        ) < 9.44473296573929e+21
        THEN CAST((
          "x" - 1350000000.0e0
        ) * (
          "x" - 1350000000.0e0
        ) * 0.0009765625e0 AS BIGINT)
      END
    END AS DECIMAL(38, 0))
  ) AS "q"
FROM (
  SELECT
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
    ) AS "p",
    CAST(CASE
      WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) IS NULL
      OR IS_NAN(TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)))
      THEN 0
      ELSE CASE
        WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1350000000.0e0
        THEN CASE
          WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1300000000.0e0
          THEN 1
          ELSE 2
        END
        ELSE CASE
          WHEN TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) < 1400000000.0e0
          THEN 3
          ELSE 4
        END
      END
    END AS INTEGER) AS "b",
    TO_UNIXTIME(CAST("booked_at" AS TIMESTAMP WITH TIME ZONE)) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(11 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
FROM (
  SELECT
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
    ) AS "p",
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
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(12 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
FROM (
  SELECT
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
    ) AS "p",
    CAST(CASE
      WHEN CAST("origin" AS VARCHAR) IS NULL
      THEN 0
      WHEN CAST("origin" AS VARCHAR) = 'EWR'
      THEN 1
      WHEN CAST("origin" AS VARCHAR) = 'JFK'
      THEN 2
      ELSE 3
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b"
UNION ALL
SELECT
  CAST(13 AS INTEGER) AS "i",
  "p" AS "p",
  "b" AS "b",
  COUNT(*) AS "n",
  CAST(NULL AS DOUBLE) AS "l",
  CAST(NULL AS DOUBLE) AS "h",
  CAST(NULL AS DECIMAL(38, 0)) AS "t",
  CAST(NULL AS DECIMAL(38, 0)) AS "q"
FROM (
  SELECT
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
    ) AS "p",
    CAST(CASE
      WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END IS NULL
      THEN 0
      WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS VARCHAR) END = '503'
      THEN 1
      ELSE 3
    END AS INTEGER) AS "b"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
GROUP BY
  "p",
  "b";
