SELECT
  COUNT(*) AS "n"
FROM (
  SELECT
    "flight_id" AS "k"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "counted";

SELECT
  COUNT(*) AS "n"
FROM (
  SELECT
    "flight" AS "k"
  FROM "airline"."outcomes"
) AS "counted";

SELECT
  "inferences"."w" AS "w",
  "inferences"."x0" AS "x0",
  "inferences"."x1" AS "x1",
  "inferences"."z0" AS "z0",
  "inferences"."p" AS "p",
  "labels"."y" AS "y",
  "labels"."f" AS "f",
  "labels"."n" AS "n"
FROM (
  SELECT
    "scheduled_at" AS "w",
    CAST("distance" AS DOUBLE) AS "x0",
    LIST_POSITION(CAST(['UA', 'O''Hare\', 'B6', NULL] AS TEXT[]), CAST("carrier" AS TEXT)) AS "x1",
    CAST("probability" AS DOUBLE) AS "z0",
    CAST(CASE WHEN "predicted" IS NULL THEN NULL WHEN "predicted" = 1 THEN 1 ELSE 0 END AS INT) AS "p",
    "flight_id" AS "k"
  FROM "airline"."inference_log"
  WHERE
    "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
    AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
) AS "inferences"
LEFT JOIN (
  SELECT
    "k" AS "k",
    CAST((
      (
        "m" % 2
      ) + 2
    ) % 2 AS INT) AS "y",
    CAST(EXTRACT(EPOCH FROM CAST("f" AS TIMESTAMP)) AS DOUBLE) AS "f",
    "n" AS "n"
  FROM (
    SELECT
      "k" AS "k",
      MAX(EPOCH_US("t") * 2 + "y") AS "m",
      MIN("t") AS "f",
      COUNT(*) AS "n"
    FROM (
      SELECT
        "k" AS "k",
        "y" AS "y",
        "t" AS "t"
      FROM (
        SELECT
          "flight" AS "k",
          CASE
            WHEN "known_at" BETWEEN CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ) AND CAST('9999-12-30 00:00:00+00:00' AS TIMESTAMPTZ)
            THEN CAST(CASE
              WHEN "delayed" IS NULL
              THEN NULL
              WHEN CAST("delayed" AS TEXT) = 'true'
              THEN 1
              ELSE 0
            END AS INT)
          END AS "y",
          "known_at" AS "t"
        FROM "airline"."outcomes"
        WHERE
          NOT "delayed" IS NULL
      ) AS "present"
      WHERE
        NOT "y" IS NULL
    ) AS "valued"
    GROUP BY
      "k"
  ) AS "grouped"
) AS "labels"
  ON "inferences"."k" = "labels"."k";

SELECT
  "w" AS "w",
  COUNT(*) AS "n"
FROM (
  SELECT
    "w"
  FROM (
    SELECT
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
      "flight_id" AS "k"
    FROM "airline"."inference_log"
    WHERE
      "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
      AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
  ) AS "inferences"
  WHERE
    "k" IN (
      SELECT
        "k"
      FROM (
        SELECT
          "k" AS "k",
          "y" AS "y",
          "t" AS "t"
        FROM (
          SELECT
            "flight" AS "k",
            CASE
              WHEN "known_at" BETWEEN CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ) AND CAST('9999-12-30 00:00:00+00:00' AS TIMESTAMPTZ)
              THEN CAST(CASE
                WHEN "delayed" IS NULL
                THEN NULL
                WHEN CAST("delayed" AS TEXT) = 'true'
                THEN 1
                ELSE 0
              END AS INT)
            END AS "y",
            "known_at" AS "t"
          FROM "airline"."outcomes"
          WHERE
            NOT "delayed" IS NULL
            AND "flight" IN (
              SELECT
                "flight_id" AS "k"
              FROM "airline"."inference_log"
              WHERE
                (
                  "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
                  AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
                )
                AND NOT "flight_id" IS NULL
            )
        ) AS "present"
        WHERE
          NOT "y" IS NULL
      ) AS "valued"
      GROUP BY
        "k"
      HAVING
        MIN("y") < MAX("y")
    )
) AS "corrected"
GROUP BY
  "w";

SELECT
  "w" AS "w",
  "m" AS "m",
  "n" AS "n",
  "a" AS "a",
  CAST(EXTRACT(EPOCH FROM CAST("l" AS TIMESTAMP)) AS DOUBLE) AS "l"
FROM (
  SELECT
    "w" AS "w",
    "m" AS "m",
    COUNT(*) AS "n",
    MAX("a") AS "a",
    MAX("l") AS "l"
  FROM (
    SELECT
      "arrived"."w" AS "w",
      "arrived"."a" AS "a",
      "arrived"."l" AS "l",
      "inferences"."m" AS "m"
    FROM (
      SELECT
        "w" AS "w",
        "k" AS "k",
        COUNT(*) OVER (PARTITION BY "w") AS "a",
        MAX("t") OVER (PARTITION BY "w") AS "l"
      FROM (
        SELECT
          CAST(CASE
            WHEN "known_at" < CAST('2013-04-02 04:00:00+00:00' AS TIMESTAMPTZ)
            THEN CASE
              WHEN "known_at" < CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ)
              THEN CAST(-1 AS INT)
              ELSE CAST(0 AS INT)
            END
            ELSE CASE
              WHEN "known_at" < CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
              THEN CAST(1 AS INT)
              ELSE CAST(-1 AS INT)
            END
          END AS INT) AS "w",
          "known_at" AS "t",
          "flight" AS "k"
        FROM "airline"."outcomes"
        WHERE
          (
            "known_at" >= CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ)
            AND "known_at" < CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
          )
          AND NOT "delayed" IS NULL
      ) AS "valued"
    ) AS "arrived"
    LEFT JOIN (
      SELECT
        "flight_id" AS "k",
        FLOOR(
          (
            CAST(EXTRACT(EPOCH FROM CAST("scheduled_at" AS TIMESTAMP)) AS DOUBLE)
          ) / 60.0e0
        ) AS "m"
      FROM "airline"."inference_log"
    ) AS "inferences"
      ON "arrived"."k" = "inferences"."k"
  ) AS "arrived"
  GROUP BY
    "w",
    "m"
) AS "arrived";

