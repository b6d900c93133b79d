"""The list of metrics, finding one by name, and the bins each is taken over."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics import drift
from monitoring_tasks.statistics.drift import DRIFT_METRICS, drift_metric, select

# null, below range, twelve bins, above range
NUMERIC_REFERENCE = [5, 0, *[10] * 12, 0]
NUMERIC_CURRENT = [9, 2, *[10] * 12, 3]
# null, twelve categories, other, unseen
CATEGORICAL_REFERENCE = [5, *range(120, 0, -10), 7, 0]
CATEGORICAL_CURRENT = [9, *range(12), 3, 4]


def test_names_are_those_of_the_contract():
    assert [metric.name for metric in DRIFT_METRICS] == [
        "psi",
        "jensen_shannon",
        "hellinger",
        "total_variation",
        "kl_divergence",
        "kolmogorov_smirnov",
        "wasserstein",
        "chi_squared",
        "l_infinity",
    ]


@pytest.mark.parametrize("metric", DRIFT_METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_found_by_its_name_and_its_function_is_public(metric):
    assert drift_metric(metric.name) is metric
    assert getattr(drift, metric.function.__name__) is metric.function
    assert metric.function.__name__ in drift.__all__


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pis", "'pis' is not a drift metric; did you mean 'psi'?"),
        ("population_stability_index", "'population_stability_index' is not a drift metric; did you mean 'psi'?"),
        ("wasserstein_distance", "'wasserstein_distance' is not a drift metric; did you mean 'wasserstein'?"),
        (
            "mmd",
            "'mmd' is not a drift metric; write one of psi, jensen_shannon, hellinger, total_variation, kl_divergence, "
            "kolmogorov_smirnov, wasserstein, chi_squared, l_infinity",
        ),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(name, message):
    with pytest.raises(ConfigError) as error:
        drift_metric(name)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["jensen_shannon", "hellinger", "total_variation", "chi_squared", "l_infinity"])
def test_distances_over_all_bins_keep_the_null_bin(name):
    reference, current = select(drift_metric(name), "numeric", NUMERIC_REFERENCE, NUMERIC_CURRENT)
    assert (reference.tolist(), current.tolist()) == (NUMERIC_REFERENCE, NUMERIC_CURRENT)


@pytest.mark.parametrize("name", ["kolmogorov_smirnov", "wasserstein"])
def test_distances_along_the_order_leave_the_null_bin_out(name):
    reference, current = select(drift_metric(name), "numeric", NUMERIC_REFERENCE, NUMERIC_CURRENT)
    assert (reference.tolist(), current.tolist()) == (NUMERIC_REFERENCE[1:], NUMERIC_CURRENT[1:])


@pytest.mark.parametrize("name", ["psi", "kl_divergence"])
def test_merged_numeric_bins_are_ten_beside_the_null_bin(name):
    """Twelve equal bins in ten groups: two pairs; what is below or above the range joins the outermost."""
    reference, current = select(drift_metric(name), "numeric", NUMERIC_REFERENCE, NUMERIC_CURRENT)
    assert reference.tolist() == [5, 10, 10, 20, 10, 10, 10, 10, 20, 10, 10]
    assert current.tolist() == [9, 12, 10, 20, 10, 10, 10, 10, 20, 10, 13]


@pytest.mark.parametrize("name", ["psi", "kl_divergence"])
def test_merged_categories_are_ten_beside_null_and_unseen(name):
    reference, current = select(drift_metric(name), "categorical", CATEGORICAL_REFERENCE, CATEGORICAL_CURRENT)
    assert reference.tolist() == [5, 120, 110, 100, 90, 80, 70, 60, 50, 40, 30 + 20 + 10 + 7, 0]
    assert current.tolist() == [9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 + 10 + 11 + 3, 4]


def test_a_column_that_was_all_null_can_still_drift():
    reference, current = select(drift_metric("psi"), "numeric", [90, *[0] * 14], [0, *[6] * 14])
    assert (reference.tolist(), current.tolist()) == ([90, 0], [0, 84])


columns = st.integers(3, 40).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 999), min_size=n, max_size=n)] * 2))


@pytest.mark.parametrize(
    ("metric", "kind"),
    [pytest.param(metric, kind, id=f"{metric.name}-{kind}") for metric in DRIFT_METRICS for kind in metric.layouts],
)
@given(counts=columns)
def test_selection_keeps_the_rows_and_ignores_the_current_window(metric, kind, counts):
    reference, current = counts
    skip = 1 if metric.bins == "non_null" else 0
    a, b = select(metric, kind, reference, current)
    assert a.size == b.size <= (12 if metric.bins == "merged" else len(reference))
    assert (a.sum(), b.sum()) == (sum(reference[skip:]), sum(current[skip:]))
    assert select(metric, kind, reference, reference)[0].tolist() == a.tolist()


@pytest.mark.parametrize("name", ["kolmogorov_smirnov", "wasserstein"])
def test_categories_have_no_order(name):
    with pytest.raises(ValueError, match=f"metric '{name}' does not suit categorical columns, only numeric ones"):
        select(drift_metric(name), "categorical", [1, 2, 3], [1, 2, 3])


@pytest.mark.parametrize(("reference", "current"), [([1, 2, 3], [1, 2, 3, 4]), ([1, 2], [1, 2])])
def test_counts_that_are_no_whole_column_are_refused(reference, current):
    with pytest.raises(ValueError, match=f"`reference` has {len(reference)} bins and `current` {len(current)}"):
        select(drift_metric("psi"), "numeric", reference, current)


def test_importing_the_metrics_costs_numpy_alone():
    """Monitor files are validated against the list in every parse of a DAG file."""
    program = (
        "import sys, monitoring_tasks.statistics.drift, monitoring_tasks.statistics.multiple_testing; "
        "print(*sorted({'airflow', 'duckdb', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
