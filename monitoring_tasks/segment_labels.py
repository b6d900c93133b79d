"""What a segment of rows is called, for people to read. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring_tasks.profile import Bins
from monitoring_tasks.statistics.performance.weak_segments import SegmentGroup

NAMED_CATEGORIES = 5
"""Categories of a group that are named; of more the rest is counted."""


def segment_label(groups: Sequence[SegmentGroup], bins: Mapping[str, Bins]) -> str:
    """Return the groups' labels, joined by "and".

    Examples
    --------
    >>> bins = {"carrier": Bins("categorical", categories=("EV", "MQ")), "dep_hour": Bins("numeric", (5.0, 17.0, 20.0))}
    >>> segment_label([SegmentGroup("carrier", (1,)), SegmentGroup("dep_hour", (3,))], bins)
    'carrier=EV and dep_hour=[17,20)'
    """
    return " and ".join(group_label(group, bins[group.feature]) for group in groups)


def group_label(group: SegmentGroup, bins: Bins) -> str:
    """Return the name of some bins of a column: an interval of numbers or times, or categories.

    Parameters
    ----------
    group
        Of numbers, all bins between the first and the last belong to it.
    bins
        The column's.

    Examples
    --------
    >>> hours = Bins("numeric", (5.0, 11.0, 17.0, 20.0))
    >>> [group_label(SegmentGroup("hour", each), hours) for each in ((0,), (2,), (2, 4), (4, 5))]
    ['hour=(null)', 'hour=[5,11)', 'hour=[5,20)', 'hour=[17,inf)']
    >>> carriers = Bins("categorical", categories=("EV", "MQ", "UA"))
    >>> [group_label(SegmentGroup("carrier", each), carriers) for each in ((1,), (1, 2), (3, 5))]
    ['carrier=EV', 'carrier in (EV, MQ)', 'carrier in (UA, (unseen))']
    """
    labels = bins.labels()
    named = [labels[number] for number in group.bins]
    if len(named) == 1:
        return f"{group.feature}={named[0]}"
    if bins.kind == "categorical":
        more = len(named) - NAMED_CATEGORIES
        shown = named if more <= 1 else [*named[:NAMED_CATEGORIES], f"and {more} others"]
        return f"{group.feature} in ({', '.join(shown)})"
    if 0 in group.bins:
        return f"{group.feature}={named[0]} or {_joined(named[1], named[-1])}"
    return f"{group.feature}={_joined(named[0], named[-1])}"


def _joined(first: str, last: str) -> str:
    """Return the interval from the beginning of the first to the end of the last; a single number has no comma."""
    if first == last:
        return first
    low = first.partition(",")[0].removesuffix("]")
    high = last.rpartition(",")[2].removeprefix("[")
    return f"{low},{high}"