SELECT
  "w" AS "w",
  "n" AS "n",
  CAST(EXTRACT(EPOCH FROM CAST("t" AS TIMESTAMP)) AS DOUBLE) AS "l"
FROM (
  SELECT
    "w" AS "w",
    COUNT(*) AS "n",
    MAX("t") AS "t"
  FROM (
    SELECT
      CAST(CASE
        WHEN "known_at" < CAST('2013-04-02 04:00:00+00:00' AS TIMESTAMPTZ)
        THEN CASE
          WHEN "known_at" < CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ)
          THEN CAST(-1 AS INT)
          ELSE CAST(0 AS INT)
        END
        ELSE CASE
          WHEN "known_at" < CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
          THEN CAST(1 AS INT)
          ELSE CAST(-1 AS INT)
        END
      END AS INT) AS "w",
      "known_at" AS "t"
    FROM "airline"."outcomes"
    WHERE
      (
        "known_at" >= CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ)
        AND "known_at" < CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
      )
      AND NOT "delayed" IS NULL
  ) AS "valued"
  GROUP BY
    "w"
) AS "arrived";

SELECT
  CAST(EXTRACT(EPOCH FROM CAST("t" AS TIMESTAMP)) AS DOUBLE) AS "t"
FROM (
  SELECT
    MAX("known_at") AS "t"
  FROM "airline"."outcomes"
  WHERE
    "known_at" >= CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
    AND "known_at" < CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
) AS "arrived";

SELECT
  COUNT(*) AS "n"
FROM "airline"."outcomes"
WHERE
  (
    "known_at" IS NULL
    OR "known_at" < CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
    OR "known_at" >= CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
  )
  AND NOT "delayed" IS NULL;

SELECT
  "w" AS "w",
  "later" AS "later",
  COUNT(*) AS "n"
FROM (
  SELECT
    "inferences"."w" AS "w",
    "arrived"."later" AS "later"
  FROM (
    SELECT
      "flight" AS "k",
      CASE
        WHEN "known_at" >= CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
        AND "known_at" <= CAST('9999-12-30 00:00:00+00:00' AS TIMESTAMPTZ)
        THEN 1
        ELSE 0
      END AS "later"
    FROM "airline"."outcomes"
    WHERE
      (
        "known_at" IS NULL
        OR "known_at" < CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ)
        OR "known_at" >= CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
      )
      AND NOT "delayed" IS NULL
  ) AS "arrived"
  JOIN (
    SELECT
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
      "flight_id" AS "k"
    FROM "airline"."inference_log"
    WHERE
      "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
      AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
  ) AS "inferences"
    ON "arrived"."k" = "inferences"."k"
) AS "arrived"
GROUP BY
  "w",
  "later";

SELECT
  "v" AS "v"
FROM (
  SELECT
    "v" AS "v",
    COUNT(*) AS "n"
  FROM (
    SELECT
      CAST("delayed" AS TEXT) AS "v",
      CASE
        WHEN "known_at" BETWEEN CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ) AND CAST('9999-12-30 00:00:00+00:00' AS TIMESTAMPTZ)
        THEN CAST(CASE
          WHEN "delayed" IS NULL
          THEN NULL
          WHEN CAST("delayed" AS TEXT) = 'true'
          THEN 1
          ELSE 0
        END AS INT)
      END AS "y"
    FROM "airline"."outcomes"
    WHERE
      "flight" IN (
        SELECT
          "flight_id" AS "k"
        FROM "airline"."inference_log"
        WHERE
          (
            "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
            AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
          )
          AND NOT "flight_id" IS NULL
      )
  ) AS "valued"
  WHERE
    "y" = 0
  GROUP BY
    "v"
) AS "others"
ORDER BY
  "n" DESC,
  "v"
LIMIT 5;
