SELECT
  `h`,
  `x0`,
  `x1`,
  `x2`,
  `x3`
FROM (
  SELECT
    TO_HEX(MD5(CAST(`flight_id` AS STRING))) AS `h`,
    CAST(`flight_id` AS STRING) AS `k`,
    CAST(`distance` AS FLOAT64) AS `x0`,
    CAST(`scheduled_hour` AS FLOAT64) AS `x1`,
    CAST(UNIX_MICROS(CAST(`booked_at` AS TIMESTAMP)) AS FLOAT64) / 1000000.0e0 AS `x2`,
    CAST(`carrier` AS STRING) AS `x3`
  FROM `airline`.`inference_log`
  WHERE
    (
      `scheduled_at` >= CAST('2013-04-01 04:00:00' AS DATETIME)
      AND `scheduled_at` < CAST('2013-04-02 04:00:00' AS DATETIME)
    )
    AND NOT `flight_id` IS NULL
) AS `keyed`
ORDER BY
  `h`,
  `k`,
  `x0`,
  `x1`,
  `x2`,
  `x3`
LIMIT 5000;

SELECT
  `w`,
  `h`,
  `x0`,
  `x1`,
  `x2`,
  `x3`
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY `w` ORDER BY `h`, `k`, `x0`, `x1`, `x2`, `x3`) AS `r`
  FROM (
    SELECT
      TO_HEX(MD5(CAST(`flight_id` AS STRING))) AS `h`,
      CAST(`flight_id` AS STRING) AS `k`,
      CASE
        WHEN `scheduled_at` < CAST('2013-04-02 04:00:00' AS DATETIME)
        THEN CASE
          WHEN `scheduled_at` < CAST('2013-04-01 04:00:00' AS DATETIME)
          THEN CAST(-1 AS INT64)
          ELSE CAST(0 AS INT64)
        END
        ELSE CASE
          WHEN `scheduled_at` < CAST('2013-04-03 04:00:00' AS DATETIME)
          THEN CAST(1 AS INT64)
          ELSE CAST(-1 AS INT64)
        END
      END AS `w`,
      CAST(`distance` AS FLOAT64) AS `x0`,
      CAST(`scheduled_hour` AS FLOAT64) AS `x1`,
      CAST(UNIX_MICROS(CAST(`booked_at` AS TIMESTAMP)) AS FLOAT64) / 1000000.0e0 AS `x2`,
      CAST(`carrier` AS STRING) AS `x3`
    FROM `airline`.`inference_log`
    WHERE
      (
        `scheduled_at` >= CAST('2013-04-01 04:00:00' AS DATETIME)
        AND `scheduled_at` < CAST('2013-04-03 04:00:00' AS DATETIME)
      )
      AND NOT `flight_id` IS NULL
  ) AS `keyed`
  WHERE
    `w` >= 0
) AS `numbered`
WHERE
  `r` <= 5000
ORDER BY
  `w`,
  `r`;
