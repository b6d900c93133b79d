"""PCA reconstruction error: whether the columns still hang together as they did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.multivariate.domain_classifier import checked_samples
from monitoring_tasks.statistics.multivariate.z_score import ZScore

EXPLAINED = 0.65
"""Share of the variance that the kept components explain, at least, as in NannyML."""

FARTHEST = 10.0
"""Standard deviations beyond which a value counts as this far: one absurd value must not outweigh all rows."""


NEAREST = 0.01
"""An error below this counts as this: of a row that is rebuilt without any, such as one without values, there is no
logarithm, and what rounding leaves of an exact relation must not count."""

NARROWEST = 0.25
"""The errors' logarithms count as spread at least this much of what those of as many independent normal residuals are.

Where columns are bound exactly, as degrees Celsius and Fahrenheit are, every reference row is rebuilt without loss and
the spread is 0, against which a relation that breaks would be infinitely far away.
"""


@dataclass(frozen=True)
class PcaReconstruction:
    """How much worse, or better, the current rows are rebuilt than held-out reference rows are."""

    difference: float
    """Mean logarithm of the current rows' errors less that of the reference's, in its standard deviations; 0 is none,
    above 0 relations have broken, below 0 the rows follow the reference's relations more closely."""
    lower: float
    """Lower end of the 95 % interval."""
    upper: float
    p_value: float
    """Of a difference this large either way when both sides are independent rows of one distribution."""
    z: ZScore
    """Of the difference."""
    components: int
    """Kept, at least one and fewer than the columns."""
    columns: int
    """That vary in the reference."""
    explained: float
    """Share of the reference's variance that the components explain, in [0, 1]."""


def pca_reconstruction(
    reference: npt.ArrayLike, current: npt.ArrayLike, categorical: npt.ArrayLike
) -> PcaReconstruction | None:
    """Squeeze rows into the reference's principal components, rebuild them, and compare what is lost [1]_.

    Every other reference row fits the components; the rest are held out, because rows that were fitted are rebuilt too
    well. A row's error is the Euclidean distance to what is rebuilt of it, after each column is brought to mean 0 and
    standard deviation 1 by the fitted rows. The mean logarithms of the errors of current and held-out rows are compared
    by Welch's test [2]_: given the components the errors are independent, so it is right whatever was fitted. Without
    the logarithm it is not where columns are skewed: 2.4 / 7.0 % of 1500 undrifted windows of 200 log-normal rows are
    below 1 % and 5 %, with it 1.0 / 5.1 %. Of normal columns, 1000 windows each:

    ================== =============== ================
    n, m, columns      independent     correlated 0.6
    ================== =============== ================
    200, 200, 5        1.2 / 4.6 %     1.3 / 5.4 %
    5,000, 200, 5      0.6 / 4.9 %     1.4 / 6.7 %
    5,000, 1,000, 16   0.9 / 4.4 %     0.7 / 4.8 %
    5,000, 5,000, 5    1.1 / 5.9 %     1.1 / 5.1 %
    ================== =============== ================

    A category becomes its share of the fitted reference rows (one never seen there: 0). Missing and infinite values
    become the mean. Columns that do not vary in the fitted rows are left out. Where the columns are not correlated in
    the reference, no component stands for a relation, and a relation that is new shows less here than to a classifier.

    With k the columns less the components, errors of k independent normal residuals have logarithms with a standard
    deviation of about 1 / sqrt(2 k). A quarter of it stands for any spread that is smaller, in the difference as in the
    test. So a window differs by 0 while columns are bound exactly, and by much when they no longer are: of two columns
    it takes one row in a hundred to differ by 0.2.

    Parameters
    ----------
    reference : float array, shape (n, n_columns)
        Rows in a random order, such as that of a hash. NaN is missing.
    current : float array, shape (m, n_columns)
        The same columns.
    categorical : bool array, shape (n_columns,)
        Columns whose numbers are codes of categories.

    Returns
    -------
    PcaReconstruction or None
        None where it cannot be measured: fewer than two columns vary in the rows that are fitted.

    Raises
    ------
    ValueError
        If the reference has fewer than 4 rows or the current sample fewer than 2, or they do not share their columns.

    References
    ----------
    .. [1] Jackson, J. E., & Mudholkar, G. S. (1979). Control procedures for residuals associated with principal
       component analysis. Technometrics, 21(3), 341-349.
    .. [2] Welch, B. L. (1947). The generalization of Student's problem when several different population variances are
       involved. Biometrika, 34(1-2), 28-35.
    """
    before, after = checked_samples(reference, current)
    if len(before) < 4 or len(after) < 2:
        raise ValueError(f"`reference` has {len(before)} rows and `current` {len(after)}: 4 and 2 are needed")
    codes = np.asarray(categorical, dtype=np.bool_)
    fitted, held_out, after = _as_numbers(before[::2], codes, before[::2], before[1::2], after)
    mean, deviation = _moments(fitted)
    varies = deviation > 1e-9 * (np.abs(mean) + 1e-300)
    if varies.sum() < 2:
        return None
    fitted, held_out, after = (
        _standardised(rows[:, varies], mean[varies], deviation[varies]) for rows in (fitted, held_out, after)
    )
    values, vectors = np.linalg.eigh(fitted.T @ fitted / len(fitted))
    falling = np.maximum(values[::-1], 0.0)
    share = np.cumsum(falling) / falling.sum()
    # Of all components every row is rebuilt without any loss: then nothing is measured.
    kept = min(int(np.searchsorted(share, EXPLAINED)) + 1, len(share) - 1)
    components = vectors[:, ::-1][:, :kept]
    usual, now = (_errors(rows, components) for rows in (held_out, after))
    narrowest = NARROWEST / math.sqrt(2 * (len(share) - kept))
    spread, spread_now = (max(float(logs.std(ddof=1)), narrowest) for logs in (usual, now))
    variance = (spread**2 / len(usual), spread_now**2 / len(now))
    difference = float(now.mean() - usual.mean())
    error = math.sqrt(sum(variance))
    freedom = sum(variance) ** 2 / (variance[0] ** 2 / (len(usual) - 1) + variance[1] ** 2 / (len(now) - 1))
    from scipy.special import stdtr, stdtrit  # 0.3 s to import: only whoever wants a p-value pays

    margin = float(stdtrit(freedom, 0.975)) * error
    return PcaReconstruction(
        difference=difference / spread,
        lower=(difference - margin) / spread,
        upper=(difference + margin) / spread,
        p_value=min(1.0, 2 * float(stdtr(freedom, -abs(difference) / error))),
        z=ZScore(difference / error, len(usual) * len(now) / (len(usual) + len(now)), freedom),
        components=kept,
        columns=int(varies.sum()),
        explained=float(share[kept - 1]),
    )


