SELECT
  "p" AS "p",
  "x" AS "x",
  "n" AS "n",
  "c" AS "c",
  "t" AS "t"
FROM (
  SELECT
    "p" AS "p",
    "x" AS "x",
    "n" AS "n",
    COUNT(*) OVER (PARTITION BY "p") AS "c",
    SUM("n") OVER (PARTITION BY "p") AS "t",
    MIN("x") OVER (PARTITION BY "p") AS "f"
  FROM (
    SELECT
      "p" AS "p",
      "x" AS "x",
      COUNT(*) AS "n"
    FROM (
      SELECT
        (
          (
            WIDTH_BUCKET(
              "scheduled_at",
              ARRAY[
                CAST('2013-04-01 04:00:00' AS TIMESTAMP),
                CAST('2013-04-02 04:00:00' AS TIMESTAMP),
                CAST('2013-04-03 04:00:00' AS TIMESTAMP)
              ]
            ) - 1
          ) * 3
        ) + (
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
        ) AS "p",
        SUBSTRING(CAST("carrier" AS TEXT) FROM 1 FOR 200) AS "x"
      FROM "airline"."inference_log"
      WHERE
        (
          "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
        )
        AND NOT CAST("carrier" AS TEXT) IN ('UA', 'O''Hare\', 'B6')
    ) AS "monitored"
    WHERE
      "p" >= 0
    GROUP BY
      "p",
      "x"
  ) AS "grouped"
) AS "placed"
WHERE
  "c" <= 20 OR "x" = "f";
