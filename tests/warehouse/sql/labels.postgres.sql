SELECT
  "w" AS "w",
  "i" AS "i",
  "b" AS "b",
  "v"."o" AS "o",
  COUNT(*) AS "n",
  MIN("x") AS "l",
  MAX("x") AS "h",
  SUM("t") AS "t",
  SUM("q") AS "q"
FROM (
  SELECT
    "w" AS "w",
    "b1" AS "b1",
    "x1" AS "x1",
    "b2" AS "b2",
    "z0" AS "z0",
    "p" AS "p",
    "e" AS "e",
    "u" AS "u",
    "y" AS "y",
    "f" AS "f",
    "n" AS "n",
    "place" AS "place",
    CAST((
      (
        (
          (
            CASE
              WHEN "place" < 3
              THEN CASE WHEN "place" < 2 THEN CASE WHEN "place" < 1 THEN 0 ELSE 1 END ELSE 2 END
              ELSE CASE WHEN "place" < 5 THEN CASE WHEN "place" < 4 THEN 3 ELSE 4 END ELSE 5 END
            END
          ) * 3
        ) + CASE
          WHEN "p" IS NULL
          THEN 0
          ELSE (
            CASE WHEN "p" > 1 THEN 1 ELSE "p" END
          ) + 1
        END
      ) * 3
    ) + CASE WHEN "y" IS NULL THEN 2 ELSE (
      CASE WHEN "y" > 1 THEN 1 ELSE "y" END
    ) END AS INT) AS "o"
  FROM (
    SELECT
      "w" AS "w",
      "b1" AS "b1",
      "x1" AS "x1",
      "b2" AS "b2",
      "z0" AS "z0",
      "p" AS "p",
      "e" AS "e",
      "u" AS "u",
      "y" AS "y",
      "f" AS "f",
      "n" AS "n",
      CAST(CASE
        WHEN "z0" IS NULL
        THEN 0
        ELSE WIDTH_BUCKET("z0", CAST(ARRAY[0.0e0, 0.35e0, 0.5e0, 1.0e0] AS DOUBLE PRECISION[])) + 1
      END AS INT) AS "place"
    FROM (
      SELECT
        "inferences"."w" AS "w",
        "inferences"."b1" AS "b1",
        "inferences"."x1" AS "x1",
        "inferences"."b2" AS "b2",
        "inferences"."z0" AS "z0",
        "inferences"."p" AS "p",
        "inferences"."e" AS "e",
        "inferences"."u" AS "u",
        "labels"."y" AS "y",
        "labels"."f" AS "f",
        "labels"."n" AS "n"
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
          END AS INT) AS "b2",
          CASE
            WHEN CAST("probability" AS DOUBLE PRECISION) BETWEEN -1e+308 AND 1e+308
            THEN CAST("probability" AS DOUBLE PRECISION)
          END AS "z0",
          CAST(CASE WHEN "predicted" IS NULL THEN NULL WHEN "predicted" = 1 THEN 1 ELSE 0 END AS INT) AS "p",
          CAST(EXTRACT(EPOCH FROM CAST("scheduled_at" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "e",
          CASE
            WHEN WIDTH_BUCKET(
              "scheduled_at",
              ARRAY[
                CAST('2013-04-01 04:00:00' AS TIMESTAMP),
                CAST('2013-04-02 04:00:00' AS TIMESTAMP),
                CAST('2013-04-03 04:00:00' AS TIMESTAMP)
              ]
            ) - 1 < 1
            THEN 1364788800.0e0
            ELSE 1364875200.0e0
          END AS "u",
          "flight_id" AS "k"
        FROM "airline"."inference_log"
        WHERE
          "scheduled_at" >= CAST('2013-04-01 04:00:00' AS TIMESTAMP)
          AND "scheduled_at" < CAST('2013-04-03 04:00:00' AS TIMESTAMP)
      ) AS "inferences"
      LEFT JOIN (
        SELECT
          "k" AS "k",
          "y" AS "y",
          CAST(EXTRACT(EPOCH FROM CAST("f" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "f",
          "n" AS "n"
        FROM (
          SELECT
            "k" AS "k",
            "y" AS "y",
            ROW_NUMBER() OVER (PARTITION BY "k" ORDER BY "t" DESC NULLS LAST, "y" DESC NULLS LAST) AS "r",
            MIN("t") OVER (PARTITION BY "k") AS "f",
            COUNT(*) OVER (PARTITION BY "k") AS "n"
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
        ) AS "numbered"
        WHERE
          "r" = 1
      ) AS "labels"
        ON "inferences"."k" = "labels"."k"
    ) AS "joined"
  ) AS "placed"
) AS "monitored"
CROSS JOIN LATERAL (
  VALUES
    (
      0,
      CAST(0 AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      1,
      "b1",
      "monitored"."o",
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
      "monitored"."o",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      3,
      CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      4,
      CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CASE
        WHEN (
          "z0"
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND((
          "z0"
        ) * 4398046511104.0e0) AS BIGINT)
      END,
      CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            -LN(
              CASE
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                THEN 2.220446049250313e-16
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                THEN 0.9999999999999998e0
                ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
              END
            )
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              -LN(
                CASE
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                  THEN 2.220446049250313e-16
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                  THEN 0.9999999999999998e0
                  ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
                END
              )
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END
    ),
    (
      5,
      CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            -LN(
              CASE
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                THEN 2.220446049250313e-16
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                THEN 0.9999999999999998e0
                ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
              END
            )
          ) * (
            -LN(
              CASE
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                THEN 2.220446049250313e-16
                WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                THEN 0.9999999999999998e0
                ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
              END
            )
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              -LN(
                CASE
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                  THEN 2.220446049250313e-16
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                  THEN 0.9999999999999998e0
                  ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
                END
              )
            ) * (
              -LN(
                CASE
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END < 2.220446049250313e-16
                  THEN 2.220446049250313e-16
                  WHEN CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END > 0.9999999999999998e0
                  THEN 0.9999999999999998e0
                  ELSE CASE WHEN "y" = 1 THEN "z0" ELSE 1.0e0 - "z0" END
                END
              )
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END,
      CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          ) * (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            ) * (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END
    ),
    (
      6,
      CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          ) * (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          ) * (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          ) * (
            "z0" - CAST("y" AS DOUBLE PRECISION)
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            ) * (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            ) * (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            ) * (
              "z0" - CAST("y" AS DOUBLE PRECISION)
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END,
      CAST(NULL AS BIGINT)
    ),
    (
      7,
      CAST(CASE
        WHEN "f" IS NULL
        THEN 0
        ELSE WIDTH_BUCKET(
          (
            "f" - "e"
          ),
          CAST(ARRAY[
            60.0e0,
            69.0e0,
            79.35e0,
            91.25249999999998e0,
            104.94037499999996e0,
            120.68143124999996e0,
            138.78364593749995e0,
            159.6011928281249e0,
            183.54137175234365e0,
            211.07257751519518e0,
            242.7334641424744e0,
            279.14348376384555e0,
            321.0150063284224e0,
            369.1672572776857e0,
            424.54234586933853e0,
            488.2236977497393e0,
            561.4572524122001e0,
            645.6758402740301e0,
            742.5272163151345e0,
            853.9062987624046e0,
            981.9922435767653e0,
            1129.2910801132798e0,
            1298.6847421302718e0,
            1493.4874534498124e0,
            1717.5105714672843e0,
            1975.137157187377e0,
            2271.4077307654834e0,
            2612.1188903803054e0,
            3003.936723937351e0,
            3454.5272325279534e0,
            3972.706317407146e0,
            4568.612265018217e0,
            5253.90410477095e0,
            6041.989720486592e0,
            6948.28817855958e0,
            7990.531405343516e0,
            9189.111116145044e0,
            10567.4777835668e0,
            12152.599451101818e0,
            13975.489368767088e0,
            16071.812774082153e0,
            18482.58469019447e0,
            21254.97239372364e0,
            24443.218252782186e0,
            28109.70099069951e0,
            32326.156139304436e0,
            37175.0795602001e0,
            42751.34149423011e0,
            49164.042718364624e0,
            56538.64912611931e0,
            65019.446495037206e0,
            74772.36346929277e0,
            85988.21798968669e0,
            98886.45068813968e0,
            113719.41829136063e0,
            130777.33103506471e0,
            150393.9306903244e0,
            172953.02029387307e0,
            198895.973337954e0,
            228730.36933864708e0,
            263039.9247394441e0,
            302495.9134503607e0,
            347870.30046791484e0,
            400050.845538102e0,
            460058.47236881725e0,
            529067.2432241398e0,
            608427.3297077607e0,
            699691.4291639248e0,
            804645.1435385135e0,
            925341.9150692903e0,
            1064143.2023296838e0,
            1223764.6826791363e0,
            1407329.3850810067e0,
            1618428.7928431574e0,
            1861193.111769631e0,
            2140372.0785350758e0,
            2461427.8903153366e0,
            2830642.073862637e0,
            3255238.3849420324e0,
            3743524.142683337e0,
            4305052.764085837e0,
            4950810.678698712e0,
            5693432.280503519e0,
            6547447.122579046e0,
            7529564.190965902e0,
            8658998.819610786e0,
            9957848.642552406e0,
            11451525.938935263e0,
            13169254.829775553e0,
            15144643.054241884e0,
            17416339.512378164e0,
            20028790.43923489e0,
            23033109.005120117e0,
            26488075.355888136e0,
            30461286.659271352e0,
            35030479.65816206e0,
            40285051.60688636e0,
            46327809.34791931e0
          ] AS DOUBLE PRECISION[])
        ) + 1
      END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      8,
      CAST(CASE
        WHEN CAST(FLOOR(CAST((
          "e" - "u"
        ) AS DOUBLE PRECISION) / 3600.0e0) AS INT) > 23
        THEN 23
        WHEN CAST(FLOOR(CAST((
          "e" - "u"
        ) AS DOUBLE PRECISION) / 3600.0e0) AS INT) < 0
        THEN 0
        ELSE CAST(FLOOR(CAST((
          "e" - "u"
        ) AS DOUBLE PRECISION) / 3600.0e0) AS INT)
      END AS INT),
      "monitored"."o",
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    ),
    (
      9,
      CAST(CASE WHEN "n" > 1 THEN 1 ELSE 0 END AS INT),
      CAST(0 AS INT),
      CAST(NULL AS DOUBLE PRECISION),
      CAST(NULL AS BIGINT),
      CAST(NULL AS BIGINT)
    )
) AS "v"("i", "b", "o", "x", "t", "q")
GROUP BY
  "w",
  "i",
  "b",
  "v"."o";

SELECT
  "w" AS "w",
  COUNT(*) AS "n"
FROM (
  SELECT
    "w"
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
  CAST(EXTRACT(EPOCH FROM CAST("l" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "l"
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
          CAST(WIDTH_BUCKET(
            "known_at",
            ARRAY[
              CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ),
              CAST('2013-04-02 04:00:00+00:00' AS TIMESTAMPTZ),
              CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
            ]
          ) - 1 AS INT) AS "w",
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
          CAST((
            CAST(EXTRACT(EPOCH FROM CAST("scheduled_at" AS TIMESTAMP)) AS DOUBLE PRECISION)
          ) AS DOUBLE PRECISION) / 60.0e0
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
  CAST(EXTRACT(EPOCH FROM CAST("t" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "l"
FROM (
  SELECT
    "w" AS "w",
    COUNT(*) AS "n",
    MAX("t") AS "t"
  FROM (
    SELECT
      CAST(WIDTH_BUCKET(
        "known_at",
        ARRAY[
          CAST('2013-04-01 04:00:00+00:00' AS TIMESTAMPTZ),
          CAST('2013-04-02 04:00:00+00:00' AS TIMESTAMPTZ),
          CAST('2013-04-03 04:00:00+00:00' AS TIMESTAMPTZ)
        ]
      ) - 1 AS INT) AS "w",
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
  CAST(EXTRACT(EPOCH FROM CAST("t" AS TIMESTAMP)) AS DOUBLE PRECISION) AS "t"
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
  "n" DESC NULLS LAST,
  "v"
LIMIT 5;
