"""Times that are out of range though time goes on: later, or earlier, than the time between two windows explains."""

from __future__ import annotations

import math
from collections.abc import Sequence

from monitoring_tasks.checks.unfamiliar import beyond_in_words, rows_beyond, shown_number
from monitoring_tasks.checks.wording import percent
from monitoring_tasks.profile import Bins, ColumnProfile
from monitoring_tasks.window import Window


def apart_from(window: Window, reference: Window | None) -> tuple[float, float]:
    """Return by how many seconds a window begins before its reference, and ends after it; 0 for not at all.

    Nothing is too late for a reference that has no time.

    Examples
    --------
    >>> apart_from(Window.parse("2013-04-02", "2013-04-03"), Window.parse("2013-03-01", "2013-04-01"))
    (0.0, 172800.0)
    """
    if reference is None:
        return 0.0, math.inf
    before, after = reference.start - window.start, window.end - reference.end
    return max(before.total_seconds(), 0.0), max(after.total_seconds(), 0.0)


def impossible_times(
    bins: Bins, reference: ColumnProfile, current: ColumnProfile, apart: tuple[float, float]
) -> tuple[tuple[int, int], tuple[str, str]]:
    """Return how many rows lie certainly before and after what the reference lets expect of a time, and say so.

    What is later than its latest time by no more than the time that passed is as new as ever: the time of an order, or
    that of a registration. How many rows of a bin are later than that, the sum of all values tells.

    Parameters
    ----------
    bins
        How the column is counted: of times.
    reference, current
        The column in the reference and in the window, both on these bins.
    apart
        See `apart_from`.

    Examples
    --------
    >>> bins = Bins("timestamp", edges=(0.0, 3600.0, 7200.0))
    >>> reference = ColumnProfile("asked", "timestamp", (0, 0, 50, 50, 0), 0.0, 7100.0, total=355_000.0)
    >>> current = ColumnProfile("asked", "timestamp", (0, 0, 0, 0, 10), 8000.0, 864e5, total=9 * 8000 + 864e5)
    >>> rows, words = impossible_times(bins, reference, current, (0.0, 7200.0))
    >>> rows
    (0, 1)
    >>> words[1].partition(", which ")[0]
    'at least 10 % of rows lie after 1970-01-01 03:58'
    """
    (below, above), (early, late) = rows_beyond(bins, reference, current), beyond_in_words(bins, reference, current)
    if apart[0] and below and reference.minimum is not None and current.minimum is not None:
        earliest = reference.minimum - apart[0]
        ends = [max(edge, earliest) for edge in (-math.inf, *bins.edges)]
        below = _rows_past(current, ends, current.minimum - earliest, bins.unit) if current.minimum < earliest else 0
        early = _in_words(below, current, f"before {_text(earliest)}", f"back to {_text(current.minimum)}")
    if apart[1] and above and reference.maximum is not None and current.maximum is not None:
        latest = reference.maximum + apart[1]
        ends = [min(edge, latest) for edge in (*bins.edges, math.inf)]
        above = _rows_past(current, ends, current.maximum - latest, bins.unit) if current.maximum > latest else 0
        late = _in_words(above, current, f"after {_text(latest)}", f"up to {_text(current.maximum)}")
    return (below, above), (early, late)


def _rows_past(current: ColumnProfile, ends: Sequence[float], reach: float, unit: float) -> int:
    """Return how many rows lie past a limit at least, if all others lie at these ends of their bins, or at the limit.

    One past it adds to the sum at most `reach`, by which the extreme is past it.
    """
    if current.total is None:
        return 1
    more = current.total - sum(rows * end for rows, end in zip(current.counts[1:], ends, strict=True) if rows)
    surely = abs(more) - current.rows * unit  # each value was rounded
    return max(1, math.ceil(surely / abs(reach))) if more * reach > 0 else 1


def _in_words(rows: int, current: ColumnProfile, past: str, reaching: str) -> str:
    if not rows:
        return ""
    share = percent(rows / current.rows)
    return f"at least {share} of rows lie {past}, which the time since the baseline does not explain ({reaching})"


def _text(seconds: float) -> str:
    return shown_number("timestamp", seconds)
