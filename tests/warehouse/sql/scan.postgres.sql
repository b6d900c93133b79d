SELECT
  "w" AS "w",
  "i" AS "i",
  "b" AS "b",
  "s0" AS "s0",
  COUNT(*) AS "n",
  MIN("x") AS "l",
  MAX("x") AS "h",
  SUM("t") AS "t",
  SUM("q") AS "q"
FROM (
  SELECT
    WIDTH_BUCKET(
      "scheduled_at",
      ARRAY[
        CAST('2013-04-01 04:00:00' AS TIMESTAMP),
        CAST('2013-04-02 04:00:00' AS TIMESTAMP),
        CAST('2013-04-03 04:00:00' AS TIMESTAMP)
      ]
    ) - 1 AS "w",
    (
      CASE
        WHEN CASE
          WHEN CAST("origin" AS TEXT) IS NULL
          THEN 0
          ELSE COALESCE(ARRAY_POSITION(CAST(ARRAY['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
        END BETWEEN 1 AND 2
        THEN CASE
          WHEN CAST("origin" AS TEXT) IS NULL
          THEN 0
          ELSE COALESCE(ARRAY_POSITION(CAST(ARRAY['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
        END + 0
      END
    ) AS "s0",
    CAST(CASE
      WHEN CAST("distance" AS DOUBLE PRECISION) IS NULL
      OR CAST("distance" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST("distance" AS DOUBLE PRECISION),
        CAST(ARRAY[17.5e0, 500.0e0, 1000.25e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b0",
    CAST("distance" AS DOUBLE PRECISION) AS "x0",
    CAST(CASE
      WHEN CAST("scheduled_hour" AS DOUBLE PRECISION) IS NULL
      OR CAST("scheduled_hour" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST("scheduled_hour" AS DOUBLE PRECISION),
        CAST(ARRAY[5.0e0, 5.000000000000001e0, 6.0e0, 6.000000000000001e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b1",
    CAST("scheduled_hour" AS DOUBLE PRECISION) AS "x1",
    CAST(CASE
      WHEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) IS NULL
      OR CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION),
        CAST(ARRAY[1300000000.0e0, 1350000000.0e0, 1400000000.0e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b2",
    CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "x2",
    CAST(CASE
      WHEN CAST("carrier" AS TEXT) IS NULL
      THEN 0
      ELSE COALESCE(
        ARRAY_POSITION(CAST(ARRAY['UA', 'O''Hare\'] AS TEXT[]), CAST("carrier" AS TEXT)),
        CASE
          WHEN NOT ARRAY_POSITION(CAST(ARRAY['B6'] AS TEXT[]), CAST("carrier" AS TEXT)) IS NULL
          THEN 3
          ELSE 4
        END
      )
    END AS INT) AS "b3",
    CAST(CASE
      WHEN CAST("origin" AS TEXT) IS NULL
      THEN 0
      ELSE COALESCE(ARRAY_POSITION(CAST(ARRAY['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
    END AS INT) AS "b4",
    CAST(CASE
      WHEN CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END IS NULL
      THEN 0
      ELSE COALESCE(
        ARRAY_POSITION(
          CAST(ARRAY['503'] AS TEXT[]),
          CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END
        ),
        3
      )
    END AS INT) AS "b5"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
CROSS JOIN LATERAL (
  VALUES
    (
      -1,
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      0,
      "b0",
      CASE WHEN "x0" BETWEEN -1e+308 AND 1e+308 THEN "x0" END,
      CASE
        WHEN ABS("x0") < 1.1641532182693481e-10
        THEN 0
        WHEN "x0" >= -2147483648.0e0 AND "x0" < 2147483648.0e0
        THEN CAST("x0" * 4294967296.0e0 AS BIGINT)
      END,
      CASE
        WHEN ABS("x0") < 0.000244140625e0
        THEN 0
        WHEN ABS("x0") < 2097152.0e0
        THEN CASE
          WHEN "x0" * "x0" < 2199023255552.0e0
          THEN CAST("x0" * "x0" * 4194304.0e0 AS BIGINT)
        END
      END
    ),
    (
      1,
      "b1",
      CASE WHEN "x1" BETWEEN -1e+308 AND 1e+308 THEN "x1" END,
      CASE
        WHEN ABS("x1") < 9.094947017729282e-13
        THEN 0
        WHEN "x1" >= -16777216.0e0 AND "x1" < 16777216.0e0
        THEN CAST("x1" * 549755813888.0e0 AS BIGINT)
      END,
      CASE
        WHEN ABS("x1") < 1.9073486328125e-06
        THEN 0
        WHEN ABS("x1") < 16384.0e0
        THEN CASE
          WHEN "x1" * "x1" < 134217728.0e0
          THEN CAST("x1" * "x1" * 68719476736.0e0 AS BIGINT)
        END
      END
    ),
    (
      2,
      "b2",
      CASE WHEN "x2" BETWEEN -1e+308 AND 1e+308 THEN "x2" END,
      CASE
        WHEN ABS("x2") < 0.000244140625e0
        THEN 0
        WHEN "x2" >= -4503599627370496.0e0 AND "x2" < 4503599627370496.0e0
        THEN CAST("x2" * 2048.0e0 AS BIGINT)
      END,
      CASE
        WHEN "x2" > -136088953472.0e0 AND "x2" < 138788953472.0e0
        THEN CASE
          WHEN ABS("x2" - 1350000000.0e0) < 16.0e0
          THEN 0
          WHEN (
            "x2" - 1350000000.0e0
          ) * (
            "x2" - 1350000000.0e0
          ) < 9.44473296573929e+21
          THEN CAST((
            "x2" - 1350000000.0e0
          ) * (
            "x2" - 1350000000.0e0
          ) * 0.0009765625e0 AS BIGINT)
        END
      END
    ),
    (
      3,
      "b3",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      4,
      "b4",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      5,
      "b5",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    )
) AS "v"("i", "b", "x", "t", "q")
GROUP BY
  "w",
  "i",
  "b",
  "s0";
