SELECT
  "w" AS "w",
  "i" AS "i",
  "b" AS "b",
  "o" AS "o",
  COUNT(*) AS "n",
  MIN("x") AS "l",
  MAX("x") AS "h",
  SUM(CAST("t" AS DECIMAL(38, 0))) AS "t",
  SUM(CAST("q" AS DECIMAL(38, 0))) AS "q"
FROM (
  SELECT
    "w" AS "w",
    "v"."i" AS "i",
    CASE
      WHEN "v"."i" = 0
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 1
      THEN "b1"
      WHEN "v"."i" = 2
      THEN "b2"
      WHEN "v"."i" = 3
      THEN CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT)
      WHEN "v"."i" = 4
      THEN CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT)
      WHEN "v"."i" = 5
      THEN CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT)
      WHEN "v"."i" = 6
      THEN CAST((
        (
          (
            (
              "place"
            ) * 3
          ) + CASE WHEN "p" IS NULL THEN 0 ELSE "p" + 1 END
        ) * 3
      ) + CASE WHEN "y" IS NULL THEN 2 ELSE "y" END AS INT)
      WHEN "v"."i" = 7
      THEN CAST(CASE
        WHEN "f" IS NULL
        THEN 0
        ELSE CASE
          WHEN (
            "f" - "e"
          ) < 56538.64912611931e0
          THEN CASE
            WHEN (
              "f" - "e"
            ) < 1717.5105714672843e0
            THEN CASE
              WHEN (
                "f" - "e"
              ) < 321.0150063284224e0
              THEN CASE
                WHEN (
                  "f" - "e"
                ) < 138.78364593749995e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 91.25249999999998e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 69.0e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 60.0e0 THEN 1 ELSE 2 END
                    ELSE CASE WHEN (
                      "f" - "e"
                    ) < 79.35e0 THEN 3 ELSE 4 END
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 120.68143124999996e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 104.94037499999996e0 THEN 5 ELSE 6 END
                    ELSE 7
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 211.07257751519518e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 183.54137175234365e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 159.6011928281249e0 THEN 8 ELSE 9 END
                    ELSE 10
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 279.14348376384555e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 242.7334641424744e0 THEN 11 ELSE 12 END
                    ELSE 13
                  END
                END
              END
              ELSE CASE
                WHEN (
                  "f" - "e"
                ) < 742.5272163151345e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 488.2236977497393e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 424.54234586933853e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 369.1672572776857e0 THEN 14 ELSE 15 END
                    ELSE 16
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 645.6758402740301e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 561.4572524122001e0 THEN 17 ELSE 18 END
                    ELSE 19
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 1129.2910801132798e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 981.9922435767653e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 853.9062987624046e0 THEN 20 ELSE 21 END
                    ELSE 22
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 1493.4874534498124e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 1298.6847421302718e0 THEN 23 ELSE 24 END
                    ELSE 25
                  END
                END
              END
            END
            ELSE CASE
              WHEN (
                "f" - "e"
              ) < 10567.4777835668e0
              THEN CASE
                WHEN (
                  "f" - "e"
                ) < 4568.612265018217e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 3003.936723937351e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 2271.4077307654834e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 1975.137157187377e0 THEN 26 ELSE 27 END
                    ELSE CASE WHEN (
                      "f" - "e"
                    ) < 2612.1188903803054e0 THEN 28 ELSE 29 END
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 3972.706317407146e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 3454.5272325279534e0 THEN 30 ELSE 31 END
                    ELSE 32
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 6948.28817855958e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 6041.989720486592e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 5253.90410477095e0 THEN 33 ELSE 34 END
                    ELSE 35
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 9189.111116145044e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 7990.531405343516e0 THEN 36 ELSE 37 END
                    ELSE 38
                  END
                END
              END
              ELSE CASE
                WHEN (
                  "f" - "e"
                ) < 24443.218252782186e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 16071.812774082153e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 13975.489368767088e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 12152.599451101818e0 THEN 39 ELSE 40 END
                    ELSE 41
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 21254.97239372364e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 18482.58469019447e0 THEN 42 ELSE 43 END
                    ELSE 44
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 37175.0795602001e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 32326.156139304436e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 28109.70099069951e0 THEN 45 ELSE 46 END
                    ELSE 47
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 49164.042718364624e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 42751.34149423011e0 THEN 48 ELSE 49 END
                    ELSE 50
                  END
                END
              END
            END
          END
          ELSE CASE
            WHEN (
              "f" - "e"
            ) < 1861193.111769631e0
            THEN CASE
              WHEN (
                "f" - "e"
              ) < 347870.30046791484e0
              THEN CASE
                WHEN (
                  "f" - "e"
                ) < 150393.9306903244e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 98886.45068813968e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 74772.36346929277e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 65019.446495037206e0 THEN 51 ELSE 52 END
                    ELSE CASE WHEN (
                      "f" - "e"
                    ) < 85988.21798968669e0 THEN 53 ELSE 54 END
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 130777.33103506471e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 113719.41829136063e0 THEN 55 ELSE 56 END
                    ELSE 57
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 228730.36933864708e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 198895.973337954e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 172953.02029387307e0 THEN 58 ELSE 59 END
                    ELSE 60
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 302495.9134503607e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 263039.9247394441e0 THEN 61 ELSE 62 END
                    ELSE 63
                  END
                END
              END
              ELSE CASE
                WHEN (
                  "f" - "e"
                ) < 804645.1435385135e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 529067.2432241398e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 460058.47236881725e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 400050.845538102e0 THEN 64 ELSE 65 END
                    ELSE 66
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 699691.4291639248e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 608427.3297077607e0 THEN 67 ELSE 68 END
                    ELSE 69
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 1223764.6826791363e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 1064143.2023296838e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 925341.9150692903e0 THEN 70 ELSE 71 END
                    ELSE 72
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 1618428.7928431574e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 1407329.3850810067e0 THEN 73 ELSE 74 END
                    ELSE 75
                  END
                END
              END
            END
            ELSE CASE
              WHEN (
                "f" - "e"
              ) < 9957848.642552406e0
              THEN CASE
                WHEN (
                  "f" - "e"
                ) < 4305052.764085837e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 2830642.073862637e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 2461427.8903153366e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 2140372.0785350758e0 THEN 76 ELSE 77 END
                    ELSE 78
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 3743524.142683337e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 3255238.3849420324e0 THEN 79 ELSE 80 END
                    ELSE 81
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 6547447.122579046e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 5693432.280503519e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 4950810.678698712e0 THEN 82 ELSE 83 END
                    ELSE 84
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 8658998.819610786e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 7529564.190965902e0 THEN 85 ELSE 86 END
                    ELSE 87
                  END
                END
              END
              ELSE CASE
                WHEN (
                  "f" - "e"
                ) < 23033109.005120117e0
                THEN CASE
                  WHEN (
                    "f" - "e"
                  ) < 15144643.054241884e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 13169254.829775553e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 11451525.938935263e0 THEN 88 ELSE 89 END
                    ELSE 90
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 20028790.43923489e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 17416339.512378164e0 THEN 91 ELSE 92 END
                    ELSE 93
                  END
                END
                ELSE CASE
                  WHEN (
                    "f" - "e"
                  ) < 35030479.65816206e0
                  THEN CASE
                    WHEN (
                      "f" - "e"
                    ) < 30461286.659271352e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 26488075.355888136e0 THEN 94 ELSE 95 END
                    ELSE 96
                  END
                  ELSE CASE
                    WHEN (
                      "f" - "e"
                    ) < 46327809.34791931e0
                    THEN CASE WHEN (
                      "f" - "e"
                    ) < 40285051.60688636e0 THEN 97 ELSE 98 END
                    ELSE 99
                  END
                END
              END
            END
          END
        END
      END AS INT)
      WHEN "v"."i" = 8
      THEN CAST(CASE
        WHEN CAST(FLOOR((
          "e" - "u"
        ) / 3600.0e0) AS INT) > 23
        THEN 23
        WHEN CAST(FLOOR((
          "e" - "u"
        ) / 3600.0e0) AS INT) < 0
        THEN 0
        ELSE CAST(FLOOR((
          "e" - "u"
        ) / 3600.0e0) AS INT)
      END AS INT)
      WHEN "v"."i" = 9
      THEN CAST(CASE WHEN "n" > 1 THEN 1 ELSE 0 END AS INT)
    END AS "b",
    CASE
      WHEN "v"."i" = 0
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 1
      THEN "monitored"."o"
      WHEN "v"."i" = 2
      THEN "monitored"."o"
      WHEN "v"."i" = 3
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 4
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 5
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 6
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 7
      THEN CAST(0 AS INT)
      WHEN "v"."i" = 8
      THEN "monitored"."o"
      WHEN "v"."i" = 9
      THEN CAST(0 AS INT)
    END AS "o",
    CASE
      WHEN "v"."i" = 0
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 1
      THEN CASE WHEN "x1" BETWEEN -1e+308 AND 1e+308 THEN "x1" END
      WHEN "v"."i" = 2
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 3
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 4
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 5
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 6
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 7
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 8
      THEN CAST(NULL AS DOUBLE)
      WHEN "v"."i" = 9
      THEN CAST(NULL AS DOUBLE)
    END AS "x",
    CASE
      WHEN "v"."i" = 0
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 1
      THEN CASE
        WHEN "x1" BETWEEN -2147483648.0e0 AND 2147483647.9999998e0
        THEN CAST("x1" * 4294967296.0e0 AS BIGINT)
      END
      WHEN "v"."i" = 2
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 3
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 4
      THEN CASE
        WHEN (
          "z0"
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND((
          "z0"
        ) * 4398046511104.0e0) AS BIGINT)
      END
      WHEN "v"."i" = 5
      THEN CASE
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
      END
      WHEN "v"."i" = 6
      THEN CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            "z0" - CAST("y" AS DOUBLE)
          ) * (
            "z0" - CAST("y" AS DOUBLE)
          ) * (
            "z0" - CAST("y" AS DOUBLE)
          ) * (
            "z0" - CAST("y" AS DOUBLE)
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              "z0" - CAST("y" AS DOUBLE)
            ) * (
              "z0" - CAST("y" AS DOUBLE)
            ) * (
              "z0" - CAST("y" AS DOUBLE)
            ) * (
              "z0" - CAST("y" AS DOUBLE)
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END
      WHEN "v"."i" = 7
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 8
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 9
      THEN CAST(NULL AS BIGINT)
    END AS "t",
    CASE
      WHEN "v"."i" = 0
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 1
      THEN CASE
        WHEN ABS("x1") BETWEEN 0.000244140625e0 AND 1482910.4003789304e0
        THEN CAST("x1" * "x1" * 4194304.0e0 AS BIGINT)
        WHEN ABS("x1") < 0.000244140625e0
        THEN 0
      END
      WHEN "v"."i" = 2
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 3
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 4
      THEN CASE
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
      WHEN "v"."i" = 5
      THEN CASE
        WHEN NOT "y" IS NULL
        AND (
          (
            "z0" - CAST("y" AS DOUBLE)
          ) * (
            "z0" - CAST("y" AS DOUBLE)
          )
        ) * 4398046511104.0e0 BETWEEN -4.611686018427388e+18 AND 4.611686018427388e+18
        THEN CAST(ROUND(
          (
            (
              "z0" - CAST("y" AS DOUBLE)
            ) * (
              "z0" - CAST("y" AS DOUBLE)
            )
          ) * 4398046511104.0e0
        ) AS BIGINT)
      END
      WHEN "v"."i" = 6
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 7
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 8
      THEN CAST(NULL AS BIGINT)
      WHEN "v"."i" = 9
      THEN CAST(NULL AS BIGINT)
    END AS "q"
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
          ELSE CASE
            WHEN "z0" < 0.5e0
            THEN CASE WHEN "z0" < 0.35e0 THEN CASE WHEN "z0" < 0.0e0 THEN 1 ELSE 2 END ELSE 3 END
            ELSE CASE WHEN "z0" < 1.0e0 THEN 4 ELSE 5 END
          END
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
            CASE
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
            END AS "w",
            CAST(CASE
              WHEN CAST("distance" AS DOUBLE) IS NULL
              OR CAST("distance" AS DOUBLE) = CAST('NaN' AS DOUBLE)
              THEN 0
              ELSE CASE
                WHEN CAST("distance" AS DOUBLE) < 500.0e0
                THEN CASE WHEN CAST("distance" AS DOUBLE) < 17.5e0 THEN 1 ELSE 2 END
                ELSE CASE WHEN CAST("distance" AS DOUBLE) < 1000.25e0 THEN 3 ELSE 4 END
              END
            END AS INT) AS "b1",
            CAST("distance" AS DOUBLE) AS "x1",
            CAST(CASE
              WHEN CAST("carrier" AS VARCHAR) IS NULL
              THEN 0
              WHEN CAST("carrier" AS VARCHAR) = 'UA'
              THEN 1
              WHEN CAST("carrier" AS VARCHAR) = 'O\'Hare\\'
              THEN 2
              WHEN CAST("carrier" AS VARCHAR) IN ('B6')
              THEN 3
              ELSE 4
            END AS INT) AS "b2",
            CASE
              WHEN CAST("probability" AS DOUBLE) BETWEEN -1e+308 AND 1e+308
              THEN CAST("probability" AS DOUBLE)
            END AS "z0",
            CAST(CASE WHEN "predicted" IS NULL THEN NULL WHEN "predicted" = 1 THEN 1 ELSE 0 END AS INT) AS "p",
            CAST(DATE_PART(EPOCH_MICROSECOND, CAST("scheduled_at" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0 AS "e",
            CASE
              WHEN CASE
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
              END < 1
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
            CAST(DATE_PART(EPOCH_MICROSECOND, CAST("f" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0 AS "f",
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
                      WHEN CAST("delayed" AS VARCHAR) = 'true'
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
  CROSS JOIN (
    SELECT
      CAST(0 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(1 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(2 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(3 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(4 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(5 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(6 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(7 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(8 AS INT) AS "i"
    UNION ALL
    SELECT
      CAST(9 AS INT) AS "i"
  ) AS "v"
) AS "entries"
GROUP BY
  "w",
  "i",
  "b",
  "o";

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
                WHEN CAST("delayed" AS VARCHAR) = 'true'
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
  CAST(DATE_PART(EPOCH_MICROSECOND, CAST("l" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0 AS "l"
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
            CAST(DATE_PART(EPOCH_MICROSECOND, CAST("scheduled_at" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0
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
  CAST(DATE_PART(EPOCH_MICROSECOND, CAST("t" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0 AS "l"
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
  CAST(DATE_PART(EPOCH_MICROSECOND, CAST("t" AS TIMESTAMP)) AS DOUBLE) / 1000000.0e0 AS "t"
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
      CAST("delayed" AS VARCHAR) AS "v",
      CASE
        WHEN "known_at" BETWEEN CAST('1900-01-01 00:00:00+00:00' AS TIMESTAMPTZ) AND CAST('9999-12-30 00:00:00+00:00' AS TIMESTAMPTZ)
        THEN CAST(CASE
          WHEN "delayed" IS NULL
          THEN NULL
          WHEN CAST("delayed" AS VARCHAR) = 'true'
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
