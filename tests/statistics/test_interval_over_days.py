import numpy as np
import pytest

from monitoring_tasks.statistics.interval_over_days import _TWO_SIDED_95, FEWEST_DAYS, mean_over_days


def critical_value(share: float) -> float:
    return sum(c * share**power for power, c in enumerate(_TWO_SIDED_95))


def test_the_variance_is_the_quadratic_form_of_the_kernel():
    """Written out as Driscoll and Kraay do: all pairs of days, weighed by the Bartlett kernel of their distance."""
    rng = np.random.default_rng(1)
    days = np.repeat(np.arange(27), rng.integers(1, 9, 27))
    values = rng.normal(size=len(days)) + np.sin(days)
    lag = 2  # the whole part of 4 (27 / 100)^(2/9)
    sums = np.array([(values[days == day] - values.mean()).sum() for day in range(27)])
    distance = np.abs(np.subtract.outer(np.arange(27), np.arange(27)))
    variance = (np.outer(sums, sums) * np.clip(1 - distance / (lag + 1), 0, None)).sum() / len(values) ** 2
    mean = mean_over_days(values, days)
    assert mean.value == pytest.approx(values.mean())
    assert mean.upper - mean.value == pytest.approx(critical_value(3 / 27) * variance**0.5)
    assert mean.value - mean.lower == pytest.approx(mean.upper - mean.value)
    assert mean.days == 27


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_the_critical_value_is_that_of_means_of_independent_days(share):
    """The limit's 97.5 % point by simulation: 800 days stand for endlessly many."""
    rng = np.random.default_rng(2)
    days, ratios = 800, []
    lag = round(share * days) - 1
    weights = np.r_[1.0, 2 * (1 - np.arange(1, lag + 1) / (lag + 1))]
    for _ in range(8):
        draws = rng.normal(size=(2000, days))
        spectrum = np.fft.rfft(draws - draws.mean(axis=1, keepdims=True), 2 * days)
        covariances = np.fft.irfft(np.abs(spectrum) ** 2)[:, : lag + 1]
        ratios.append(draws.sum(axis=1) / np.sqrt(covariances @ weights))
    found = np.quantile(np.abs(np.concatenate(ratios)), 0.95)
    assert found == pytest.approx(critical_value(share), rel=0.02)


def test_the_interval_holds_the_truth_where_days_resemble_their_neighbours():
    rng = np.random.default_rng(3)
    held = naive = 0
    for _ in range(600):
        noise = rng.normal(size=28)
        weather = noise.copy()
        for day in range(1, 28):
            weather[day] = 0.3 * weather[day - 1] + noise[day]
        days = np.repeat(np.arange(28), 40)
        values = weather[days] + rng.normal(size=len(days))
        mean = mean_over_days(values, days)
        held += mean.lower <= 0 <= mean.upper
        naive += abs(mean.value) <= 1.96 * values.std() / len(values) ** 0.5
    assert 0.91 <= held / 600 <= 0.97
    assert naive / 600 < 0.35


def test_days_without_rows_are_passed_over():
    rng = np.random.default_rng(4)
    days = np.repeat(np.arange(20), 3)
    values = rng.normal(size=60)
    assert mean_over_days(values, days * 7) == mean_over_days(values, days)


def test_few_days_have_no_interval():
    mean = mean_over_days(np.arange(9.0), np.arange(9))
    assert mean.value == 4.0
    assert np.isnan([mean.lower, mean.upper]).all()
    assert mean.days == FEWEST_DAYS - 1


@pytest.mark.parametrize("values", [[], [1.0, np.nan]])
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ValueError, match="finite"):
        mean_over_days(np.array(values), np.arange(len(values)))
