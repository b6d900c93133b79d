"""Parts of a change against Kitagawa's closed form, planted shifts, and the laws of Shapley's value."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitoring_tasks.statistics.performance.decomposition import by_place, decompose, joint_decomposition
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


def class_auc(outcomes):
    """Mean over the classes of the AUC of each against the others."""
    rows = np.asarray(outcomes.class_scores, float)
    below = np.cumsum(rows[..., 0], axis=-1) - rows[..., 0] / 2
    return np.mean(
        np.sum(rows[..., 1] * below, axis=-1) / (rows[..., 0].sum(axis=-1) * rows[..., 1].sum(axis=-1)), axis=-1
    )


def rng():
    return np.random.default_rng(1)


tables = arrays(np.int64, (5, 4, 3, 2), elements=st.integers(0, 40))


@given(tables, tables, st.sampled_from([accuracy, roc_auc]))
def test_the_parts_add_up_and_change_their_signs_with_the_sides(a, b, metric):
    a[0] = 0  # a bin that only the current side has
    b[1] = 0
    assume(all(side.sum(axis=0)[1:, 1:].sum(axis=(0, 1)).all() for side in (a, b, a[2:], b[2:])))
    there = decompose(metric, Outcomes(a), Outcomes(b), rng=rng(), draws=3)
    back = decompose(metric, Outcomes(b), Outcomes(a), rng=rng(), draws=3)
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
    found = decompose(accuracy, Outcomes(a), Outcomes(b), rng=rng(), draws=2)
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
    found = decompose(accuracy, Outcomes(a), Outcomes(b), rng=rng())
    assert found.change.value == pytest.approx(52 / 100 - 90 / 150)
    assert (found.inputs.value, found.relation.value) == (0.0, 0.0)  # 20 % right in the shared bin, on both sides
    assert found.rest.value == pytest.approx((0.2 - 0.6) + (0.52 - 0.2))
    assert found.shared == pytest.approx(50 / 150)
    nothing = decompose(accuracy, Outcomes(a[:1]), Outcomes(b[:1] + a[:1]), rng=rng())
    assert nothing.rest.value == 0.0


def test_without_shared_bins_nothing_can_be_split():
    a, b = np.zeros((2, 1, 3, 2), int), np.zeros((2, 1, 3, 2), int)
    a[0, 0, 1, 0], b[1, 0, 1, 1] = 5, 5
    with np.errstate(invalid="ignore"):
        found = decompose(accuracy, Outcomes(a), Outcomes(b), rng=rng())
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
        part = decompose(metric, a, b, rng=generator, draws=200).relation
        covered.append(part.lower <= 0 <= part.upper)
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.integration
@pytest.mark.parametrize("metric", [accuracy, roc_auc])
def test_a_change_of_the_relation_alone_leaves_the_inputs_in_theirs(metric):
    generator = np.random.default_rng(21)
    covered, found = [], []
    for _ in range(500):
        a, b = window(generator, 3000, FLAT)[0], window(generator, 1000, FLAT, relation=0.6)[0]
        parts = decompose(metric, a, b, rng=generator, draws=200)
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
    parts = decompose(accuracy, by_place(whole[0]), by_place(whole[1]), rng=generator)
    assert parts.relation.lower <= 0 <= parts.relation.upper
    assert parts.inputs.value < -5 * parts.inputs.standard_error
    assert parts.change.value == pytest.approx(float(accuracy(whole[1]) - accuracy(whole[0])), abs=1e-12)


def test_a_regressions_sums_move_with_their_rows():
    """Twice the error in the second bin; of the same rows: only the relation. And one share by hand."""
    counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    a = Outcomes(counts, {"error_squares": np.array([100.0, 400.0]).reshape(2, 1, 1, 1)})
    b = Outcomes(counts * [[[[1]]], [[[3]]]], {"error_squares": np.array([100.0, 1200.0]).reshape(2, 1, 1, 1)})
    parts = decompose(root_mean_squared_error, a, b, rng=rng())
    assert parts.inputs.value == pytest.approx(np.sqrt(1300 / 400) - np.sqrt(500 / 200))
    assert parts.relation.value == pytest.approx(0, abs=1e-12)
    twice = Outcomes(counts, {"error_squares": np.array([100.0, 1600.0]).reshape(2, 1, 1, 1)})
    parts = decompose(root_mean_squared_error, a, twice, rng=rng())
    assert parts.relation.value == pytest.approx(np.sqrt(1700 / 200) - np.sqrt(500 / 200))
    assert parts.inputs.value == pytest.approx(0, abs=1e-12)


def test_class_scores_move_with_their_rows():
    generator = np.random.default_rng(23)
    counts = np.full((3, 1, 4, 3), 20)
    counts[:, :, 0] = 0
    rows = counts.sum(axis=(1, 2, 3))
    scores = np.stack([generator.multinomial(n, np.full(8, 1 / 8), 3).reshape(3, 4, 2) for n in rows])
    a = Outcomes(counts, class_scores=scores)
    factor = np.array([1, 2, 5]).reshape(3, 1, 1, 1)
    parts = decompose(class_auc, a, Outcomes(counts * factor, class_scores=scores * factor), rng=generator)
    assert parts.relation.value == pytest.approx(0, abs=1e-12)
    assert parts.inputs.value == pytest.approx(parts.change.value, abs=1e-12)
    assert parts.inputs.value != 0
    assert parts.relation.standard_error > 0


def test_standard_errors_of_the_change_are_those_of_both_shares():
    counts = np.zeros((2, 1, 3, 2), int)
    counts[:, 0, 1] = [(300, 100), (450, 150)]
    parts = decompose(accuracy, Outcomes(counts), Outcomes(counts // 5), rng=rng(), draws=4000)
    assert parts.change.standard_error == pytest.approx(np.sqrt(0.75 * 0.25 * (1 / 1000 + 1 / 200)), rel=0.05)
    wide = decompose(accuracy, Outcomes(counts), Outcomes(counts // 5), rng=rng(), draws=4000, dispersion=4.0)
    for name in ("change", "inputs", "relation"):
        plain, inflated = getattr(parts, name), getattr(wide, name)
        assert inflated.standard_error == pytest.approx(2 * plain.standard_error)
        assert inflated.upper - inflated.value == pytest.approx(1.96 * inflated.standard_error, rel=1e-4)


def test_draws_in_pieces_are_as_many(monkeypatch):
    monkeypatch.setattr("monitoring_tasks.statistics.performance.decomposition.AT_ONCE", 1)
    counts = np.full((2, 1, 3, 2), 10)
    parts = decompose(accuracy, Outcomes(counts), Outcomes(counts), rng=rng(), draws=7)
    assert np.isfinite(parts.change.standard_error)


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
        parts = joint_decomposition(accuracy, a, b, x, cells, y, others, rng=generator)
        relation.append(parts.relation)
        assert parts.inputs.value + parts.relation.value + parts.rest.value == pytest.approx(
            float(accuracy(b) - accuracy(a)), abs=1e-12
        )
        (b, y, others) = joint(generator, 1500, FLAT, 0.6)
        inputs.append(joint_decomposition(accuracy, a, b, x, cells, y, others, rng=generator).inputs)
    for parts in (relation, inputs):
        assert np.mean([part.lower <= 0 <= part.upper for part in parts]) >= 0.9
        assert abs(np.mean([part.value for part in parts])) < np.mean([part.standard_error for part in parts]) / 2


def test_bad_input_is_named():
    table = Outcomes(np.ones((2, 1, 3, 2), int))
    with pytest.raises(ValueError, match="must have the axes bin, place, prediction and label"):
        decompose(accuracy, table, Outcomes(np.ones((3, 1, 3, 2), int)), rng=rng())
    with pytest.raises(ValueError, match="`current` has no rows"):
        decompose(accuracy, table, Outcomes(np.zeros((2, 1, 3, 2), int)), rng=rng())
    with pytest.raises(ValueError, match=r"`dispersion` must be at least 1, not 0\.5"):
        decompose(accuracy, table, table, rng=rng(), dispersion=0.5)
    with pytest.raises(ValueError, match="must have the axes place, prediction and label"):
        by_place(table)
    whole = Outcomes(np.ones((1, 3, 2), int))
    with pytest.raises(ValueError, match=r"`reference_cells` must lie in \[0, 6\), not from 0 to 6"):
        joint_decomposition(accuracy, whole, whole, [[1.0]] * 2, [0, 6], [[1.0]] * 2, [0, 1], rng=rng())
    with pytest.raises(ValueError, match="`current_cells` must be one whole number for each row"):
        joint_decomposition(accuracy, whole, whole, [[1.0]] * 2, [0, 5], [[1.0]] * 2, [0], rng=rng())


def test_every_part_is_reported():
    table = Outcomes(np.full((2, 1, 3, 2), 10))
    parts = decompose(accuracy, table, table, rng=rng())
    for name in PARTS:
        assert dataclasses.asdict(getattr(parts, name))["value"] == 0.0
