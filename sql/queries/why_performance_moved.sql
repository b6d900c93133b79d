-- What explains the change of performance in the window that began at a given time, column by column?
SELECT
    inputs.column_name,
    inputs.value AS from_other_inputs,
    inputs.value_lower AS from_other_inputs_lower,
    inputs.value_upper AS from_other_inputs_upper,
    relation.value AS from_the_relation,
    relation.value_lower AS from_the_relation_lower,
    relation.value_upper AS from_the_relation_upper,
    CAST(inputs.detail ->> 'shared' AS DOUBLE PRECISION) AS rows_that_both_sides_have
FROM result AS inputs
JOIN result AS relation
    ON relation.monitor = inputs.monitor
    AND relation.window_start = inputs.window_start
    AND relation.window_end = inputs.window_end
    AND relation.check_name = inputs.check_name
    AND relation.column_name = inputs.column_name
    AND relation.metric = :metric || '_change_relation'
WHERE inputs.monitor = :monitor
    AND inputs.window_start = :window_start
    AND inputs.check_name = 'performance'
    AND inputs.metric = :metric || '_change_inputs'
ORDER BY inputs.value IS NULL, ABS(inputs.value) DESC, inputs.column_name