def _as_numbers(fitted: FloatArray, codes: npt.NDArray[np.bool_], *samples: FloatArray) -> list[FloatArray]:
    """Return the samples with infinities as missing and each category as its share of the fitted rows."""
    found = [np.where(np.isfinite(rows), rows, np.nan) for rows in samples]
    for column in np.flatnonzero(codes):
        present = fitted[:, column][np.isfinite(fitted[:, column])]
        known, counts = np.unique(present, return_counts=True)
        for rows in found:
            values = rows[:, column]
            place = np.minimum(np.searchsorted(known, values), max(known.size - 1, 0))
            shares = np.zeros(len(values))
            if known.size:
                shares = np.where(known[place] == values, counts[place] / present.size, 0.0)
            rows[:, column] = np.where(np.isnan(values), np.nan, shares)
    return found


def _moments(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of what is not missing; 0 where all is."""
    present = ~np.isnan(rows)
    counts = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, rows, 0.0).sum(axis=0) / counts
    distance = np.where(present, rows - mean, 0.0)
    # Scaled before it is squared: values of 1e200 have no square.
    largest = np.maximum(np.abs(distance).max(axis=0), 1e-300)
    return mean, largest * np.sqrt(((distance / largest) ** 2).sum(axis=0) / counts)


def _standardised(rows: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    found = np.clip((rows - mean) / deviation, -FARTHEST, FARTHEST)
    return np.where(np.isnan(found), 0.0, found)


def _errors(rows: FloatArray, components: FloatArray) -> FloatArray:
    """Return the logarithm of the distance of each row to its projection, 0 for `NEAREST` and below."""
    distances = np.linalg.norm(rows - rows @ components @ components.T, axis=1)
    logarithms: FloatArray = np.log(np.maximum(distances / NEAREST, 1.0))
    return logarithms
