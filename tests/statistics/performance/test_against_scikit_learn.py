"""Every metric on counted rows against scikit-learn on the rows themselves."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as sk

from monitoring_tasks.statistics.performance import PERFORMANCE_METRICS, performance_metric
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from tests.statistics.performance import raw_rows

CONFUSION = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc")
RANKING = ("roc_auc", "average_precision", "kolmogorov_smirnov", "lift")


def value(name, outcomes, **kwargs):
    return performance_metric(name).function(outcomes, **kwargs)


def binary_rows(case, seed):
    rng = np.random.default_rng(seed)
    n = {"few": 12, "one row": 1}.get(case, 700)
    rate = {"rare": 0.03, "one class": 0.0, "other class": 1.0}.get(case, 0.4)
    labels, scores = raw_rows.binormal(rng, n, np.clip(rate, 0.01, 0.99), 0.8)
    labels = np.full(n, int(rate)) if rate in (0, 1) else labels
    if case == "ties":
        scores = np.round(scores, 1)
    if case == "constant":
        scores = np.full(n, 0.3)
    if case == "certain":
        scores = np.round(scores)
    if case == "perfect":
        scores = np.where(labels == 1, 0.9, 0.1)
    return labels, scores


CASES = ["usual", "rare", "ties", "constant", "certain", "perfect", "few", "one class", "other class", "one row"]


def expected_binary(name, labels, scores):
    """scikit-learn's value, NaN where ours is documented as not defined."""
    predicted = scores >= 0.5
    one_class = labels.min() == labels.max()
    undefined = {
        "precision": not predicted.any(),
        "recall": not labels.any(),
        "specificity": labels.all(),
        "f1": not (labels.any() or predicted.any()),
    }
    if undefined.get(name, name in ("mcc", "roc_auc", "average_precision", "kolmogorov_smirnov") and one_class):
        return np.nan
    functions = {
        "accuracy": sk.accuracy_score,
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "specificity": lambda y, p: sk.recall_score(y, p, pos_label=0),
        "f1": sk.f1_score,
        "mcc": sk.matthews_corrcoef,
        "balanced_accuracy": sk.balanced_accuracy_score,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in functions:
            return functions[name](labels, predicted.astype(int))
        if name == "log_loss":
            return sk.log_loss(labels, scores, labels=[0, 1])
        if name == "brier":
            return sk.brier_score_loss(labels, scores, pos_label=1)
        if name == "roc_auc":
            return sk.roc_auc_score(labels, scores)
        if name == "average_precision":
            return sk.average_precision_score(labels, scores)
        if name == "kolmogorov_smirnov":
            false_positive, true_positive, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
            return np.abs(true_positive - false_positive).max()
    return lift_by_lot(labels, scores)


def lift_by_lot(labels, scores):
    """Rows one by one from the highest score, ties by their mean label, up to a tenth of a row."""
    if not labels.any():
        return np.nan
    shares = {each: labels[scores == each].mean() for each in np.unique(scores)}
    ordered = np.array([shares[each] for each in np.sort(scores)[::-1]])
    tenth = len(labels) / 10
    weights = np.clip(tenth - np.arange(len(labels)), 0, 1)
    return (weights * ordered).sum() / tenth / labels.mean()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", [*CONFUSION, *RANKING, "log_loss", "brier"])
def test_binary_metric_is_scikit_learns(name, case):
    for seed in range(5):
        labels, scores = binary_rows(case, seed)
        outcomes = raw_rows.binary(labels, scores, raw_rows.own_bins(scores))
        expected = expected_binary(name, labels, scores)
        assert value(name, outcomes) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), seed


def multiclass_rows(case, n_classes, seed):
    rng = np.random.default_rng(seed)
    n = {"few": 9, "one row": 1}.get(case, 500)
    labels, scores = raw_rows.dirichlet(rng, n, n_classes, imbalance=0.2 if case == "imbalance" else 1.0)
    if case == "one class":
        labels = np.zeros(n, int)
    if case == "class missing":
        labels = np.minimum(labels, n_classes - 2)
    if case == "never predicted":
        scores[:, -1] = 0.0
        scores /= scores.sum(axis=1, keepdims=True)
    if case == "constant":
        scores = np.full((n, n_classes), 1 / n_classes)
    return labels, scores


