"""Parts of a change against Kitagawa's closed form, planted shifts, and the laws of Shapley's value."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from monitoring_tasks.statistics.performance.decomposition import by_place, by_propensity, decompose
from monitoring_tasks.statistics.performance.outcomes import Outcomes

PARTS = ("change", "inputs", "relation", "rest", "interaction")
EDGES = np.linspace(0, 1, 11)


def accuracy(outcomes):
    matrix = outcomes.confusion
    return np.trace(matrix, axis1=-2, axis2=-1) / matrix.sum(axis=(-2, -1))


def roc_auc(outcomes):
    rows = np.asarray(outcomes.scores, float)
    negative, positive = rows[..., 0], rows[..., 1]
    below = np.cumsum(negative, axis=-1) - negative / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sum(positive * below, axis=-1) / (negative.sum(axis=-1) * positive.sum(axis=-1))


def root_mean_squared_error(outcomes):
    return np.sqrt(outcomes.sums["error_squares"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1)))


def mean_absolute_error(outcomes):
    return outcomes.sums["absolute_error"].sum(axis=(-3, -2, -1)) / outcomes.counts.sum(axis=(-3, -2, -1))


tables = arrays(np.int64, (5, 4, 3, 2), elements=st.integers(0, 40))


@given(tables, tables, st.sampled_from([accuracy, roc_auc]))
def test_the_parts_add_up_and_change_their_signs_with_the_sides(a, b, metric):
    a[0] = 0  # a bin that only the current side has
    b[1] = 0
    assume(all(side.sum(axis=0)[1:, 1:].sum(axis=(0, 1)).all() for side in (a, b, a[2:], b[2:])))
    there = decompose(metric, Outcomes(a), Outcomes(b))
    back = decompose(metric, Outcomes(b), Outcomes(a))
    assume(np.isfinite(there.inputs.value))
    assert there.inputs.value + there.relation.value + there.rest.value == pytest.approx(
        float(metric(Outcomes(b.sum(axis=0))) - metric(Outcomes(a.sum(axis=0)))), abs=1e-12
    )
    assert there.change.value == pytest.approx(there.current - there.reference, abs=1e-12)
    for part in ("change", "inputs", "relation", "rest"):
        assert getattr(back, part).value == pytest.approx(-getattr(there, part).value, abs=1e-12)
    # What the order makes is the same from either end.
    assert back.interaction.value == pytest.approx(there.interaction.value, abs=1e-12)


@given(tables, tables)
def test_of_accuracy_it_is_kitagawas_formula(a, b):
    a[:, :, 1, 0] += 1
    b[:, :, 1, 0] += 1
    a[:, :, 0], b[:, :, 0] = 0, 0
    found = decompose(accuracy, Outcomes(a), Outcomes(b))
    rows = [side.sum(axis=(1, 2, 3)) for side in (a, b)]
    p, q = (one / one.sum() for one in rows)
    right = [accuracy(Outcomes(side)) for side in (a, b)]
    assert found.inputs.value == pytest.approx(np.sum((q - p) * (right[0] + right[1]) / 2), abs=1e-12)
    assert found.relation.value == pytest.approx(np.sum((p + q) / 2 * (right[1] - right[0])), abs=1e-12)
    assert found.interaction.value == pytest.approx(np.sum((q - p) * (right[1] - right[0])), abs=1e-12)
    assert found.rest.value == 0.0
    assert found.shared == 1.0


def test_bins_of_one_side_are_the_rest():
    """Nopo (2008): what the rows outside of the shared bins change."""
    a, b = np.zeros((3, 1, 3, 2), int), np.zeros((3, 1, 3, 2), int)
    a[:2, 0, 1] = [(80, 20), (10, 40)]
    b[1:, 0, 1] = [(12, 48), (40, 0)]
    found = decompose(accuracy, Outcomes(a), Outcomes(b))
    assert found.change.value == pytest.approx(52 / 100 - 90 / 150)
    assert (found.inputs.value, found.relation.value) == (0.0, 0.0)  # 20 % right in the shared bin, on both sides
    assert found.rest.value == pytest.approx((0.2 - 0.6) + (0.52 - 0.2))
    assert found.shared == pytest.approx(50 / 150)
    nothing = decompose(accuracy, Outcomes(a[:1]), Outcomes(b[:1] + a[:1]))
    assert nothing.rest.value == 0.0


def test_without_shared_bins_nothing_can_be_split():
    a, b = np.zeros((2, 1, 3, 2), int), np.zeros((2, 1, 3, 2), int)
    a[0, 0, 1, 0], b[1, 0, 1, 1] = 5, 5
    with np.errstate(invalid="ignore"):
        found = decompose(accuracy, Outcomes(a), Outcomes(b))
    assert found.change.value == -1
    assert np.isnan([found.inputs.value, found.relation.value, found.rest.value]).all()
    assert found.shared == 0


def window(generator, rows, inputs, relation=0.0, bins=8):
    """A binary model of one feature with 8 values: its score knows the feature and adds noise, calibrated or not."""
    feature = generator.choice(bins, rows, p=inputs)
    score = 1 / (1 + np.exp(-(feature - 3.5) * 0.6 - generator.normal(0, 1, rows)))
    label = generator.random(rows) < 1 / (1 + np.exp(-(np.log(score / (1 - score)) * (1 - relation))))
    place = 1 + np.searchsorted(EDGES, score, side="right")
    counts = np.zeros((bins, len(EDGES) + 2, 3, 2), int)
    np.add.at(counts, (feature, place, 1 + (score > 0.5), label.astype(int)), 1)
    return (
        Outcomes(counts, edges=EDGES),
        feature,
        np.ravel_multi_index((place, 1 + (score > 0.5), label.astype(int)), counts.shape[1:]),
    )


FLAT = np.full(8, 1 / 8)
MOVED = np.array([0.05, 0.05, 0.05, 0.15, 0.2, 0.2, 0.2, 0.1])


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_a_shift_of_the_inputs_alone_leaves_the_relation_in_its_interval(metric):
    generator = np.random.default_rng(20)
    covered = []
    for _ in range(500):
        a, b = window(generator, 3000, FLAT)[0], window(generator, 1000, MOVED)[0]
        part = decompose(metric, a, b).relation
        covered.append(part.lower <= 0 <= part.upper)
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_a_change_of_the_relation_alone_leaves_the_inputs_in_theirs(metric):
    generator = np.random.default_rng(21)
    covered, found = [], []
    for _ in range(500):
        a, b = window(generator, 3000, FLAT)[0], window(generator, 1000, FLAT, relation=0.6)[0]
        parts = decompose(metric, a, b)
        covered.append(parts.inputs.lower <= 0 <= parts.inputs.upper)
        found.append(parts.relation.upper < 0)
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(found) > 0.9


def test_by_the_score_a_shift_of_the_scores_alone_is_the_inputs():
    """The score keeps its meaning while it moves: only the calibration could change the relation."""
    generator = np.random.default_rng(22)
    whole = [
        Outcomes(window(generator, rows, inputs)[0].counts.sum(axis=0), edges=EDGES)
        for rows, inputs in ((60_000, FLAT), (60_000, MOVED))
    ]
    parts = decompose(accuracy, by_place(whole[0]), by_place(whole[1]))
    assert parts.relation.lower <= 0 <= parts.relation.upper
    assert parts.inputs.value < -5 * parts.inputs.standard_error
    assert parts.change.value == pytest.approx(float(accuracy(whole[1]) - accuracy(whole[0])), abs=1e-12)


def test_a_regressions_sums_move_with_their_rows():
    """Twice the error in the second bin; of the same rows: only the relation. And one share by hand."""
    counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    a = Outcomes(counts, {"error_squares": np.array([100.0, 400.0]).reshape(2, 1, 1, 1)})
    b = Outcomes(counts * [[[[1]]], [[[3]]]], {"error_squares": np.array([100.0, 1200.0]).reshape(2, 1, 1, 1)})
    parts = decompose(root_mean_squared_error, a, b)
    assert parts.inputs.value == pytest.approx(np.sqrt(1300 / 400) - np.sqrt(500 / 200))
    assert parts.relation.value == pytest.approx(0, abs=1e-12)
    twice = Outcomes(counts, {"error_squares": np.array([100.0, 1600.0]).reshape(2, 1, 1, 1)})
    parts = decompose(root_mean_squared_error, a, twice)
    assert parts.relation.value == pytest.approx(np.sqrt(1700 / 200) - np.sqrt(500 / 200))
    assert parts.inputs.value == pytest.approx(0, abs=1e-12)


def test_standard_errors_of_the_change_are_those_of_both_shares():
    counts = np.zeros((2, 1, 3, 2), int)
    counts[:, 0, 1] = [(300, 100), (450, 150)]
    parts = decompose(accuracy, Outcomes(counts), Outcomes(counts // 5))
    assert parts.change.standard_error == pytest.approx(np.sqrt(0.75 * 0.25 * (1 / 1000 + 1 / 200)), rel=1e-6)
    # Within bins that are alike the shares say nothing of the inputs' part, and the relation's has all of the error.
    assert parts.inputs.standard_error == pytest.approx(0, abs=1e-9)
    assert parts.relation.standard_error == pytest.approx(parts.change.standard_error, rel=1e-6)


def test_standard_errors_are_those_of_kitagawas_formula():
    """By the delta method: the shares are multinomial, and the rows right in each bin binomial.

    Of the inputs' part what a share's own noise times the binomial one would count twice is taken off once.
    """
    a, b = np.zeros((2, 1, 3, 2), int), np.zeros((2, 1, 3, 2), int)
    a[:, 0, 1], b[:, 0, 1] = [(270, 30), (80, 120)], [(90, 60), (100, 250)]
    parts = decompose(accuracy, Outcomes(a), Outcomes(b))
    p, q = a.sum(axis=(1, 2, 3)) / 500, b.sum(axis=(1, 2, 3)) / 500
    right = [side[:, 0, 1, 0] / side.sum(axis=(1, 2, 3)) for side in (a, b)]
    mean, turned = (right[0] + right[1]) / 2, right[1] - right[0]
    binomial = [each * (1 - each) / (500 * share) for each, share in zip(right, (p, q), strict=True)]
    inputs = [(share @ mean**2 - (share @ mean) ** 2) / 500 for share in (p, q)]
    inputs.append(((q - p) ** 2 / 4) @ (binomial[0] + binomial[1]))
    noise = [(each / other) ** 2 * (p + q) / 500 / (p * q) for each, other in ((q, p), (p, q))]
    inputs.append(-sum(one @ (share**2 * each) for one, share, each in zip(noise, (p, q), binomial, strict=True)) / 4)
    relation = [(share @ turned**2 - (share @ turned) ** 2) / 4 / 500 for share in (p, q)]
    relation.append(((p + q) ** 2 / 4) @ (binomial[0] + binomial[1]))
    assert parts.inputs.standard_error == pytest.approx(np.sqrt(sum(inputs)), rel=1e-6)
    assert parts.relation.standard_error == pytest.approx(np.sqrt(sum(relation)), rel=1e-6)


@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_standard_errors_are_those_of_the_bootstrap(metric):
    """Efron's: rows drawn anew from both sides, each part computed again; 400 samples are within 4 % mostly."""
    generator = np.random.default_rng(25)
    a, b = window(generator, 20_000, FLAT)[0].counts, window(generator, 20_000, MOVED, 0.3)[0].counts
    found = decompose(metric, Outcomes(a, edges=EDGES), Outcomes(b, edges=EDGES))
    drawn = {"inputs": [], "relation": [], "change": []}
    for _ in range(400):
        sides = [generator.multinomial(20_000, side.ravel() / side.sum()).reshape(side.shape) for side in (a, b)]
        rows = [side.sum(axis=(1, 2, 3), keepdims=True) for side in sides]
        value = [
            [float(metric(Outcomes((sides[j] * rows[i] / rows[j]).sum(axis=0), edges=EDGES))) for j in (0, 1)]
            for i in (0, 1)
        ]
        drawn["inputs"].append((value[1][0] - value[0][0] + value[1][1] - value[0][1]) / 2)
        drawn["relation"].append((value[0][1] - value[0][0] + value[1][1] - value[1][0]) / 2)
        drawn["change"].append(value[1][1] - value[0][0])
    for name, values in drawn.items():
        assert getattr(found, name).standard_error == pytest.approx(np.std(values, ddof=1), rel=0.12), name


