"""What went wrong most: error texts, of which those that differ in numbers and quoted parts alone are one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitoring_tasks.error_template import template
from monitoring_tasks.profile import Bins, ColumnProfile

TOP = 5
"""Errors that are named, at most."""


@dataclass(frozen=True)
class Errors:
    """The errors of a window."""

    top: tuple[tuple[str, int], ...]
    """Templates with their rows, by falling rows, ties in code-point order; at most `TOP`."""
    kinds: int
    """How many templates there are."""
    unnamed: int
    """Rows whose text is not known: rarer ones, and new ones where those are too many to name."""


def errors_of(bins: Bins, column: ColumnProfile) -> Errors:
    """Return the errors of a window by the column that holds their texts.

    Parameters
    ----------
    bins
        How it is counted; of a category.
    column
        The window's counts.

    Examples
    --------
    >>> bins = Bins("categorical", categories=("no answer within 2000 ms", "no answer within 500 ms"))
    >>> errors_of(bins, ColumnProfile("error", "categorical", (90, 3, 2, 1, 4), unseen=(("out of memory", 4),)))
    Errors(top=(('no answer within # ms', 5), ('out of memory', 4)), kinds=2, unnamed=1)
    """
    texts = [*zip(bins.categories, column.counts[1:], strict=False), *(column.unseen or ())]
    others, new = column.counts[-2:]
    rows = _added((template(text), count) for text, count in texts if count)
    named = sum(count for _, count in column.unseen or ())
    top = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return Errors(tuple(top[:TOP]), len(top), others + new - named)


def _added(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for name, count in rows:
        total[name] = total.get(name, 0) + count
    return total
