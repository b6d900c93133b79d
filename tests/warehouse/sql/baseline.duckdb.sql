SELECT
  COUNT(*) AS "n"
FROM "airline"."inference_log"
WHERE
  "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
  AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP);

SELECT
  COUNT("x0") AS "n0",
  QUANTILE_DISC(
    "x0",
    [
      0.0,
      0.0009765625,
      0.0078125,
      0.03125,
      0.0625,
      0.09375,
      0.125,
      0.15625,
      0.1875,
      0.21875,
      0.25,
      0.28125,
      0.3125,
      0.34375,
      0.375,
      0.40625,
      0.4375,
      0.46875,
      0.5,
      0.53125,
      0.5625,
      0.59375,
      0.625,
      0.65625,
      0.6875,
      0.71875,
      0.75,
      0.78125,
      0.8125,
      0.84375,
      0.875,
      0.90625,
      0.9375,
      0.96875,
      0.9921875,
      0.9990234375,
      1.0
    ]
  
  ORDER BY
    "x0") AS "q0",
  COUNT("x1") AS "n1",
  QUANTILE_DISC(
    "x1",
    [
      0.0,
      0.0009765625,
      0.0078125,
      0.03125,
      0.0625,
      0.09375,
      0.125,
      0.15625,
      0.1875,
      0.21875,
      0.25,
      0.28125,
      0.3125,
      0.34375,
      0.375,
      0.40625,
      0.4375,
      0.46875,
      0.5,
      0.53125,
      0.5625,
      0.59375,
      0.625,
      0.65625,
      0.6875,
      0.71875,
      0.75,
      0.78125,
      0.8125,
      0.84375,
      0.875,
      0.90625,
      0.9375,
      0.96875,
      0.9921875,
      0.9990234375,
      1.0
    ]
  
  ORDER BY
    "x1") AS "q1",
  COUNT("x2") AS "n2",
  QUANTILE_DISC(
    "x2",
    [
      0.0,
      0.0009765625,
      0.0078125,
      0.03125,
      0.0625,
      0.09375,
      0.125,
      0.15625,
      0.1875,
      0.21875,
      0.25,
      0.28125,
      0.3125,
      0.34375,
      0.375,
      0.40625,
      0.4375,
      0.46875,
      0.5,
      0.53125,
      0.5625,
      0.59375,
      0.625,
      0.65625,
      0.6875,
      0.71875,
      0.75,
      0.78125,
      0.8125,
      0.84375,
      0.875,
      0.90625,
      0.9375,
      0.96875,
      0.9921875,
      0.9990234375,
      1.0
    ]
  
  ORDER BY
    "x2") AS "q2"
FROM (
  SELECT
    CASE
      WHEN ISFINITE(CAST("distance" AS DOUBLE))
      AND CAST("distance" AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST("distance" AS DOUBLE)
    END AS "x0",
    CASE
      WHEN ISFINITE(CAST("scheduled_hour" AS DOUBLE))
      AND CAST("scheduled_hour" AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST("scheduled_hour" AS DOUBLE)
    END AS "x1",
    CASE
      WHEN ISFINITE(CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE))
      AND CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE)
    END AS "x2"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline";

SELECT DISTINCT
  "x"
FROM (
  SELECT
    CASE
      WHEN ISFINITE(CAST("distance" AS DOUBLE))
      AND CAST("distance" AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST("distance" AS DOUBLE)
    END AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
LIMIT 33;

SELECT DISTINCT
  "x"
FROM (
  SELECT
    CASE
      WHEN ISFINITE(CAST("scheduled_hour" AS DOUBLE))
      AND CAST("scheduled_hour" AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST("scheduled_hour" AS DOUBLE)
    END AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
LIMIT 33;

SELECT DISTINCT
  "x"
FROM (
  SELECT
    CASE
      WHEN ISFINITE(CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE))
      AND CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE) BETWEEN -1e+308 AND 1e+308
      THEN CAST(EXTRACT(EPOCH FROM CAST("booked_at" AS TIMESTAMP)) AS DOUBLE)
    END AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
LIMIT 33;

SELECT
  "x",
  COUNT(*) AS "n"
FROM (
  SELECT
    CAST("carrier" AS TEXT) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
GROUP BY
  "x"
ORDER BY
  "n" DESC,
  "x"
LIMIT 1001;

SELECT
  "x",
  COUNT(*) AS "n"
FROM (
  SELECT
    CAST("origin" AS TEXT) AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
GROUP BY
  "x"
ORDER BY
  "n" DESC,
  "x"
LIMIT 1001;

SELECT
  "x",
  COUNT(*) AS "n"
FROM (
  SELECT
    CASE WHEN "error" <> 0 THEN CAST("error" AS TEXT) END AS "x"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
) AS "baseline"
WHERE
  NOT "x" IS NULL
GROUP BY
  "x"
ORDER BY
  "n" DESC,
  "x"
LIMIT 1001;
