"""Wilson's interval of many shares at once."""

from __future__ import annotations

import numpy as np

from monitoring_tasks.statistics.histogram import FloatArray
from monitoring_tasks.statistics.intervals import Z


def wilson_ends(share: FloatArray, trials: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the 95 % interval of each share by Wilson's score method, see `intervals.wilson_interval`.

    Parameters
    ----------
    share, trials : float arrays of one shape
        Shares in [0, 1], and rows that they are of, which need not be whole.

    Returns
    -------
    lower, upper : float ndarray
        Within [0, 1]; NaN where the share is, or there are no trials.

    Examples
    --------
    >>> wilson_ends(np.array(81 / 263), np.array(263.0))
    (array(0.2553), array(0.3662))
    """
    share = np.asarray(share, dtype=np.float64)
    n = np.where(np.asarray(trials) > 0, trials, np.nan)
    scale = 1 + Z * Z / n
    centre = (share + Z * Z / (2 * n)) / scale
    margin = Z * np.sqrt(np.maximum(share * (1 - share), 0.0) / n + Z * Z / (4 * n * n)) / scale
    return np.asarray(np.clip(centre - margin, 0.0, share)), np.asarray(np.clip(centre + margin, share, 1.0))