def test_rows_of_one_cell_whose_losses_differ_are_in_the_standard_error():
    """Of a mean over rows in one cell it is the standard deviation over the root of the rows."""
    generator = np.random.default_rng(26)
    losses = [generator.exponential(size=rows) for rows in (500, 200)]
    sides = [
        Outcomes(
            np.full((1, 1, 1, 1), each.size),
            {"absolute_error": np.full((1, 1, 1, 1), each.sum()), "error_squares": np.full((1, 1, 1, 1), each @ each)},
        )
        for each in losses
    ]
    parts = decompose(mean_absolute_error, *sides)
    exact = np.sqrt(sum(np.var(each) / each.size for each in losses))
    assert parts.relation.standard_error == pytest.approx(exact, rel=1e-6)
    assert (parts.inputs.value, parts.inputs.standard_error) == pytest.approx((0, 0), abs=1e-8)


def test_students_quantile_is_of_the_rows_that_tell_the_error():
    """20 rows wrong of very many: the squared error varies as a count of 20 does, or chi squared of 40 degrees."""
    counts = np.zeros((1, 1, 3, 2), int)
    counts[0, 0, 1] = (10_000_000, 20)
    parts = decompose(accuracy, Outcomes(counts * 1000), Outcomes(counts))
    half = (parts.change.upper - parts.change.lower) / 2
    assert half / parts.change.standard_error == pytest.approx(stats.t.ppf(0.975, 40), rel=1e-3)


