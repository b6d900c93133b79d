"""What moved, to look at: shares of the baseline beside those of the window, and a number's course. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitoring_tasks.alerts.message import Bars
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.profile import NULL, OTHER, UNSEEN, Bins, ColumnProfile

SHOWN = 12
"""Bars of a picture: so many a phone shows, and so many a person compares."""

NAMED = 3
"""Unseen values that a bar names."""

_WORDS = {NULL: "missing", OTHER: "rarer values", UNSEEN: "never seen before"}


@dataclass(frozen=True)
class _Bin:
    label: str
    before: int
    after: int


def share_bars(
    caption: str, bins: Bins, reference: ColumnProfile, current: ColumnProfile, baseline_name: str = "baseline"
) -> Bars | None:
    """Draw how the rows of a column are spread over its bins, in the baseline and in the window.

    Bins that hold nothing on either side at an end are left out. Of many bins of numbers neighbours are drawn as one;
    of many categories those that differ most are drawn, and the others as one.

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

    Returns
    -------
    Bars or None
        At most `SHOWN` bars; None where a side holds no rows or was counted on other bins.
    """
    before, after = reference.array(), current.array()
    if len(before) != len(bins) or len(after) != len(bins) or not before.sum() or not after.sum():
        return None
    named = [_Bin(*each) for each in zip(_labels(bins, current), before.tolist(), after.tolist(), strict=True)]
    drawn = _categories(named) if bins.kind == "categorical" else _intervals(named)
    return Bars(
        caption,
        tuple(each.label for each in drawn),
        tuple(each.before / int(before.sum()) for each in drawn),
        tuple(each.after / int(after.sum()) for each in drawn),
        int(before.sum()),
        int(after.sum()),
        baseline_name,
    )


def _labels(bins: Bins, current: ColumnProfile) -> list[str]:
    labels = [_WORDS.get(label, label) for label in bins.labels()]
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
    held = [each for each in bins if each.before or each.after]
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
    """Draw neighbours as one, so that few enough are left; nulls and what lies outside the edges stay by themselves."""
    null, below, *inner, above = bins
    outer = [each for each in (null, below, above) if each.before or each.after]
    together = -(-len(inner) // max(SHOWN - len(outer), 1))
    merged = [_as_one(inner[place : place + together]) for place in range(0, len(inner), max(together, 1))]
    first = [each for each in (null, below) if each in outer]
    return [*first, *merged, *(each for each in (above,) if each in outer)]


def _as_one(bins: Sequence[_Bin]) -> _Bin:
    first, last = bins[0].label, bins[-1].label
    label = first if len(bins) == 1 else f"{first.partition(',')[0].rstrip(']')},{last.rpartition(',')[2].lstrip('[')}"
    return _Bin(label, sum(each.before for each in bins), sum(each.after for each in bins))
