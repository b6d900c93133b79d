"""How long it may be quiet between rows that come at random."""

from __future__ import annotations


def longest_gap(rows: float, rate: float) -> float:
    """Return how long the longest gap of rows that come evenly at random is, but for a share `rate` of the windows.

    Of n points in an interval each of the n + 1 gaps is longer than the share g with probability (1 - g)^n [1]_; that
    one of them is, at most n + 1 times as often, and exactly from half of the interval on.

    Parameters
    ----------
    rows
        Expected in the window, at least 0.
    rate
        In (0, 1).

    Returns
    -------
    float
        As a share of the window, in (0, 1]: 1 where even the whole window is no surprise.

    References
    ----------
    .. [1] Fisher, R. A. (1929). Tests of significance in harmonic analysis. Proc. R. Soc. Lond. A, 125(796), 54-59.

    Examples
    --------
    Fisher's table: of five shares, the largest is above 0.6838 in 5 % of all cases.

    >>> round(longest_gap(4, 0.05), 4), longest_gap(0, 0.05)
    (0.6838, 1.0)
    """
    return 1 - (rate / (rows + 1)) ** (1 / rows) if rows > 0 else 1.0


def last_gap(rows: float, rate: float) -> float:
    """Return the same of one gap that was chosen before, as that from the last row to the window's end.

    Examples
    --------
    >>> round(last_gap(4, 0.05), 4), last_gap(0, 0.05)
    (0.5271, 1.0)
    """
    return 1 - rate ** (1 / rows) if rows > 0 else 1.0
