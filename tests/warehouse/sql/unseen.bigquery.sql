SELECT
  `p` AS `p`,
  `x` AS `x`,
  `n` AS `n`,
  `c` AS `c`,
  `t` AS `t`
FROM (
  SELECT
    `p` AS `p`,
    `x` AS `x`,
    `n` AS `n`,
    COUNT(*) OVER (PARTITION BY `p`) AS `c`,
    SUM(`n`) OVER (PARTITION BY `p`) AS `t`,
    MIN(`x`) OVER (PARTITION BY `p`) AS `f`
  FROM (
    SELECT
      `p` AS `p`,
      `x` AS `x`,
      COUNT(*) AS `n`
    FROM (
      SELECT
        (
          (
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
            END
          ) * 3
        ) + (
          CASE
            WHEN CASE
              WHEN CAST(`origin` AS STRING) IS NULL
              THEN 0
              WHEN CAST(`origin` AS STRING) = 'EWR'
              THEN 1
              WHEN CAST(`origin` AS STRING) = 'JFK'
              THEN 2
              ELSE 3
            END BETWEEN 1 AND 2
            THEN CASE
              WHEN CAST(`origin` AS STRING) IS NULL
              THEN 0
              WHEN CAST(`origin` AS STRING) = 'EWR'
              THEN 1
              WHEN CAST(`origin` AS STRING) = 'JFK'
              THEN 2
              ELSE 3
            END + 0
          END
        ) AS `p`,
        SUBSTRING(CAST(`carrier` AS STRING), 1, 200) AS `x`
      FROM `airline`.`inference_log`
      WHERE
        (
          `scheduled_at` >= CAST('2013-04-01 04:00:00' AS DATETIME)
          AND `scheduled_at` < CAST('2013-04-03 04:00:00' AS DATETIME)
        )
        AND NOT CAST(`carrier` AS STRING) IN ('UA', 'O\'Hare\\', 'B6')
    ) AS `monitored`
    WHERE
      `p` >= 0
    GROUP BY
      `p`,
      `x`
  ) AS `grouped`
) AS `placed`
WHERE
  `c` <= 20 OR `x` = `f`;