def test_of_few_rows_nothing_is_said_of_the_error():
    """19 rows of a label on one side; one wrong row in all; none wrong."""
    table = np.zeros((2, 1, 3, 2), int)
    table[:, 0, 1:] = [[(800, 60), (100, 90)], [(300, 40), (50, 80)]]
    few = np.zeros((2, 1, 3, 2), int)
    few[:, 0, 1:] = [[(80, 6), (10, 5)], [(30, 3), (5, 5)]]
    enough = few.copy()
    enough[1, 0, 2, 1] += 1
    right, one_wrong = table.copy(), table.copy()
    right[:, 0, 1, 1] = right[:, 0, 2, 0] = 0
    one_wrong[:, 0, 1, 1], one_wrong[:, 0, 2, 0] = 0, (1, 0)
    two_wrong = one_wrong + right * 0
    two_wrong[1, 0, 2, 0] = 1
    for sides, told in (
        ((table, enough), True),
        ((table, few), False),
        ((few, table), False),
        ((table, right), False),
        ((table, one_wrong), False),
        ((table, two_wrong), True),
    ):
        parts = decompose(accuracy, *map(Outcomes, sides))
        assert math.isfinite(parts.inputs.value + parts.relation.value)
        for name in ("change", "inputs", "relation"):
            part = getattr(parts, name)
            assert np.isfinite([part.lower, part.upper, part.standard_error]).tolist() == [told] * 3, (name, told)


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_rare_labels_leave_quiet_windows_quiet(metric):
    """500 rows beside 20,000, a label of 5 % of the rows: where the error is told, intervals hold what is true."""
    generator = np.random.default_rng(27)
    covered = []
    for _ in range(400):
        sides = []
        for rows in (20_000, 500):
            feature = generator.integers(0, 8, rows)
            score = 1 / (1 + np.exp(-(feature - 3.5) * 0.6 - generator.normal(0, 1, rows)))
            label = (generator.random(rows) < score / 10).astype(int)
            counts = np.zeros((8, len(EDGES) + 2, 3, 2), int)
            np.add.at(counts, (feature, 1 + np.searchsorted(EDGES, score, side="right"), 1 + (score > 0.5), label), 1)
            sides.append(Outcomes(counts, edges=EDGES))
        relation = decompose(metric, *sides).relation
        if np.isfinite(relation.standard_error):
            covered.append(relation.lower <= 0 <= relation.upper)
    assert len(covered) > 300
    assert 0.92 <= np.mean(covered) <= 0.98


