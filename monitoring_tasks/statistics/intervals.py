"""95 % intervals."""

from __future__ import annotations

import math

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""


def wilson_interval(successes: float, trials: float) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score method [1]_.

    Parameters
    ----------
    successes, trials
        Counts, ``0 <= successes <= trials``; of rows that hang together those of effective rows, which need not be
        whole.

    Returns
    -------
    tuple of float
        Lower and upper end, within [0, 1]; of no trials (0, 1).

    Raises
    ------
    ValueError
        If the counts are not of that order.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    Newcombe (1998), Statistics in Medicine 17, 857-872, table I: 81 of 263 and 0 of 20.

    >>> [round(end, 4) for end in wilson_interval(81, 263)]
    [0.2553, 0.3662]
    >>> [round(end, 4) for end in wilson_interval(0, 20)]
    [0.0, 0.1611]
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"`successes` must be between 0 and `trials`, not {successes} of {trials}")
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + Z * Z / (2 * trials)
    margin = Z * math.sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    scale = 1 + Z * Z / trials
    # Of none and of all the ends are 0 and 1 exactly, not to rounding: the share lies in its interval.
    lower = 0.0 if successes == 0 else max(0.0, (centre - margin) / scale)
    upper = 1.0 if successes == trials else min(1.0, (centre + margin) / scale)
    return lower, upper
