"""The losses that a window without labels may expect from its rows per bin, for models without a score."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.bayesian_bootstrap import bayesian_bootstrap
from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.performance.estimation import Expectation, Target, drawn_labels
from monitoring_tasks.statistics.performance.outcomes import Outcomes
from monitoring_tasks.statistics.performance.reweighting import cell_means, reweighted


def expected_by_bin(reference: Outcomes, rows: npt.ArrayLike) -> Outcomes:
    """Return the outcomes that a window may expect from those of the baseline in each bin: direct loss estimation.

    For regression, where no score says how sure the model is: bins of the prediction, or of the feature that explains
    most of the loss, see `loss_explained`. The loss of a bin is the baseline's there, and the window's rows weigh it;
    NannyML learns it by a second model instead [1]_. It holds for classification too.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, with one leading axis of bins.
    rows : int array, shape (..., n_bins)
        All rows of the window. Those in a bin where the baseline has none are taken like the nearest bin's.

    Returns
    -------
    Outcomes
        Without the axis of bins, with fractions of rows.

    Raises
    ------
    ValueError
        If the bins are not the same, or the baseline has no rows.

    References
    ----------
    .. [1] NannyML (2023). Direct Loss Estimation. NannyML documentation, "How it works: estimating performance".

    Examples
    --------
    Mean absolute errors of 1 and 4 in two bins, and a window with three quarters of its rows in the second:

    >>> counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    >>> errors = np.array([100.0, 400.0]).reshape(2, 1, 1, 1)
    >>> expected = expected_by_bin(Outcomes(counts, {"absolute_error": errors}), [10, 30])
    >>> float(expected.sums["absolute_error"].sum() / expected.rows)
    3.25
    """
    counts, window = _checked_bins(reference, rows)
    known = counts.sum(axis=(1, 2, 3))
    factor = window / np.where(known > 0, known, 1)
    found = reweighted(Outcomes(reference.counts[0], {}, reference.edges), np.tensordot(factor, counts, axes=1))
    sums = {name: np.tensordot(factor, total, axes=1) for name, total in reference.sums.items()}
    return Outcomes(found.counts, sums, reference.edges)


def expectation_by_bin(
    reference: Outcomes,
    rows: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 500,
    target: Target = "labels",
) -> Expectation:
    """Return what a window without labels may expect from its rows per bin, for `estimated`.

    The cells of the baseline are redrawn by the Bayesian bootstrap, and the window's outcomes drawn from them bin by
    bin. A cell's sums are those of rows with its mean: of a regression's residuals, the spread within a bin of the
    residual is left out, so that these bins should be fine.

    Parameters
    ----------
    reference, rows
        As in `expected_by_bin`; one window.
    rng, draws, target
        As in `expectation`.

    Returns
    -------
    Expectation

    Raises
    ------
    ValueError
        As `expected_by_bin` and `expectation`.

    Examples
    --------
    >>> counts = np.array([100, 100]).reshape(2, 1, 1, 1)
    >>> baseline = Outcomes(counts, {"absolute_error": np.array([100.0, 400.0]).reshape(2, 1, 1, 1)})
    >>> found = expectation_by_bin(baseline, [10, 30], rng=np.random.default_rng(1), draws=2)
    >>> found.expected.sums["absolute_error"].ravel(), found.drawn.rows
    (array([130.]), array([40., 40.]))
    """
    counts, window = _checked_bins(reference, rows)
    if window.ndim != 1:
        raise ValueError(f"`rows` must be of one window, with the axis bin, not of shape {window.shape}")
    tables = bayesian_bootstrap(counts, draws=draws, rng=rng).reshape(draws, len(counts), -1)
    total = tables.sum(axis=-1, keepdims=True)
    chance = np.divide(tables, total, out=np.zeros(tables.shape), where=total > 0)
    chance[..., 0] += total[..., 0] <= 0
    if target == "population":
        window = bayesian_bootstrap(window, draws=draws, rng=rng)
    drawn = drawn_labels(window, chance, target, rng).reshape(draws, *counts.shape)
    sums = {name: np.einsum("db...,b...->d...", drawn, mean) for name, mean in cell_means(reference).items()}
    found = reweighted(Outcomes(reference.counts[0], {}, reference.edges), drawn.sum(axis=1))
    return Expectation(expected_by_bin(reference, rows), Outcomes(found.counts, sums, reference.edges))


def loss_explained(reference: Outcomes, loss: str) -> float:
    """Return how much of the variance of a loss lies between the bins, for choosing the feature to estimate by.

    Omega squared [1]_, which has no bias to features with many bins. The variance within a bin is that between the
    means of its cells.

    Parameters
    ----------
    reference : Outcomes
        The baseline's, with one leading axis of bins.
    loss : str
        A sum of the outcomes, such as ``absolute_error`` or ``error_squares``.

    Returns
    -------
    float
        At most 1; about 0, of either sign, where the bins explain nothing. NaN if the loss does not vary.

    Raises
    ------
    ValueError
        If the outcomes have no such sum.

    References
    ----------
    .. [1] Hays, W. L. (1963). Statistics for Psychologists. Holt, Rinehart & Winston.

    Examples
    --------
    >>> counts = np.full((2, 2, 1, 1), 500)
    >>> errors = counts * np.array([[0.5, 1.5], [2.0, 6.0]])[:, :, np.newaxis, np.newaxis]
    >>> round(loss_explained(Outcomes(counts, {"absolute_error": errors}), "absolute_error"), 3)
    0.514
    """
    if loss not in reference.sums or reference.counts.ndim != 4:
        raise ValueError(
            f"`loss` must be one of {sorted(reference.sums)}, not {loss!r}, and `reference` have one axis of bins, not "
            f"the shape {reference.counts.shape}"
        )
    counts = np.asarray(reference.counts, dtype=np.float64).reshape(len(reference.counts), -1)
    means = cell_means(reference)[loss].reshape(counts.shape)
    rows = counts.sum(axis=1)
    counts, means, rows = counts[rows > 0], means[rows > 0], rows[rows > 0]
    center = np.sum(counts * means, axis=1) / rows
    within = float(np.sum(counts * (means - center[:, np.newaxis]) ** 2))
    between = float(rows @ (center - rows @ center / rows.sum()) ** 2)
    freedom = rows.sum() - rows.size
    if within + between <= 0 or freedom <= 0:
        return math.nan
    noise = within / freedom
    return float((between - (rows.size - 1) * noise) / (between + within + noise))


def _checked_bins(reference: Outcomes, rows: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the baseline's counts, and the window's rows with those of unknown bins in the nearest known one."""
    counts, window = np.asarray(reference.counts, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    if counts.ndim != 4 or window.shape[-1:] != counts.shape[:1]:
        raise ValueError(
            f"`rows` of shape {window.shape} must count the bins of `reference`, the first axis of {counts.shape}"
        )
    known = np.flatnonzero(counts.sum(axis=(1, 2, 3)) > 0)
    if not known.size:
        raise ValueError("`reference` has no rows: there is nothing to estimate from")
    nearest = known[np.argmin(np.abs(np.arange(len(counts))[:, np.newaxis] - known), axis=1)]
    into = (nearest[:, np.newaxis] == np.arange(len(counts))).astype(np.float64)
    return counts, window @ into