def test_levels_of_windows_widen_the_relation_and_the_inputs_by_what_has_moved():
    a, b = np.zeros((2, 1, 3, 2), int), np.zeros((2, 1, 3, 2), int)
    a[:, 0, 1], b[:, 0, 1] = [(2700, 300), (1400, 600)], [(900, 600), (2000, 1500)]
    plain = decompose(accuracy, Outcomes(a), Outcomes(b))
    wide = decompose(accuracy, Outcomes(a), Outcomes(b), levels=0.05, levels_freedom=9)
    # 0.6 of the rows were in the first bin, and 0.3 are.
    for name, part in (("change", 1), ("inputs", 0.3), ("relation", 1), ("interaction", 0.6)):
        narrow, its = getattr(plain, name), getattr(wide, name)
        assert its.value == narrow.value
        assert its.standard_error == pytest.approx(np.hypot(narrow.standard_error, part * 0.05)), name
        # Satterthwaite's: levels of nine degrees of freedom, and rows of very many.
        freedom = 9 * (its.standard_error / (part * 0.05)) ** 4
        assert (its.upper - its.value) / its.standard_error == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)
    still = decompose(accuracy, Outcomes(a), Outcomes(a), levels=0.05)
    assert still.inputs.standard_error < 0.02


@pytest.mark.parametrize("levels", [0.0, 0.05])
def test_what_is_rounding_is_neither_a_part_nor_an_interval(levels):
    """A day on which a column has one value: no inputs have moved, and nothing may be said to a hundred digits."""
    generator = np.random.default_rng(38)
    for _ in range(40):
        table = window(generator, 2000, FLAT)[0].counts
        a, b = np.zeros_like(table), np.zeros_like(table)
        a[:2] = table[:2]
        b[0] = table[2:].sum(axis=0)
        parts = decompose(roc_auc, Outcomes(a, edges=EDGES), Outcomes(b, edges=EDGES), levels=levels, levels_freedom=9)
        assert parts.inputs == type(parts.inputs)(0.0, 0.0, 0.0, 0.0)
        assert parts.interaction == type(parts.inputs)(0.0, 0.0, 0.0, 0.0)
        for name in ("change", "relation", "rest"):
            part = getattr(parts, name)
            assert abs(part.value) > 1e-6, name
            assert 0 < part.upper - part.lower < 1, name
        assert parts.relation.value + parts.rest.value == pytest.approx(parts.change.value, abs=1e-15)


