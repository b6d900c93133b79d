"""What a window holds that its baseline never saw: categories by name, and values beyond the extremes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from monitoring_tasks.checks.wording import number, percent
from monitoring_tasks.profile import NAMED, Bins, ColumnProfile, Kind, just_above

NAMES = 3
"""Values that a message names, at most."""

LONGEST = 40
"""Characters of a value that a message shows."""


def unfamiliar(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> str:
    """Say which values of the window its baseline never saw, and how many rows hold them.

    The reference decides, not the bins alone: what it has no row of is unfamiliar, be it that of a segment or of a
    moving baseline. Only rows that are certainly beyond its extremes count; if there may be more, the share is
    "at least".

    Parameters
    ----------
    bins
        How the column is counted.
    reference, current
        The column in the baseline and in the window, both on these bins.

    Returns
    -------
    str
        A phrase without a full stop. Empty if there is nothing to say, or the reference holds no value.

    Examples
    --------
    >>> bins = Bins("categorical", categories=("AA", "UA"))
    >>> reference = ColumnProfile("carrier", "categorical", (0, 60, 40, 0, 0))
    >>> current = ColumnProfile("carrier", "categorical", (0, 486, 500, 0, 14), unseen=(("ANC", 8), ("HDN", 6)))
    >>> unfamiliar(bins, reference, current)
    '1.4 % of rows hold values never seen in the baseline: ANC (0.8 %), HDN (0.6 %)'
    """
    if current.rows == 0 or reference.rows == reference.nulls:
        return ""
    if bins.kind == "categorical":
        return _categories(bins, reference, current)
    return "; ".join(filter(None, beyond_in_words(bins, reference, current)))


def rows_unseen(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> int:
    """Return how many rows of the window certainly hold a category that its baseline never saw.

    Parameters
    ----------
    bins
        How the column is counted.
    reference, current
        The column in the baseline and in the window, both on these bins.

    Examples
    --------
    >>> bins = Bins("categorical", categories=("AA", "UA"))
    >>> reference = ColumnProfile("carrier", "categorical", (0, 60, 0, 0, 0))
    >>> rows_unseen(bins, reference, ColumnProfile("carrier", "categorical", (0, 486, 5, 0, 14), unseen=(("B6", 14),)))
    19
    """
    new, unnamed = _new_values(bins, reference, current)
    return sum(count for _, count in new) + unnamed


def rows_beyond(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> tuple[int, int]:
    """Return how many rows of the window certainly lie below the smallest and above the largest value of its baseline.

    Parameters
    ----------
    bins
        How the column is counted: of numbers or times.
    reference, current
        The column in the baseline and in the window, both on these bins.

    Returns
    -------
    tuple of int
        Infinite values count; rows of bins that reach across an extreme do not. (0, 0) if the baseline has no value.

    Examples
    --------
    >>> bins = Bins("numeric", edges=(0.0, 5.0, just_above(9.0)))
    >>> reference = ColumnProfile("x", "numeric", (0, 0, 60, 40, 0), 0.0, 9.0)
    >>> rows_beyond(bins, reference, ColumnProfile("x", "numeric", (0, 3, 50, 40, 7), -1.0, 11.0))
    (3, 7)
    """
    if not bins.edges or reference.minimum is None or reference.maximum is None:
        return 0, 0
    below, above = (
        sum(rows for rows, beyond in zip(current.counts[1:], its, strict=True) if beyond)
        for its in (_below(bins, reference, reference.minimum), _above(bins, reference, reference.maximum))
    )
    return below, above


def _below(bins: Bins, reference: ColumnProfile, minimum: float) -> list[bool]:
    """Tell of each bin but that of nulls whether all of its rows lie below the smallest value."""
    upper = (*bins.edges, math.inf)
    return [high <= minimum and not rows for high, rows in zip(upper, reference.counts[1:], strict=True)]


def _above(bins: Bins, reference: ColumnProfile, maximum: float) -> list[bool]:
    lower = (-math.inf, *bins.edges)
    return [low > maximum and not rows for low, rows in zip(lower, reference.counts[1:], strict=True)]


def _new_values(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> tuple[list[tuple[str, int]], int]:
    """Return the values that the baseline never saw, with their rows, and the rows of those that have no name."""
    new = [
        (category, now)
        for category, before, now in zip(bins.categories, reference.counts[1:], current.counts[1:], strict=False)
        if now and not before
    ]
    others = current.counts[-2]
    if others and not reference.counts[-2]:
        new.append((bins.others[0] if len(bins.others) == 1 else "rarer values", others))
    unnamed = 0
    if current.unseen is None:
        unnamed = 0 if reference.counts[-1] else current.counts[-1]
    elif reference.unseen is not None:
        known = {value for value, _ in reference.unseen}
        new += [(value, count) for value, count in current.unseen if value not in known]
    return new, unnamed


def _categories(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> str:
    new, unnamed = _new_values(bins, reference, current)
    total = sum(count for _, count in new) + unnamed
    if not total:
        return ""
    new.sort(key=lambda item: (-item[1], item[0]))
    what = "a value" if len(new) == 1 and not unnamed else "values"
    text = f"{percent(total / current.rows)} of rows hold {what} never seen in the baseline"
    listed = [f"{shown(name)} ({percent(count / current.rows)})" for name, count in new[:NAMES]]
    if what == "a value":
        listed = [shown(new[0][0])]
    if unnamed > NAMED:
        return f"{text}: {', '.join(listed)} and more, too many to name" if listed else f"{text}: too many to name"
    if not listed:  # a version that kept no names counted them
        return text
    more = len(new) - NAMES
    return f"{text}: {', '.join(listed)}" + (f" and {more} more" if more > 0 else "")


def shown(value: str) -> str:
    """Write a value so that it can be told from the sentence around it, and does not fill it."""
    text = value if value.isprintable() and value.strip() == value != "" else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def beyond_in_words(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> tuple[str, str]:
    """Return the phrases for the values below the baseline's smallest and above its largest; empty for none.

    Parameters
    ----------
    bins, reference, current
        As of `rows_beyond`.

    Examples
    --------
    >>> bins = Bins("numeric", edges=(0.0, 5.0, just_above(9.0)))
    >>> reference = ColumnProfile("x", "numeric", (0, 0, 60, 40, 0), 0.0, 9.0)
    >>> beyond_in_words(bins, reference, ColumnProfile("x", "numeric", (0, 0, 50, 43, 7), 1.0, 11.0))
    ('', '7 % of rows lie above 9, the largest value of the baseline (up to 11)')
    """
    if not bins.edges or reference.minimum is None or reference.maximum is None:
        return "", ""
    return _below_in_words(bins, reference, reference.minimum, current), _above_in_words(
        bins, reference, reference.maximum, current
    )


def _below_in_words(bins: Bins, reference: ColumnProfile, minimum: float, current: ColumnProfile) -> str:
    beyond, across = _below(bins, reference, minimum), [low < minimum for low in (-math.inf, *bins.edges)]
    share = _share(beyond, across, current.counts[1:], current.rows)
    if not share:
        return ""
    reached = current.minimum if current.minimum is not None and current.minimum < minimum else None
    verb, name = ("before", "earliest time") if bins.kind == "timestamp" else ("below", "smallest value")
    extreme, farthest = _apart(bins.kind, minimum, reached)
    infinite = current.counts[1] > 0 and (current.minimum is None or current.minimum >= bins.edges[0])
    back = "back to" if bins.kind == "timestamp" else "down to"
    tail = _tail(f"{back} {farthest}" if reached is not None else "", infinite and beyond[0])
    return f"{share} of rows lie {verb} {extreme}, the {name} of the baseline{tail}"


def _above_in_words(bins: Bins, reference: ColumnProfile, maximum: float, current: ColumnProfile) -> str:
    beyond, across = _above(bins, reference, maximum), [high > just_above(maximum) for high in (*bins.edges, math.inf)]
    share = _share(beyond, across, current.counts[1:], current.rows)
    if not share:
        return ""
    reached = current.maximum if current.maximum is not None and current.maximum > maximum else None
    verb, name = ("after", "latest time") if bins.kind == "timestamp" else ("above", "largest value")
    extreme, farthest = _apart(bins.kind, maximum, reached)
    infinite = current.counts[-1] > 0 and (current.maximum is None or current.maximum < bins.edges[-1])
    tail = _tail(f"up to {farthest}" if reached is not None else "", infinite and beyond[-1])
    return f"{share} of rows lie {verb} {extreme}, the {name} of the baseline{tail}"


def _share(beyond: Sequence[bool], across: Sequence[bool], rows: Sequence[int], total: int) -> str:
    """Return the share of the rows in the bins beyond an extreme; empty if there are none.

    Rows of other bins that reach across the extreme may be beyond it or not.
    """
    certain = sum(count for count, is_beyond in zip(rows, beyond, strict=True) if is_beyond)
    if not certain:
        return ""
    perhaps = any(
        count and reaches and not is_beyond for count, reaches, is_beyond in zip(rows, across, beyond, strict=True)
    )
    return ("at least " if perhaps else "") + percent(certain / total)


def _tail(reach: str, infinite: bool) -> str:
    parts = [reach] * bool(reach) + ["infinite values"] * bool(infinite)
    return f" ({' and '.join(parts)})" if parts else ""


def _apart(kind: Kind, extreme: float, reached: float | None) -> tuple[str, str]:
    """Write two numbers, or times, as short as tells them apart."""
    if reached is None:
        return next(_texts(kind, extreme)), ""
    pairs = zip(_texts(kind, extreme), _texts(kind, reached), strict=True)
    return next((pair for pair in pairs if pair[0] != pair[1]), (repr(extreme), repr(reached)))


def shown_number(kind: Kind, value: float) -> str:
    """Write a number, or a time, as short as people do.

    Examples
    --------
    >>> shown_number("numeric", 2071.3), shown_number("timestamp", 1364788800.0)
    ('2,071', '2013-04-01 04:00')
    """
    return next(_texts(kind, value))


def _texts(kind: Kind, value: float) -> Iterator[str]:
    """Write a number ever longer, each time with as many digits as any other number."""
    moment = _moment(value) if kind == "timestamp" else None
    for digits in range(14):
        if moment is not None:
            yield moment.isoformat(" ", ("minutes", "seconds", "microseconds")[min(digits, 2)])
        elif abs(value) >= 1e15:
            yield f"{value:.{digits + 2}e}"
        elif digits == 0:
            yield number(value)
        else:
            yield f"{value:,.{digits}f}" if abs(value) >= 999.5 else f"{value:.{digits + 3}g}"


def _moment(seconds: float) -> datetime | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    except OverflowError:
        return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