def expected_multiclass(name, labels, scores, average):
    predicted, n_classes = scores.argmax(axis=1), scores.shape[1]
    shared = {
        "accuracy": sk.accuracy_score,
        "mcc": lambda y, p: np.nan if len(set(y)) == 1 else sk.matthews_corrcoef(y, p),
        "balanced_accuracy": sk.balanced_accuracy_score,
    }
    averaged = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in shared:
            return shared[name](labels, predicted)
        if name in averaged:
            return averaged[name](labels, predicted, average=average)
        if name == "specificity":
            classes = [c for c in range(n_classes) if (labels == c).any() or (predicted == c).any()]
            classes = [c for c in classes if (labels != c).any()]
            if not classes:
                return np.nan
            each = [sk.recall_score(labels != c, predicted != c) for c in classes]
            weights = None if average == "macro" else [np.sum(labels == c) for c in classes]
            return np.average(each, weights=weights) if weights is None or sum(weights) else np.nan
        if name == "log_loss":
            return sk.log_loss(labels, scores, labels=np.arange(n_classes))
        if name == "brier":
            return ((scores - np.eye(n_classes)[labels]) ** 2).sum(axis=1).mean()
    classes = [c for c in range(n_classes) if 0 < np.sum(labels == c) < len(labels)]
    if name == "lift":
        classes = [c for c in range(n_classes) if np.sum(labels == c)]
    if not classes:
        return np.nan
    each = [expected_binary(name, (labels == c).astype(int), scores[:, c]) for c in classes]
    return np.average(each, weights=None if average == "macro" else [np.sum(labels == c) for c in classes])


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize(
    "case", ["usual", "imbalance", "one class", "class missing", "never predicted", "constant", "few", "one row"]
)
def test_multiclass_metrics_are_scikit_learns(case, n_classes, average):
    for seed in range(2):
        labels, scores = multiclass_rows(case, n_classes, seed)
        outcomes = raw_rows.multiclass(labels, scores, raw_rows.own_bins(scores))
        for name in (*CONFUSION, *RANKING, "log_loss", "brier"):
            if name == "average_precision" and case in ("constant", "never predicted"):
                continue  # without sums of scores a mixed bin counts as of several scores
            expected = expected_multiclass(name, labels, scores, average)
            found = value(name, outcomes, average=average)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), (name, seed)


def test_multiclass_brier_and_auc_are_scikit_learns_own():
    labels, scores = raw_rows.dirichlet(np.random.default_rng(3), 400, 3)
    outcomes = raw_rows.multiclass(labels, scores, raw_rows.own_bins(scores))
    assert value("brier", outcomes) == pytest.approx(sk.brier_score_loss(labels, scores, scale_by_half=False), rel=1e-9)
    for average in ("macro", "weighted"):
        expected = sk.roc_auc_score(labels, scores, multi_class="ovr", average=average)
        assert value("roc_auc", outcomes, average=average) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", [*CONFUSION, *RANKING])
def test_per_class_is_the_binary_metric_of_the_class_against_the_rest(name):
    labels, scores = raw_rows.dirichlet(np.random.default_rng(4), 300, 4)
    outcomes = raw_rows.multiclass(labels, scores, raw_rows.own_bins(scores))
    predicted = scores.argmax(axis=1)
    found = performance_metric(name).per_class(outcomes)
    assert found.shape == (4,)
    for label in range(4):
        own, of_class = scores[:, label], (labels == label).astype(int)
        one = raw_rows.binary(of_class, own, raw_rows.own_bins(own), (predicted == label).astype(int))
        assert found[label] == pytest.approx(value(name, one), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 2, 400])
def test_regression_metrics_are_scikit_learns(n, seed):
    rng = np.random.default_rng(seed)
    labels = rng.normal(30, 5, n)
    predictions = labels + rng.normal(0.5, 2, n)
    outcomes = raw_rows.regression(labels, predictions, [-1.0, 0.0, 2.0])
    expected = {
        "mae": sk.mean_absolute_error(labels, predictions),
        "rmse": sk.root_mean_squared_error(labels, predictions),
        "mape": sk.mean_absolute_percentage_error(labels, predictions),
        "r2": sk.r2_score(labels, predictions) if n > 1 else np.nan,
        "bias": np.mean(predictions - labels),
    }
    for name, wanted in expected.items():
        assert value(name, outcomes) == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True), name


def test_labels_of_zero_have_no_percentage_error():
    outcomes = raw_rows.regression([0.0, 10.0, -20.0], [5.0, 11.0, -16.0], [0.0])
    assert value("mape", outcomes) == pytest.approx((0.1 + 0.2) / 2)
    rest = {name: each for name, each in outcomes.sums.items() if name != "percentage_rows"}
    assert value("mape", Outcomes(outcomes.counts, rest, outcomes.edges)) == pytest.approx((0.1 + 0.2) / 3)


