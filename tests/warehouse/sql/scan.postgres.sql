SELECT
  "w" AS "w",
  "i" AS "i",
  "b" AS "b",
  "s" AS "s",
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
    ) AS "s",
    CAST(CASE
      WHEN CAST("distance" AS DOUBLE PRECISION) IS NULL
      OR CAST("distance" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST("distance" AS DOUBLE PRECISION),
        CAST(ARRAY[17.5e0, 500.0e0, 1000.25e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b1",
    CAST("distance" AS DOUBLE PRECISION) AS "x1",
    CAST(CASE
      WHEN CAST("scheduled_hour" AS DOUBLE PRECISION) IS NULL
      OR CAST("scheduled_hour" AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST("scheduled_hour" AS DOUBLE PRECISION),
        CAST(ARRAY[5.0e0, 5.000000000000001e0, 6.0e0, 6.000000000000001e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b2",
    CAST("scheduled_hour" AS DOUBLE PRECISION) AS "x2",
    CAST(CASE
      WHEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) IS NULL
      OR CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)
      THEN 0
      ELSE WIDTH_BUCKET(
        CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION),
        CAST(ARRAY[1300000000.0e0, 1350000000.0e0, 1400000000.0e0] AS DOUBLE PRECISION[])
      ) + 1
    END AS INT) AS "b3",
    CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "x3",
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
    END AS INT) AS "b4",
    CAST(CASE
      WHEN CAST("origin" AS TEXT) IS NULL
      THEN 0
      ELSE COALESCE(ARRAY_POSITION(CAST(ARRAY['EWR', 'JFK'] AS TEXT[]), CAST("origin" AS TEXT)), 3)
    END AS INT) AS "b5",
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
    END AS INT) AS "b6"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "monitored"
CROSS JOIN LATERAL (
  VALUES
    (
      0,
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      1,
      "b1",
      CASE WHEN "x1" BETWEEN -1e+308 AND 1e+308 THEN "x1" END,
      CASE
        WHEN "x1" BETWEEN -2147483648.0e0 AND 2147483647.9999998e0
        THEN CAST("x1" * 4294967296.0e0 AS BIGINT)
      END,
      CASE
        WHEN ABS("x1") BETWEEN 0.000244140625e0 AND 1482910.4003789304e0
        THEN CAST("x1" * "x1" * 4194304.0e0 AS BIGINT)
        WHEN ABS("x1") < 0.000244140625e0
        THEN 0
      END
    ),
    (
      2,
      "b2",
      CASE WHEN "x2" BETWEEN -1e+308 AND 1e+308 THEN "x2" END,
      CASE
        WHEN "x2" BETWEEN -16777216.0e0 AND 16777215.999999998e0
        THEN CAST("x2" * 549755813888.0e0 AS BIGINT)
      END,
      CASE
        WHEN ABS("x2") BETWEEN 1.9073486328125e-06 AND 11585.237502960394e0
        THEN CAST("x2" * "x2" * 68719476736.0e0 AS BIGINT)
        WHEN ABS("x2") < 1.9073486328125e-06
        THEN 0
      END
    ),
    (
      3,
      "b3",
      CASE WHEN "x3" BETWEEN -1e+308 AND 1e+308 THEN "x3" END,
      CASE
        WHEN "x3" BETWEEN -4503599627370496.0e0 AND 4503599627370495.5e0
        THEN CAST("x3" * 2048.0e0 AS BIGINT)
      END,
      CASE
        WHEN "x3" BETWEEN -193018031998.46716e0 AND 195718031998.46716e0
        THEN CASE
          WHEN ABS("x3" - 1350000000.0e0) BETWEEN 16.0e0 AND 97184015999.23358e0
          THEN CAST((
            "x3" - 1350000000.0e0
          ) * (
            "x3" - 1350000000.0e0
          ) * 0.0009765625e0 AS BIGINT)
          WHEN ABS("x3" - 1350000000.0e0) < 16.0e0
          THEN 0
        END
      END
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
    ),
    (
      6,
      "b6",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    )
) AS "v"("i", "b", "x", "t", "q")
GROUP BY
  "w",
  "i",
  "b",
  "s";
