"""Concept drift: whether P(label | inputs) has changed, tested on counts of labels within bins of the inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray

SMALLEST = 4
"""A bin of fewer rows, both sides together, is left out of `label_homogeneity`: its variance has no finite formula."""

EXPECTED = 5.0
"""Rows of either label that each side should have in a bin of the test of any change, or bins merge: Cochran's rule."""


@dataclass(frozen=True)
class ConceptDriftTest:
    """A test of equal labels at equal inputs."""

    statistic: float
    """Divided by the dispersion. 0 where nothing could be tested."""
    freedom: float
    """Degrees of freedom: about what the statistic is without change."""
    p_value: float
    """Without change about uniform; 1 where nothing could be tested."""


@dataclass(frozen=True)
class CalibrationDrift:
    """Whether the reference's calibration map still holds."""

    test: ConceptDriftTest
    """Of any change of the map."""
    mean_residual: float
    """Share of positive labels less the share that the reference's map expects, calibration in the large; NaN: no rows
    to compare."""
    z: float
    """`mean_residual` in standard errors of both sides."""
    p_value: float
    """Of `z`, two-sided."""
    groups: int
    """Bins of `test`: what is left after merging the sparse ones."""


@dataclass(frozen=True)
class WelchTest:
    """Differences of means, current minus reference; one per bin."""

    difference: FloatArray
    standard_error: FloatArray
    """Of the difference, inflated by the root of the dispersion."""
    statistic: FloatArray
    """Student's t; NaN where a side has fewer than two rows or nothing varies."""
    freedom: FloatArray
    """Satterthwaite's degrees of freedom."""
    p_value: FloatArray
    """Two-sided; NaN where the statistic is."""


@dataclass(frozen=True)
class ResidualDrift:
    """Whether the mean of a residual or a loss has changed at equal inputs."""

    difference: float
    """Mean over the bins of the difference of means, weighted by ``n m / (n + m)``; NaN: no bin could be tested."""
    z: float
    """`difference` in standard errors."""
    p_value: float
    """Of `z`, two-sided: a common direction."""
    test: ConceptDriftTest
    """Of any change in any bin."""
    bins: WelchTest
    """Bin by bin."""


def cochran_mantel_haenszel(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, dispersion: float = 1.0, continuity: bool = False
) -> ConceptDriftTest:
    """Test for a common direction in which the labels have moved, at equal inputs.

    The label counts of the current rows are compared with their expectations within each bin, and the differences added
    over the bins before they are squared [1]_: powerful against a drift that goes one way everywhere, blind to one that
    goes up here and down there. With more than two labels it is the generalized test of association [2]_. Bins may be
    sparse: only their sum must be large.

    Parameters
    ----------
    reference, current : int array, shape (n_bins, n_labels)
        Rows by bin of the inputs and label. Bins without rows on one side tell nothing and are left out.
    dispersion : float
        At least 1; divides the statistic: windows of a real model vary by so much more than independent rows.
    continuity : bool
        Yates's correction of the statistic for two labels, conservative.

    Returns
    -------
    ConceptDriftTest
        Chi-squared with one degree of freedom less than there are labels.

    Raises
    ------
    ValueError
        If the counts are not two such tables, or the dispersion is below 1.

    References
    ----------
    .. [1] Mantel, N., & Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of
       disease. JNCI, 22(4), 719-748.
    .. [2] Agresti, A. (2002). Categorical Data Analysis, 2nd ed. Wiley. Sections 6.3.2 and 7.5.3.

    Examples
    --------
    >>> test = cochran_mantel_haenszel([[80, 20], [50, 50]], [[70, 30], [40, 60]])
    >>> test.statistic, test.p_value
    (4.5747, 0.0324)
    """
    a, b = _tables(reference, current, dispersion)
    n, m = a.sum(axis=1), b.sum(axis=1)
    labels, total = a + b, n + m
    difference = np.sum(b - labels * (m / total)[:, np.newaxis], axis=0)
    # A bin of one row has no variance, and it is in no bin that both sides share.
    scale = n * m / (total**2 * (total - 1))
    most = (scale * total) @ labels
    covariance = np.diag(most) - np.einsum("b,bi,bj->ij", scale, labels, labels)
    # Of a label that fills its bins, rounding alone would leave a variance a little above 0.
    used = np.flatnonzero(np.diag(covariance) > 1e-9 * most)
    freedom = used.size - 1
    if freedom < 1:
        return ConceptDriftTest(0.0, 0.0, 1.0)
    if continuity and freedom == 1:
        difference = np.sign(difference) * np.maximum(np.abs(difference) - 0.5, 0.0)
    # The labels' differences add up to 0, so that one of them says nothing new; labels in separate bins say less.
    inverse = np.linalg.pinv(covariance[np.ix_(used, used)], rcond=1e-9, hermitian=True)
    freedom = int(np.linalg.matrix_rank(covariance[np.ix_(used, used)], hermitian=True, rtol=1e-9))
    # Equal shares in every bin may round to less than 0, of which there is no tail.
    statistic = max(float(difference[used] @ inverse @ difference[used]), 0.0) / dispersion
    return ConceptDriftTest(statistic, float(freedom), _chi_squared_tail(statistic, freedom))