@pytest.mark.parametrize("rate", [0.5, 0.2, 0.05])
@pytest.mark.parametrize("auc", [0.6, 0.8, 0.95])
def test_ranking_on_200_quantile_bins_is_close(auc, rate):
    tolerances = {"roc_auc": 2e-4, "average_precision": 1e-3, "kolmogorov_smirnov": 2e-3}
    if rate < 0.1:  # a thousand positive rows: five of them in a bin's order are already 0.005
        tolerances |= {"average_precision": 6e-3, "kolmogorov_smirnov": 3.5e-3}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        labels, scores = raw_rows.binormal(rng, 20_000, rate, auc)
        outcomes = raw_rows.binary(labels, scores, raw_rows.quantile_edges(scores, 200))
        for name, tolerance in tolerances.items():
            assert value(name, outcomes) == pytest.approx(expected_binary(name, labels, scores), abs=tolerance), (
                name,
                seed,
            )


@pytest.mark.parametrize("seed", range(3))
def test_median_absolute_error_on_200_quantile_bins_is_within_half_a_per_cent(seed):
    rng = np.random.default_rng(seed)
    labels = rng.normal(0, 5, 20_000)
    predictions = labels + rng.normal(0.3, 2, 20_000)
    outcomes = raw_rows.regression(labels, predictions, raw_rows.quantile_edges(predictions - labels, 200))
    assert value("medae", outcomes) == pytest.approx(sk.median_absolute_error(labels, predictions), rel=5e-3)


@pytest.mark.parametrize(("auc", "bound"), [(0.8, 4e-3), (0.95, 1.3e-3)])
def test_average_precision_of_rare_rows_uses_the_scores_in_the_highest_bin(auc, bound):
    """Without them it lies 0.006 and 0.0026 too low on average, the other way round further."""
    errors = []
    for seed in range(8):
        labels, scores = raw_rows.binormal(np.random.default_rng(seed), 20_000, 0.05, auc)
        outcomes = raw_rows.binary(labels, scores, raw_rows.quantile_edges(scores, 200))
        errors.append(value("average_precision", outcomes) - sk.average_precision_score(labels, scores))
    assert abs(np.mean(errors)) < bound


@pytest.mark.parametrize("sign", [-1, 1])
def test_median_absolute_error_in_an_outermost_bin_is_by_the_mean_error_there(sign):
    """Errors from 1 to 3: the bin ends as far behind its mean, 2, as that lies behind the edge, 1."""
    errors = sign * np.linspace(1.001, 2.999, 100)
    outcomes = raw_rows.regression(np.full(100, 50.0), 50.0 + errors, [-1.0, 0.0, 1.0])
    assert value("medae", outcomes) == pytest.approx(2.0, rel=1e-6)


def test_calibration_error_is_that_of_the_groups_of_bins():
    labels, scores = raw_rows.binormal(np.random.default_rng(5), 5_000, 0.3, 0.8)
    edges = raw_rows.quantile_edges(scores, 50)
    groups = np.searchsorted(edges, scores, side="right") // 5
    expected = sum(abs(np.sum((labels - scores)[groups == group])) for group in range(10)) / len(labels)
    assert value("expected_calibration_error", raw_rows.binary(labels, scores, edges)) == pytest.approx(expected)


def test_calibration_error_of_classes_takes_the_middle_of_the_bins():
    labels, scores = raw_rows.dirichlet(np.random.default_rng(6), 5_000, 3)
    edges = np.arange(0.01, 1.0, 0.01)
    outcomes = raw_rows.multiclass(labels, scores, edges)
    each = [
        value("expected_calibration_error", raw_rows.binary((labels == c).astype(int), scores[:, c], edges))
        for c in range(3)
    ]
    found = performance_metric("expected_calibration_error").per_class(outcomes)
    assert found == pytest.approx(each, abs=2e-3)
    assert value("expected_calibration_error", outcomes) == pytest.approx(np.mean(found))


def test_every_metric_is_tested_here():
    named = {*CONFUSION, *RANKING, "log_loss", "brier", "expected_calibration_error"}
    assert named | {"mae", "rmse", "mape", "medae", "r2", "bias"} == {each.name for each in PERFORMANCE_METRICS}