@given(tables, tables, st.sampled_from([accuracy, roc_auc]))
def test_no_part_is_rounding_and_no_quantile_is_of_next_to_no_freedom(a, b, metric):
    a[0] = b[1] = 0
    assume(all(side.sum(axis=0)[1:, 1:].sum(axis=(0, 1)).all() for side in (a, b, a[2:], b[2:])))
    parts = decompose(metric, Outcomes(a), Outcomes(b))
    for name in PARTS:
        part = getattr(parts, name)
        assert part.value == 0 or not abs(part.value) < 1e-13, name
        if np.isfinite(part.standard_error):
            # Student's of two degrees of freedom.
            assert part.upper - part.value <= 4.303 * part.standard_error, name
            assert part.standard_error == 0 or part.standard_error > 1e-9 * parts.change.standard_error, name


def test_tables_in_pieces_give_the_same(monkeypatch):
    counts = np.arange(1, 25).reshape(2, 2, 3, 2) * 10
    whole = decompose(accuracy, Outcomes(counts), Outcomes(counts[::-1]))
    monkeypatch.setattr("monitoring_tasks.statistics.performance.decomposition.AT_ONCE", 1)
    assert decompose(accuracy, Outcomes(counts), Outcomes(counts[::-1])) == whole


def joint(generator, rows, inputs, relation):
    """A window with the feature, noise, and a copy with gaps as features."""
    outcomes, feature, cells = window(generator, rows, inputs, relation)
    gaps = np.where(generator.random(rows) < 0.2, np.nan, feature)
    whole = Outcomes(outcomes.counts.sum(axis=0), edges=EDGES)
    return whole, np.column_stack([feature, generator.normal(size=rows), gaps]), cells


