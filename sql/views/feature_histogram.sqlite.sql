-- A profile's counts as rows: how many rows of a window, and of its baseline, fall into each bin of a column.
SELECT
    profile.monitor,
    profile.window_start,
    profile.window_end,
    profile.segment,
    profile.column_name,
    profile.kind,
    named.bin_index,
    named.label AS bin_label,
    bin.value AS rows,
    1.0 * bin.value / NULLIF(profile.rows, 0) AS share,
    expected.rows AS baseline_rows,
    expected.share AS baseline_share
FROM profile
JOIN json_each(profile.counts) AS bin
JOIN baseline_bin AS named
    ON named.baseline_id = profile.baseline_id
    AND named.segment = ''
    AND named.column_name = profile.column_name
    AND named.bin_index = bin.key
LEFT JOIN baseline_bin AS expected
    ON expected.baseline_id = profile.baseline_id
    AND expected.segment = profile.segment
    AND expected.column_name = profile.column_name
    AND expected.bin_index = named.bin_index
