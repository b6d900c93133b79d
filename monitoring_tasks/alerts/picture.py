"""What moved, to look at: shares of the baseline beside those of the window, and a number's course. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from monitoring_tasks.alerts.message import Bars
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.profile import NULL, OTHER, UNSEEN, Bins, ColumnProfile

SHOWN = 12
"""Bars of a picture: so many a phone shows, and so many a person compares."""

NAMED = 3
"""Unseen values that a bar names."""

MOVED = 4.0
"""How much more a difference in what moved counts than the rows that a bar holds."""

_DECIMAL = re.compile(r"-?\d+\.\d+(e[+-]\d+)?(?![\d:])")

_WORDS = {NULL: "missing", OTHER: "rarer values", UNSEEN: "never seen before"}


@dataclass(frozen=True)
class _Bin:
    label: str
    before: int
    after: int

    @property
    def is_empty(self) -> bool:
        return not self.before and not self.after


def share_bars(
    caption: str,
    bins: Bins,
    reference: ColumnProfile,
    current: ColumnProfile,
    baseline_name: str = "baseline",
    window_name: str = "window",
) -> Bars | None:
    """Draw how the rows of a column are spread over its bins, in the baseline and in the window.

    Bins at an end that hold nothing on either side are left out. Of many bins of numbers neighbours that hold little
    are drawn as one; of many categories those that differ most are drawn, and the others as one.

    Parameters
    ----------
    caption
        What it shows.
    bins
        Those of the column.
    reference, current
        Counts of what the window is compared with, and of the window.
    baseline_name
        What the window is compared with, in words.
    window_name
        Which window it is.

    Returns
    -------
    Bars or None
        At most `SHOWN` bars; None where a side holds no rows or was counted on other bins.
    """
    before, after = reference.array(), current.array()
    if len(before) != len(bins) or len(after) != len(bins) or not before.sum() or not after.sum():
        return None
    named = [
        _Bin(*each) for each in zip(_labels(bins, reference, current), before.tolist(), after.tolist(), strict=True)
    ]
    drawn = _categories(named) if bins.kind == "categorical" else _intervals(named)
    return Bars(
        caption,
        tuple(each.label for each in drawn),
        tuple(each.before / int(before.sum()) for each in drawn),
        tuple(each.after / int(after.sum()) for each in drawn),
        int(before.sum()),
        int(after.sum()),
        baseline_name,
        window_name,
    )


def height(value: float, low: float, high: float) -> float:
    """Return where a value stands between two others, from 0 to 1; halves, because a difference may be infinite.

    Examples
    --------
    >>> height(0.25, 0.0, 1.0), height(5.0, 5.0, 5.0), height(0.0, -1.7e308, 1.7e308)
    (0.25, 0.5, 0.5)
    """
    return (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5


def _labels(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> list[str]:
    labels = [_WORDS.get(label, label) for label in bins.labels()]
    if bins.kind == "categorical" and reference.counts[-1]:  # earlier windows know what the bins do not
        labels[-1] = "newer values"
    if bins.kind == "categorical" and current.unseen:
        names = [value for value, _ in current.unseen]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        labels[-1] += f": {', '.join(names[:NAMED])}{more}"
    elif bins.edges:
        low, high = labels[1].removeprefix("(-inf,").removesuffix(")"), labels[-1].removeprefix("[").partition(",")[0]
        labels[1], labels[-1] = f"below {low}", f"from {high} on"
    elif bins.kind != "categorical":
        labels[-1] = "any value"
    return labels


def _categories(bins: Sequence[_Bin]) -> list[_Bin]:
    """Keep those that differ most, in their order, and add up the rest."""
    held = [each for each in bins if not each.is_empty]
    if len(held) <= SHOWN:
        return held
    before, after = (np.array([getattr(each, side) for each in held], dtype=float) for side in ("before", "after"))
    moved = np.abs(before / before.sum() - after / after.sum())
    kept = set(np.argsort(-moved, kind="stable")[: SHOWN - 1].tolist())
    rest = [each for place, each in enumerate(held) if place not in kept]
    shown = [each for place, each in enumerate(held) if place in kept]
    others = f"{counted(len(rest), 'other value')}"
    return [*shown, _Bin(others, sum(each.before for each in rest), sum(each.after for each in rest))]


def _intervals(bins: Sequence[_Bin]) -> list[_Bin]:
    """Draw neighbours that hold least as one, until few enough are left; what is no interval stays by itself."""
    null, below, *inner, above = bins
    while inner and inner[0].is_empty:
        inner = inner[1:]
    while inner and inner[-1].is_empty:
        inner = inner[:-1]
    first, last = ([each for each in side if not each.is_empty] for side in ((null, below), (above,)))
    before, after = (max(sum(getattr(each, side) for each in bins), 1) for side in ("before", "after"))
    while len(inner) > max(SHOWN - len(first) - len(last), 1):
        costs = [_cost(low, high, before, after) for low, high in pairwise(inner)]
        least = costs.index(min(costs))
        inner[least : least + 2] = [_as_one(*inner[least : least + 2])]
    return [*first, *_rounded(inner), *last]


def _cost(low: _Bin, high: _Bin, before: int, after: int) -> float:
    """Return what drawing two neighbours as one hides: their rows, and more so that they moved differently."""
    held = sum(each.before / before + each.after / after for each in (low, high))
    low_moved, high_moved = (each.after / after - each.before / before for each in (low, high))
    differently = 0.0 if low.is_empty or high.is_empty else abs(low_moved - high_moved)
    return held + MOVED * differently


def _as_one(low: _Bin, high: _Bin) -> _Bin:
    label = f"{low.label.partition(',')[0].rstrip(']')},{high.label.rpartition(',')[2].lstrip('[')}"
    return _Bin(label, low.before + high.before, low.after + high.after)


def _rounded(bins: Sequence[_Bin]) -> list[_Bin]:
    """Write edges with so many digits as a picture needs, where that still tells the bins apart."""
    for digits in (3, 4, 5):
        labels = [_DECIMAL.sub(partial(_short, digits), each.label) for each in bins]
        ends = [label.strip("[]()").split(",") for label in labels]
        if len(set(labels)) == len(labels) and all(len(set(pair)) == len(pair) for pair in ends):
            return [replace(each, label=label) for each, label in zip(bins, labels, strict=True)]
    return list(bins)


def _short(digits: int, found: re.Match[str]) -> str:
    value = float(found[0])
    return f"{value:.0f}" if 10**digits <= abs(value) < 1e9 else f"{value:.{digits}g}"