def common_odds_ratio(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Return Mantel and Haenszel's estimate of the odds of a positive label, current over reference, at equal inputs.

    Parameters
    ----------
    reference, current : int array, shape (n_bins, 2)
        Rows by bin of the inputs and label.

    Returns
    -------
    float
        At least 0; 1 without change. NaN where no bin has both labels and both sides.

    Raises
    ------
    ValueError
        If the counts are not two such tables.

    References
    ----------
    .. [1] Mantel, N., & Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of
       disease. JNCI, 22(4), 719-748.

    Examples
    --------
    >>> round(common_odds_ratio([[80, 20], [50, 50]], [[70, 30], [40, 60]]), 3)
    1.58
    """
    a, b = _tables(reference, current, 1.0)
    if a.shape[1] != 2:
        raise ValueError(f"`reference` has {a.shape[1]} labels: an odds ratio is of two")
    total = (a + b).sum(axis=1)
    up, down = float(np.sum(b[:, 1] * a[:, 0] / total)), float(np.sum(b[:, 0] * a[:, 1] / total))
    if down == 0:
        return math.inf if up > 0 else math.nan
    return up / down


def label_homogeneity(reference: npt.ArrayLike, current: npt.ArrayLike, *, dispersion: float = 1.0) -> ConceptDriftTest:
    """Test for any change of the labels at equal inputs: Pearson's chi-squared of each bin, added up.

    Sparse bins are not merged. Instead the sum's tail is that of the gamma distribution with its exact mean and
    variance given the margins, which are ``(n_labels - 1) N / (N - 1)`` and Dawson's formula [1]_ for each bin. In
    large bins that is the chi-squared distribution.

    Parameters
    ----------
    reference, current : int array, shape (n_bins, n_labels)
        Rows by bin of the inputs and label. Left out are bins without rows on one side, with fewer than four rows, or
        with only one label.
    dispersion : float
        At least 1; divides the statistic.

    Returns
    -------
    ConceptDriftTest
        `freedom` is the sum over the bins of the labels there, less one each.

    Raises
    ------
    ValueError
        If the counts are not two such tables, or the dispersion is below 1.

    References
    ----------
    .. [1] Dawson, R. B. (1954). A simplified expression for the variance of the chi-squared function on a contingency
       table. Biometrika, 41(1-2), 280.

    Examples
    --------
    >>> test = label_homogeneity([[80, 20], [50, 50]], [[70, 30], [60, 40]])
    >>> test.statistic, test.freedom, test.p_value
    (4.6869, 2.0, 0.0966)
    """
    a, b = _tables(reference, current, dispersion)
    labels = a + b
    tested = (labels.sum(axis=1) >= SMALLEST) & ((labels > 0).sum(axis=1) > 1)
    a, b, labels = a[tested], b[tested], labels[tested]
    if not a.size:
        return ConceptDriftTest(0.0, 0.0, 1.0)
    sides = np.stack([a.sum(axis=1), b.sum(axis=1)], axis=1)
    total = sides.sum(axis=1)
    expected = labels * (sides[:, 1] / total)[:, np.newaxis]
    # Both sides are off by the same number of rows; their squares over the expectations join in one sum.
    scale = (total**2 / (sides[:, 0] * sides[:, 1]))[:, np.newaxis]
    chi_squared = np.sum(
        np.divide((b - expected) ** 2 * scale, labels, out=np.zeros_like(labels), where=labels > 0), axis=1
    )
    mean, variance, freedom = _pearson_moments(sides, labels)
    statistic, center, spread = float(chi_squared.sum()), float(mean.sum()), float(variance.sum())
    if spread <= 1e-12 * center:  # margins such as (1, 3) leave no other outcome
        return ConceptDriftTest(0.0, 0.0, 1.0)
    from scipy.special import gammaincc

    statistic /= dispersion
    p_value = float(gammaincc(center**2 / spread, statistic * center / spread))
    return ConceptDriftTest(statistic, float(freedom.sum()), p_value)


def calibration_drift(reference: npt.ArrayLike, current: npt.ArrayLike, *, dispersion: float = 1.0) -> CalibrationDrift:
    """Test whether a score still means what it meant: the reference's calibration map against the current labels.

    The map is the isotonic regression of the reference's labels on the bin of the score [1]_. The residuals of the
    current labels, bin by bin, have the binomial variance of the current labels and, shared by the bins that the
    regression has pooled, that of the map. Of their sum, which alone must be of many rows, is `z`; the test of any
    change is their squared Mahalanobis distance from 0, for which the residuals of sparse neighbours are added up.
    Where nothing is pooled it is Pearson's two-sample chi-squared, summed over the bins.

    A shift of the inputs alone is no change: by simulation, 10,000 reference rows, 50 or 200 bins of the score and
    inputs moved by one standard deviation, the two tests reject 0.6 to 1.1 % of windows of 100 and 300 rows at 1 %, and
    4.2 to 5.2 % at 5 %.

    Parameters
    ----------
    reference, current : int array, shape (n_bins, 2)
        Rows by bin of the score, ascending, and label, such as `Outcomes.scores`.
    dispersion : float
        At least 1; divides the statistic, and inflates the standard error of the mean residual by its root.

    Returns
    -------
    CalibrationDrift

    Raises
    ------
    ValueError
        If the counts are not two such tables of two labels, or the dispersion is below 1.

    References
    ----------
    .. [1] Zadrozny, B., & Elkan, C. (2002). Transforming classifier scores into accurate multiclass probability
       estimates. KDD, 694-699.

    Examples
    --------
    >>> drift = calibration_drift([[80, 20], [50, 50]], [[70, 30], [40, 60]])
    >>> drift.test.statistic, drift.test.p_value, drift.mean_residual, drift.z
    (4.6869, 0.0960, 0.1, 2.1442)
    """
    from scipy.optimize import isotonic_regression

    a, b = _tables(reference, current, dispersion)
    if a.shape[1] != 2:
        raise ValueError(f"`reference` has {a.shape[1]} labels: a calibration map is of two, negative and positive")
    n, m = a.sum(axis=1), b.sum(axis=1)
    if not n.size:
        return CalibrationDrift(ConceptDriftTest(0.0, 0.0, 1.0), math.nan, 0.0, 1.0, 0)
    # On merged bins the map would be too coarse: inputs move within them too, and that is no drift.
    fitted = isotonic_regression(a[:, 1] / n, weights=n)
    block = np.repeat(np.arange(fitted.blocks.size - 1), np.diff(fitted.blocks))
    pooled = np.bincount(block, (a + b)[:, 1]) / np.bincount(block, n + m)
    noise = (pooled * (1 - pooled))[block]
    residual = b[:, 1] - m * fitted.x
    shared = block[:, np.newaxis] == block
    covariance = np.diag(m * noise) + shared * np.outer(m, m) * (noise / np.bincount(block, n)[block])
    mean_residual, variance = float(residual.sum() / m.sum()), float(covariance.sum())
    z = float(residual.sum() / math.sqrt(variance * dispersion)) if variance > 0 else 0.0

    group = _merged(a, b)
    groups = int(group[-1]) + 1
    into = (group == np.arange(groups)[:, np.newaxis]).astype(np.float64)
    residual, covariance = into @ residual, into @ covariance @ into.T
    known = np.diag(covariance) > 0
    if not known.any():
        return CalibrationDrift(ConceptDriftTest(0.0, 0.0, 1.0), mean_residual, 0.0, 1.0, groups)
    inner = covariance[np.ix_(known, known)]
    statistic = max(float(residual[known] @ np.linalg.solve(inner, residual[known])), 0.0) / dispersion
    freedom = int(known.sum())
    test = ConceptDriftTest(statistic, float(freedom), _chi_squared_tail(statistic, freedom))
    return CalibrationDrift(test, mean_residual, z, _two_sided(z), groups)


def welch_test(
    reference: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    current: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    *,
    dispersion: float = 1.0,
) -> WelchTest:
    """Compare means of two samples whose variances may differ, from sums [1]_.

    Parameters
    ----------
    reference, current : tuple of three float arrays, shape (n_bins,)
        Rows, sum and sum of squares in each bin: of the residual, or of a loss.
    dispersion : float
        At least 1; divides the squared statistic.

    Returns
    -------
    WelchTest
        Arrays of shape (n_bins,).

    Raises
    ------
    ValueError
        If the arrays are not of one shape, or the dispersion is below 1.

    References
    ----------
    .. [1] Welch, B. L. (1947). The generalization of "Student's" problem when several different population variances
       are involved. Biometrika, 34(1-2), 28-35.

    Examples
    --------
    >>> test = welch_test(([50], [10.0], [60.0]), ([40], [30.0], [70.0]))
    >>> [round(float(array[0]), 4) for array in (test.difference, test.statistic, test.p_value)]
    [0.55, 2.3641, 0.0204]
    """
    _check_dispersion(dispersion)
    sides = [[np.asarray(array, dtype=np.float64) for array in side] for side in (reference, current)]
    shapes = {array.shape for side in sides for array in side}
    if len(shapes) != 1 or len(sides[0]) != 3 or len(sides[1]) != 3:
        raise ValueError(
            f"`reference` and `current` must be rows, sums and sums of squares of one shape, not {sorted(shapes)}"
        )
    means, errors, shares = [], [], []
    with np.errstate(divide="ignore", invalid="ignore"):
        for rows, total, squares in sides:
            means.append(total / rows)
            # Of a constant, rounding alone would leave a variance a little above or below 0.
            deviance = squares - total**2 / rows
            deviance = np.where(deviance > 1e-12 * squares, deviance, 0.0)
            errors.append(np.where(rows > 1, deviance / (rows * (rows - 1)), np.nan))
            shares.append(errors[-1] ** 2 / (rows - 1))
        difference = means[1] - means[0]
        variance = errors[0] + errors[1]
        variance = np.where(variance > 0, variance, np.nan)
        error = np.sqrt(variance * dispersion)
        statistic = difference / error
        freedom = variance**2 / (shares[0] + shares[1])
    from scipy.special import stdtr

    return WelchTest(difference, error, statistic, freedom, 2 * stdtr(freedom, -np.abs(statistic)))


def residual_drift(
    reference: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    current: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    *,
    dispersion: float = 1.0,
) -> ResidualDrift:
    """Test whether the mean residual, or loss, has changed at equal inputs: Welch's test per bin, joined.

    For a common direction the differences are averaged over the bins; for any change the bins' statistics, brought to
    the normal scale by their p-values, are squared and added.

    Parameters
    ----------
    reference, current : tuple of three float arrays, shape (n_bins,)
        Rows, sum and sum of squares in each bin: for example ``error`` and ``error_squares`` of `Outcomes` by bin of a
        feature or of the prediction.
    dispersion : float
        At least 1; divides the squared statistics.

    Returns
    -------
    ResidualDrift

    Raises
    ------
    ValueError
        As `welch_test`.

    References
    ----------
    .. [1] Welch, B. L. (1947). The generalization of "Student's" problem when several different population variances
       are involved. Biometrika, 34(1-2), 28-35.

    Examples
    --------
    >>> drift = residual_drift(([50, 50], [10.0, 0.0], [60.0, 50.0]), ([40, 60], [30.0, 6.0], [70.0, 55.0]))
    >>> drift.difference, drift.p_value, drift.test.freedom, drift.test.p_value
    (0.3020, 0.0407, 2.0, 0.0592)
    """
    bins = welch_test(reference, current, dispersion=dispersion)
    known = np.isfinite(bins.statistic)
    if not known.any():
        return ResidualDrift(math.nan, 0.0, 1.0, ConceptDriftTest(0.0, 0.0, 1.0), bins)
    from scipy.special import ndtri

    n, m = (np.asarray(side[0], dtype=np.float64)[known] for side in (reference, current))
    weight = n * m / (n + m)
    weight /= weight.sum()
    # Weights that know nothing of the variances: with estimated ones, a bin would weigh most where it varies least by
    # chance.
    difference = float(weight @ bins.difference[known])
    z = difference / math.sqrt(float(weight**2 @ bins.standard_error[known] ** 2))
    normal = ndtri(np.maximum(bins.p_value[known] / 2, 1e-300))
    statistic, freedom = float(normal @ normal), int(known.sum())
    test = ConceptDriftTest(statistic, float(freedom), _chi_squared_tail(statistic, freedom))
    return ResidualDrift(difference, z, _two_sided(z), test, bins)


def _tables(reference: npt.ArrayLike, current: npt.ArrayLike, dispersion: float) -> tuple[FloatArray, FloatArray]:
    """Return the counts of the bins that both sides share."""
    _check_dispersion(dispersion)
    a, b = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if a.ndim != 2 or a.shape != b.shape or a.shape[1] < 2:
        raise ValueError(
            f"`reference` of shape {a.shape} and `current` of shape {b.shape} must be rows by bin and label, on the "
            "reference's bins, of two or more labels"
        )
    for name, counts in (("reference", a), ("current", b)):
        wrong = ~(counts >= 0)
        if wrong.any():
            raise ValueError(f"`{name}` must hold counts, not {counts[wrong][0]:g}: pass rows, not shares")
    both = (a.sum(axis=1) > 0) & (b.sum(axis=1) > 0)
    return a[both], b[both]


def _check_dispersion(dispersion: float) -> None:
    if not dispersion >= 1:
        raise ValueError(f"`dispersion` must be at least 1, not {dispersion:g}: 1 is that of independent rows")


def _pearson_moments(sides: FloatArray, labels: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and variance of Pearson's chi-squared of each bin, given its margins, and its degrees of freedom."""
    total = sides.sum(axis=1)
    pairs, products = [], []
    for margin in (sides, labels):
        cells = (margin > 0).sum(axis=1)
        inverse = np.sum(np.divide(1.0, margin, out=np.zeros_like(margin), where=margin > 0), axis=1)
        spread = (total * inverse - cells**2) / (total - 2)
        pairs.append((cells - 1) * (total - cells) / (total - 1) - spread)
        products.append(spread)
    freedom = (labels > 0).sum(axis=1) - 1.0
    variance = 2 * total / (total - 3) * pairs[0] * pairs[1] + total**2 / (total - 1) * products[0] * products[1]
    return freedom * total / (total - 1), np.maximum(variance, 0.0), freedom


def _merged(reference: FloatArray, current: FloatArray) -> npt.NDArray[np.int64]:
    """Return each bin's group: neighbours are joined until either side may expect five rows of either label.

    The expectation is by the labels of both sides together, so that merging does not know where they differ. What is
    left at the end joins the last group.
    """
    starts, first = [0], 0
    for last in range(len(reference)):
        a, b = reference[first : last + 1].sum(axis=0), current[first : last + 1].sum(axis=0)
        share = (a + b).min() / (a + b).sum()
        if min(a.sum(), b.sum()) * share >= EXPECTED:
            first = last + 1
            starts.append(first)
    # The last start begins what is left over, or nothing.
    within = np.zeros(len(reference), dtype=np.int64)
    within[[start for start in starts[1:-1] if start < len(reference)]] = 1
    return np.cumsum(within)


def _chi_squared_tail(statistic: float, freedom: float) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, statistic)) if freedom > 0 else 1.0


def _two_sided(z: float) -> float:
    """Return the chance that a standard normal number is as far from 0."""
    return math.erfc(abs(z) / math.sqrt(2))
