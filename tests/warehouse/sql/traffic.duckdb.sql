SELECT
  "m" AS "m",
  COUNT(*) AS "n",
  MIN("t") AS "f",
  MAX("t") AS "l",
  SUM("z") AS "z"
FROM (
  SELECT
    EPOCH_NS(
      CASE
        WHEN CASE
          WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
          THEN NULL
          ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
        END IS NULL
        OR CAST('2200-01-01 00:00:00' AS TIMESTAMP) IS NULL
        THEN NULL
        ELSE LEAST(
          CASE
            WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
            THEN NULL
            ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
          END,
          CAST('2200-01-01 00:00:00' AS TIMESTAMP)
        )
      END
    ) // 60000000000 AS "m",
    "scheduled_at" AS "t",
    CASE WHEN "flight_id" IS NULL THEN 1 ELSE 0 END AS "z"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "timed"
GROUP BY
  "m";

SELECT
  HASH("flight_id") AS "h",
  EPOCH_NS(
    CASE
      WHEN CASE
        WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
        THEN NULL
        ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
      END IS NULL
      OR CAST('2200-01-01 00:00:00' AS TIMESTAMP) IS NULL
      THEN NULL
      ELSE LEAST(
        CASE
          WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
          THEN NULL
          ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
        END,
        CAST('2200-01-01 00:00:00' AS TIMESTAMP)
      )
    END
  ) // 60000000000 AS "m"
FROM "airline"."inference_log"
WHERE
  (
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
  )
  AND NOT "flight_id" IS NULL;

SELECT
  "w" AS "w",
  "x" AS "x",
  "a" AS "a",
  "e" AS "e",
  "z" AS "z",
  "p" AS "p"
FROM (
  SELECT
    "w" AS "w",
    CAST("k" AS TEXT) AS "x",
    CASE WHEN "c" IS NULL THEN 1 ELSE 0 END AS "a",
    COUNT(*) OVER (PARTITION BY "w") AS "e",
    SUM(CASE WHEN "c" IS NULL THEN 1 ELSE 0 END) OVER (PARTITION BY "w") AS "z",
    ROW_NUMBER() OVER (
      PARTITION BY "w"
      ORDER BY CASE WHEN "c" IS NULL THEN 1 ELSE 0 END DESC, CAST("k" AS TEXT)
    ) AS "p"
  FROM (
    SELECT
      "should"."w" AS "w",
      "should"."k" AS "k",
      "came"."k" AS "c"
    FROM (
      SELECT DISTINCT
        CAST(CASE
          WHEN "departs_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
          THEN CASE
            WHEN "departs_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
            THEN CAST(-1 AS INT)
            ELSE CAST(0 AS INT)
          END
          ELSE CASE
            WHEN "departs_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
            THEN CAST(1 AS INT)
            ELSE CAST(-1 AS INT)
          END
        END AS INT) AS "w",
        CAST("flight" AS TEXT) AS "k"
      FROM "airline"."schedule"
      WHERE
        (
          "departs_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          AND "departs_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
        )
        AND NOT CAST("flight" AS TEXT) IS NULL
    ) AS "should"
    LEFT JOIN (
      SELECT DISTINCT
        CAST(CASE
          WHEN "scheduled_at" < CAST('2013-04-02 04:00:00' AS TIMESTAMP)
          THEN CASE
            WHEN "scheduled_at" < CAST('2013-04-01 04:00:00' AS TIMESTAMP)
            THEN CAST(-1 AS INT)
            ELSE CAST(0 AS INT)
          END
          ELSE CASE
            WHEN "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
            THEN CAST(1 AS INT)
            ELSE CAST(-1 AS INT)
          END
        END AS INT) AS "w",
        CAST("flight_id" AS TEXT) AS "k"
      FROM "airline"."inference_log"
      WHERE
        (
          "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
        )
        AND NOT CAST("flight_id" AS TEXT) IS NULL
    ) AS "came"
      ON "should"."w" = "came"."w" AND "should"."k" = "came"."k"
  ) AS "held"
) AS "numbered"
WHERE
  "p" <= 5;

SELECT
  "w" AS "w",
  SUM("n") AS "n"
FROM (
  SELECT
    CAST(CASE
      WHEN "day" < CAST('2013-04-03' AS DATE)
      THEN CASE
        WHEN "day" < CAST('2013-04-02' AS DATE)
        THEN CAST(-1 AS INT)
        ELSE CAST(0 AS INT)
      END
      ELSE CASE
        WHEN "day" < CAST('2013-04-04' AS DATE)
        THEN CAST(1 AS INT)
        ELSE CAST(-1 AS INT)
      END
    END AS INT) AS "w",
    "flights" AS "n"
  FROM "airline"."plan"
  WHERE
    "day" >= CAST('2013-04-02' AS DATE) AND "day" < CAST('2013-04-04' AS DATE)
) AS "expected"
GROUP BY
  "w";

SELECT
  "m" AS "m",
  COUNT(*) AS "n"
FROM (
  SELECT
    EPOCH_NS(
      CASE
        WHEN CASE
          WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
          THEN NULL
          ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
        END IS NULL
        OR CAST('2200-01-01 00:00:00' AS TIMESTAMP) IS NULL
        THEN NULL
        ELSE LEAST(
          CASE
            WHEN "scheduled_at" IS NULL OR CAST('1970-01-01 00:00:00' AS TIMESTAMP) IS NULL
            THEN NULL
            ELSE GREATEST("scheduled_at", CAST('1970-01-01 00:00:00' AS TIMESTAMP))
          END,
          CAST('2200-01-01 00:00:00' AS TIMESTAMP)
        )
      END
    ) // 60000000000 AS "m"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "timed"
GROUP BY
  "m";
