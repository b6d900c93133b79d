"""Whether the mean score of two samples differs: linear statistics of counts, with a tail that is right far out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray, paired_counts

NEAR = 0.3
"""Standard errors below which the saddlepoint's correction is left out: it divides by them and changes little there."""


@dataclass(frozen=True)
class ScoreTest:
    """A difference of means, in the form that its tail is computed from."""

    root: float
    """Signed root of twice the log-likelihood ratio of the tilted samples; about the z-statistic."""
    correction: float
    """Logarithm of the saddlepoint's slope over `root`: what skewness adds. 0 for scores that are normal."""

    def p_value(self, dispersion: npt.ArrayLike = 1.0, skewness: float = 0.0) -> FloatArray:
        """Return the two-sided probability of such a difference without drift, at each of these dispersions.

        Parameters
        ----------
        dispersion : float array
            By how much the variance is inflated, at least 1: the samples count as so many times fewer rows.
        skewness : float
            Of the difference, from window to window, where the variance is inflated: the tail is then that of Pearson's
            type III [1]_, a shifted chi-squared distribution.

        Returns
        -------
        float ndarray
            Twice the smaller tail, at most 1. It grows with the dispersion.

        References
        ----------
        .. [1] Pearson, K. (1895). Skew variation in homogeneous material. Phil. Trans. R. Soc. A, 186, 343-414.
        """
        from scipy.special import chdtrc, ndtr

        inflation = np.sqrt(np.asarray(dispersion, dtype=np.float64))
        root = abs(self.root) / inflation
        if self.correction:
            corrected = root + self.correction / root
            # Of so few rows as would be left, the approximation turns back: from there on a line through 0.
            root = np.where(root**2 > self.correction, corrected, 2 * root)
        tail = ndtr(-root)
        towards = math.copysign(skewness, skewness * self.root)
        if towards > 0:  # the other tail is lighter than the normal one
            freedom = 8 / towards**2
            heavier = chdtrc(freedom, freedom + root * math.sqrt(2 * freedom))
            tail = np.where(inflation > 1, np.maximum(tail, heavier), tail)
        return np.minimum(1.0, 2 * tail)


def score_test(reference: npt.ArrayLike, current: npt.ArrayLike, scores: npt.ArrayLike) -> ScoreTest:
    """Compare the mean score of two samples.

    Under the null hypothesis both are drawn from the pooled distribution over the bins. The tail is Lugannani and
    Rice's saddlepoint approximation [1]_ in Barndorff-Nielsen's form: relative error of a few per cent even where the
    probability is 1e-6, the samples have 50 rows and the scores are skewed. A normal tail would be off a hundredfold.

    Parameters
    ----------
    reference, current : int array, shape (n_bins,)
        Rows per bin.
    scores : float array, shape (n_bins,)
        Score of a row in each bin.

    Returns
    -------
    ScoreTest
        `root` above 0 where the current mean is higher; 0 where no score differs from another.

    Raises
    ------
    ValueError
        If a side is no vector of counts or holds no rows.

    References
    ----------
    .. [1] Lugannani, R., & Rice, S. (1980). Saddle point approximation for the distribution of the sum of independent
       random variables. Advances in Applied Probability, 12(2), 475-490.

    Examples
    --------
    >>> test = score_test([500, 500], [40, 60], [0.0, 1.0])
    >>> test.root, float(test.p_value())
    (1.914, 0.0562)
    """
    a, b = paired_counts(reference, current)
    score = np.asarray(scores, dtype=np.float64)
    n, m = float(a.sum()), float(b.sum())
    some = a + b > 0
    a, b, score = a[some], b[some], score[some]
    share = (a + b) / (n + m)
    score = score - share @ score
    variance = share @ score**2
    scale = float(np.max(np.abs(score)))
    if scale == 0 or variance <= 1e-24 * scale**2:
        return ScoreTest(0.0, 0.0)
    difference = float(b @ score / m - a @ score / n)
    z = difference / math.sqrt(variance * (1 / n + 1 / m))
    if abs(z) < NEAR:
        return ScoreTest(z, 0.0)
    tilt = _tilt(share, score, n, m, difference)
    value, _, curvature = _cumulants(share, score, n, m, tilt)
    deviance = 2 * (tilt * difference - value)
    slope = abs(tilt) * math.sqrt(curvature)
    if not (deviance > 0 and slope > 0):
        return ScoreTest(z, 0.0)
    root = math.sqrt(deviance)
    return ScoreTest(math.copysign(root, z), math.log(slope / root))


def _cumulants(share: FloatArray, score: FloatArray, n: float, m: float, tilt: float) -> tuple[float, float, float]:
    """Return the cumulant generating function of the difference of means and its first two derivatives."""
    totals = [0.0, 0.0, 0.0]
    for rows, sign in ((m, 1.0), (n, -1.0)):
        exponent = sign * tilt / rows * score
        highest = float(exponent.max())
        weight = share * np.exp(exponent - highest)
        total = float(weight.sum())
        mean = float(weight @ score) / total
        totals[0] += rows * (highest + math.log(total))
        totals[1] += sign * mean
        totals[2] += (float(weight @ score**2) / total - mean**2) / rows
    return totals[0], totals[1], max(totals[2], 0.0)


def _tilt(share: FloatArray, score: FloatArray, n: float, m: float, difference: float) -> float:
    """Return where the first derivative is `difference`: Newton's steps inside a bracket that closes."""
    low, high = (0.0, math.inf) if difference > 0 else (-math.inf, 0.0)
    tilt = difference / float(share @ score**2) / (1 / n + 1 / m)
    for _ in range(60):
        _, slope, curvature = _cumulants(share, score, n, m, tilt)
        if abs(slope - difference) <= 1e-10 * abs(difference):
            break
        low, high = (tilt, high) if slope < difference else (low, tilt)
        step = tilt + (difference - slope) / curvature if curvature > 0 else math.nan
        inside = low < step < high
        if math.isinf(high):
            tilt = min(step, 4 * tilt) if inside else 4 * tilt
        elif math.isinf(low):
            tilt = max(step, 4 * tilt) if inside else 4 * tilt
        else:
            tilt = step if inside else (low + high) / 2
    return tilt
