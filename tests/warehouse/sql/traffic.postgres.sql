SELECT
  "m" AS "m",
  COUNT(*) AS "n",
  MIN("t") AS "f",
  MAX("t") AS "l",
  SUM("z") AS "z"
FROM (
  SELECT
    DATE_TRUNC('MINUTE', "scheduled_at") AS "m",
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
  "w" AS "w",
  "x" AS "x",
  "n" AS "n",
  "r" AS "r",
  "p" AS "p"
FROM (
  SELECT
    "w" AS "w",
    CAST("k" AS TEXT) AS "x",
    "n" AS "n",
    SUM("n" - 1) OVER (PARTITION BY "w") AS "r",
    ROW_NUMBER() OVER (PARTITION BY "w" ORDER BY "n" DESC NULLS LAST, CAST("k" AS TEXT) COLLATE "C") AS "p"
  FROM (
    SELECT
      "w" AS "w",
      "k" AS "k",
      COUNT(*) AS "n"
    FROM (
      SELECT
        CAST(WIDTH_BUCKET(
          "scheduled_at",
          ARRAY[
            CAST('2013-04-01 04:00:00' AS TIMESTAMP),
            CAST('2013-04-02 04:00:00' AS TIMESTAMP),
            CAST('2013-04-03 04:00:00' AS TIMESTAMP)
          ]
        ) - 1 AS INT) AS "w",
        "flight_id" AS "k"
      FROM "airline"."inference_log"
      WHERE
        (
          "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
        )
        AND NOT "flight_id" IS NULL
    ) AS "keyed"
    GROUP BY
      "w",
      "k"
    HAVING
      COUNT(*) > 1
  ) AS "repeated"
) AS "numbered"
WHERE
  "p" <= 5;

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
      ORDER BY CASE WHEN "c" IS NULL THEN 1 ELSE 0 END DESC NULLS LAST, CAST("k" AS TEXT) COLLATE "C"
    ) AS "p"
  FROM (
    SELECT
      "should"."w" AS "w",
      "should"."k" AS "k",
      "came"."k" AS "c"
    FROM (
      SELECT DISTINCT
        CAST(WIDTH_BUCKET(
          "departs_at",
          ARRAY[
            CAST('2013-04-01 04:00:00' AS TIMESTAMP),
            CAST('2013-04-02 04:00:00' AS TIMESTAMP),
            CAST('2013-04-03 04:00:00' AS TIMESTAMP)
          ]
        ) - 1 AS INT) AS "w",
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
        CAST(WIDTH_BUCKET(
          "scheduled_at",
          ARRAY[
            CAST('2013-04-01 04:00:00' AS TIMESTAMP),
            CAST('2013-04-02 04:00:00' AS TIMESTAMP),
            CAST('2013-04-03 04:00:00' AS TIMESTAMP)
          ]
        ) - 1 AS INT) AS "w",
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
    CAST(WIDTH_BUCKET(
      "day",
      ARRAY[
        CAST('2013-04-02' AS DATE),
        CAST('2013-04-03' AS DATE),
        CAST('2013-04-04' AS DATE)
      ]
    ) - 1 AS INT) AS "w",
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
    DATE_TRUNC('MINUTE', "scheduled_at") AS "m"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "timed"
GROUP BY
  "m";