@pytest.mark.integration
def test_jointly_a_planted_shift_is_found_where_it_was_planted():
    generator = np.random.default_rng(24)
    relation, inputs = [], []
    for _ in range(20):
        (a, x, cells), (b, y, others) = joint(generator, 3000, FLAT, 0), joint(generator, 1500, MOVED, 0)
        parts = decompose(accuracy, *by_propensity(a, b, x, cells, y, others))
        relation.append(parts.relation)
        assert parts.inputs.value + parts.relation.value + parts.rest.value == pytest.approx(
            float(accuracy(b) - accuracy(a)), abs=1e-12
        )
        (b, y, others) = joint(generator, 1500, FLAT, 0.6)
        inputs.append(decompose(accuracy, *by_propensity(a, b, x, cells, y, others)).inputs)
    for parts in (relation, inputs):
        assert np.mean([part.lower <= 0 <= part.upper for part in parts]) >= 0.9
        assert abs(np.mean([part.value for part in parts])) < np.mean([part.standard_error for part in parts]) / 2


def test_bad_input_is_named():
    table = Outcomes(np.ones((2, 1, 3, 2), int))
    with pytest.raises(ValueError, match="must have the axes bin, place, prediction and label"):
        decompose(accuracy, table, Outcomes(np.ones((3, 1, 3, 2), int)))
    with pytest.raises(ValueError, match="`current` has no rows"):
        decompose(accuracy, table, Outcomes(np.zeros((2, 1, 3, 2), int)))
    with pytest.raises(ValueError, match=r"`levels` must be at least 0, not -0\.5"):
        decompose(accuracy, table, table, levels=-0.5)
    with pytest.raises(ValueError, match="`reference` has scores by class"):
        decompose(accuracy, Outcomes(table.counts, class_scores=np.ones((2, 2, 4, 2), int)), table)
    with pytest.raises(ValueError, match="must have the axes place, prediction and label"):
        by_place(table)
    whole = Outcomes(np.ones((1, 3, 2), int))
    with pytest.raises(ValueError, match=r"`reference_cells` must lie in \[0, 6\), not from 0 to 6"):
        by_propensity(whole, whole, [[1.0]] * 2, [0, 6], [[1.0]] * 2, [0, 1])
    with pytest.raises(ValueError, match="`current_cells` must be one whole number for each row"):
        by_propensity(whole, whole, [[1.0]] * 2, [0, 5], [[1.0]] * 2, [0])


def test_every_part_is_reported():
    table = Outcomes(np.full((2, 1, 3, 2), 10))
    parts = decompose(accuracy, table, table)
    for name in PARTS:
        assert dataclasses.asdict(getattr(parts, name))["value"] == 0.0
