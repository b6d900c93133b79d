"""A profile: what one window's rows become. Counts on the baseline's frozen bins, and a few sums.

Profiles are values. Two of them over neighbouring windows add up to the profile of both, because every window is
counted on the same bins and every sum is made of whole multiples of a power of two (see `Bins.unit`): counts and
extremes add up exactly, sums exactly to 2**53 units and beyond that to the last place of a double. Everything the
checks say follows from profiles, so that hour + hour = day holds for results too.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, reduce
from hashlib import sha256
from itertools import pairwise
from operator import add
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from monitoring_tasks.config.roles import ColumnType
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.statistics.drift.metric import Layout
from monitoring_tasks.statistics.homogeneity import ColumnDispersion
from monitoring_tasks.window import Window

Kind = Literal["numeric", "categorical", "timestamp"]

Dispersions = dict[float, dict[str, dict[str, ColumnDispersion]]]
"""By the length of a baseline's parts in seconds, then by segment ('' is all rows), then by column."""

NULL = "(null)"
OTHER = "(other)"
UNSEEN = "(unseen)"

NAMED = 20
"""Unseen values of one column and window that are named, at most: of more none is."""

NAME_LENGTH = 200
"""Characters that are kept of an unseen value's name."""

LARGEST = 1e308
"""Larger values are infinite to us: the largest double of all, which some write for infinity, has no edge above it."""


@dataclass(frozen=True)
class Bins:
    """How one column is counted: fixed when the baseline is made, and never again.

    A numeric column (and a timestamp, as seconds since 1970) is counted into ``[null, below, bin 1 ... bin k, above]``.
    Bin i is ``[edges[i-1], edges[i])``. The first edge is not above the baseline's smallest value and the last one is
    above its largest, so *below* and *above* are empty in the baseline and show what it never saw. NaN counts as null;
    infinities fall below and above.

    A categorical column is counted into ``[null, category 1 ... category k, other, unseen]``: *other* are values that
    the baseline knew but has no bin for, *unseen* those it did not know.
    """

    kind: Kind
    edges: tuple[float, ...] = ()
    """Ascending, finite; empty when the baseline held no value, and then every value counts as *above*."""
    categories: tuple[str, ...] = ()
    """By falling frequency in the baseline, ties in code-point order."""
    others: tuple[str, ...] = ()
    """Values the baseline knew that have no bin of their own; empty if `open_ended`."""
    open_ended: bool = False
    """The baseline held more values than can be listed: those not listed count as *other*, and *unseen* stays empty."""
    singletons: int = 0
    """Values that came once in the baseline: about so many rows of as many more would be of values not seen before."""
    exponent: int = 0
    """``2**exponent`` is the smallest power of two above the baseline's largest absolute value; from -400 to 400."""
    origin: float = 0.0
    """What is subtracted before a value is squared: the baseline's median if its values lie close together and far from
    zero, else 0. Squares of values about 1e8 have no digits left for a spread of 1."""
    spread_exponent: int = 0
    """With an origin: the same as `exponent`, of the distances to it."""

    def __len__(self) -> int:
        """Return the number of counts, the null bin included."""
        if self.kind == "categorical":
            return len(self.categories) + 3
        return max(len(self.edges), 1) + 2

    @property
    def layout(self) -> Layout:
        """How the counts are laid out; a time's are like a number's."""
        return "categorical" if self.kind == "categorical" else "numeric"

    @property
    def unit(self) -> float:
        """`ColumnProfile.total` counts in this power of two: 2**-42 of the baseline's largest absolute value.

        Values that are 2**63 units or more, two million times that largest value, are left out of the sum.
        """
        return math.ldexp(1.0, self.exponent - 42)

    @property
    def square_unit(self) -> float:
        """`ColumnProfile.total_squares` counts in this: 2**-42 of the square; leaves out 1,448 times the largest."""
        return math.ldexp(1.0, 2 * self.square_exponent - 42)

    @property
    def square_exponent(self) -> int:
        """``2**square_exponent`` is the power of two above the largest number that is squared."""
        return self.spread_exponent if self.origin else self.exponent

    def labels(self) -> tuple[str, ...]:
        """Name each bin as people read it, in the order of the counts.

        Edges have as many digits as tell neighbours apart, at least six and the same number in a whole column; those of
        a timestamp are UTC times to the minute, or as much finer.

        Examples
        --------
        >>> Bins("timestamp", (1364788800.0, 1364875200.0)).labels()[2]
        '[2013-04-01 04:00,2013-04-02 04:00)'
        """
        return self._labels

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        if self.kind == "categorical":
            return (NULL, *self.categories, OTHER, UNSEEN)
        if not self.edges:
            return (NULL, "(-inf,-inf)", "(-inf,inf)")
        alone = [just_above(low) == high for low, high in pairwise(self.edges)]
        inner: list[str] = []
        for texts in _texts(self.kind, self.edges):
            pairs = list(zip(alone, pairwise(texts), strict=True))
            inner = [f"[{low}]" if single else f"[{low},{high})" for single, (low, high) in pairs]
            if len(set(inner)) == len(inner) and all(single or low != high for single, (low, high) in pairs):
                break
        return (NULL, f"(-inf,{texts[0]})", *inner, f"[{texts[-1]},inf)")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; floats survive exactly."""
        if self.kind == "categorical":
            values = {"categories": list(self.categories), "others": list(self.others), "open_ended": self.open_ended}
            once = {"singletons": self.singletons} if self.singletons else {}
            return {"kind": self.kind, **values, **once}
        # Left out without one, so that a baseline keeps the id that it had before there were origins.
        origin = {"origin": self.origin, "spread_exponent": self.spread_exponent} if self.origin else {}
        return {"kind": self.kind, "edges": list(self.edges), "exponent": self.exponent, **origin}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Bins:
        """Undo `to_json`."""
        return cls(
            kind=values["kind"],
            edges=tuple(values.get("edges", ())),
            categories=tuple(values.get("categories", ())),
            others=tuple(values.get("others", ())),
            open_ended=values.get("open_ended", False),
            singletons=values.get("singletons", 0),
            exponent=values.get("exponent", 0),
            origin=values.get("origin", 0.0),
            spread_exponent=values.get("spread_exponent", 0),
        )


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one window, as counts and sums. Adds up."""

    column: str
    kind: Kind
    counts: tuple[int, ...]
    """Rows per bin, in the order `Bins` states; the null bin is the first."""
    minimum: float | None = None
    """Smallest finite value; None without one, and for a categorical column."""
    maximum: float | None = None
    total: float | None = None
    """Sum of the values that are not null; None without one and for a categorical column. See `Bins.unit`."""
    total_squares: float | None = None
    """Sum of the squares of their distances to `origin`; None as `total` is. See `Bins.square_unit`."""
    origin: float = 0.0
    """That of the bins."""
    unseen: tuple[tuple[str, int], ...] | None = ()
    """The values in the bin *unseen* with their rows, as `named_values` orders them: empty where there are none, and
    for a column that is not categorical; None where they are too many to name, or were not named when counted."""

    @property
    def rows(self) -> int:
        """Rows in the window, nulls included."""
        return sum(self.counts)

    @property
    def nulls(self) -> int:
        """Rows whose value is NULL or NaN."""
        return self.counts[0]

    @property
    def mean(self) -> float | None:
        """Mean of the values that are not null; None without one."""
        values = self.rows - self.nulls
        return None if self.total is None or values == 0 else self.total / values

    @property
    def standard_deviation(self) -> float | None:
        """Population standard deviation of the values that are not null; None without one."""
        values = self.rows - self.nulls
        mean = self.mean
        if mean is None or self.total_squares is None:
            return None
        return math.sqrt(max(self.total_squares / values - (mean - self.origin) ** 2, 0.0))

    def array(self) -> NDArray[np.int64]:
        """Return the counts as an array, shape ``(len(bins),)``."""
        return np.array(self.counts, dtype=np.int64)

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        """Return the profile of both windows' rows."""
        if (self.column, self.kind, len(self.counts)) != (other.column, other.kind, len(other.counts)):
            raise ValueError(
                f"profiles add up only on the same bins: {self.column!r} ({self.kind}, {len(self.counts)} bins) and "
                f"{other.column!r} ({other.kind}, {len(other.counts)} bins)"
            )
        if self.origin != other.origin:
            raise ValueError(
                f"profiles add up only on the same bins: the squares of {self.column!r} are of distances to "
                f"{self.origin!r} and to {other.origin!r}"
            )
        return replace(
            self,
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            minimum=_least(self.minimum, other.minimum),
            maximum=_greatest(self.maximum, other.maximum),
            total=_sum(self.total, other.total),
            total_squares=_sum(self.total_squares, other.total_squares),
            unseen=None if self.unseen is None or other.unseen is None else named_values(self.unseen + other.unseen),
        )

    def without(self, part: ColumnProfile) -> ColumnProfile | None:
        """Return the profile of these rows without those of a part of them; None if they hold no such part.

        The extremes stay: which rows had them is not known.
        """
        counts = tuple(a - b for a, b in zip(self.counts, part.counts, strict=True))
        if min(counts) < 0 or self.origin != part.origin:
            return None
        left = sum(counts[1:]) > 0
        return replace(
            self,
            counts=counts,
            total=_difference(self.total, part.total) if left else None,
            total_squares=_difference(self.total_squares, part.total_squares) if left else None,
        )


@dataclass(frozen=True)
class Profile:
    """All columns of one window, for all rows or one segment."""

    window: Window
    rows: int
    columns: Mapping[str, ColumnProfile]
    """By column name, in the monitor file's order."""
    segment: str = ""
    """``origin=JFK``, or empty for all rows."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Columns that could not be counted, with the reason, written for a person."""
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    """Of the columns above that the table has, their types in the warehouse; empty of a segment, and if not known."""

    def __add__(self, other: Profile) -> Profile:
        """Return the profile of the union of two neighbouring windows."""
        first, second = sorted((self, other), key=lambda profile: profile.window)
        if first.window.end != second.window.start or self.segment != other.segment:
            raise ValueError(
                f"profiles add up over neighbouring windows of one segment, not {first.window} {first.segment!r} and "
                f"{second.window} {second.segment!r}"
            )
        return Profile(
            window=Window(first.window.start, second.window.end),
            rows=first.rows + second.rows,
            columns={
                name: first.columns[name] + second.columns[name] for name in first.columns if name in second.columns
            },
            segment=self.segment,
            unreadable={**second.unreadable, **first.unreadable},
            types={**first.types, **second.types},
        )


def added(windows: Sequence[Sequence[Profile]]) -> tuple[Profile, ...]:
    """Add up neighbouring windows, segment by segment: the profiles of all rows and each segment of their union.

    A window without a row of a segment adds nothing to it.

    Parameters
    ----------
    windows
        Of each window the profile of all its rows, then those of its segments; in time order.
    """
    segments = dict.fromkeys(profile.segment for profiles in windows for profile in profiles)
    return tuple(reduce(add, (_of_segment(profiles, segment) for profiles in windows)) for segment in segments)


def _of_segment(profiles: Sequence[Profile], segment: str) -> Profile:
    by_segment = {profile.segment: profile for profile in profiles}
    if segment in by_segment:
        return by_segment[segment]
    whole = by_segment[""]
    none = {
        name: ColumnProfile(name, column.kind, (0,) * len(column.counts), origin=column.origin)
        for name, column in whole.columns.items()
    }
    return replace(whole, rows=0, columns=none, segment=segment, types={})


@dataclass(frozen=True)
class Baseline:
    """What windows are compared with: the frozen bins, and the reference rows counted on them."""

    monitor: str
    definition: Mapping[str, Any]
    """What the monitor file declares of it, and what was found when it was measured, as JSON values."""
    bins: Mapping[str, Bins]
    """By column name."""
    columns: Mapping[str, ColumnProfile]
    """The reference rows on those bins, all rows; of no rows for a column that is counted without a reference."""
    rows: int
    segments: Mapping[str, Mapping[str, ColumnProfile]] = field(default_factory=dict)
    """The same for each segment of the reference rows."""
    dispersions: Dispersions = field(default_factory=dict)
    """How much the parts of its period differ from each other; empty for a table, which has no times."""
    outcomes: OutcomeBins | None = None
    """How labels are counted; None of a monitor without them, or whose answers could not be read."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features when it was measured: those that the file names, or that ``'*'`` stood for."""
        return tuple(self.definition["features"])

    @property
    def types(self) -> Mapping[str, ColumnType]:
        """The types of the log's columns that the file names; empty if a version before 0008 measured it."""
        types: Mapping[str, ColumnType] = self.definition.get("types", {})
        return types

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Columns that were not counted when it was measured, with the reason, written for a person."""
        reasons: Mapping[str, str] = self.definition.get("unreadable", {})
        return reasons

    @cached_property
    def id(self) -> str:
        """A digest of the content: the same definition over the same rows has the same id, whenever it was read."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, enough for `from_json`."""
        return {
            "monitor": self.monitor,
            "definition": dict(self.definition),
            "rows": self.rows,
            "bins": {name: bins.to_json() for name, bins in self.bins.items()},
            "columns": {name: column_to_json(column) for name, column in self.columns.items()},
            "segments": {
                segment: {name: column_to_json(column) for name, column in columns.items()}
                for segment, columns in self.segments.items()
            },
            "dispersions": dispersions_to_json(self.dispersions),
            **({} if self.outcomes is None else {"outcomes": self.outcomes.to_json()}),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Baseline:
        """Undo `to_json`."""
        return cls(
            monitor=values["monitor"],
            definition=values["definition"],
            rows=values["rows"],
            bins={name: Bins.from_json(bins) for name, bins in values["bins"].items()},
            columns={name: column_from_json(name, column) for name, column in values["columns"].items()},
            segments={
                segment: {name: column_from_json(name, column) for name, column in columns.items()}
                for segment, columns in values["segments"].items()
            },
            dispersions=dispersions_from_json(values["dispersions"]),
            outcomes=OutcomeBins.from_json(values["outcomes"]) if values.get("outcomes") else None,
        )


def _texts(kind: Kind, edges: Sequence[float]) -> Iterator[list[str]]:
    """Write the edges shorter first; the last, of 17 digits, tells any two doubles apart."""
    if kind == "timestamp" and edges[0] >= _FIRST_SECOND and edges[-1] <= _LAST_SECOND:
        moments = [(_EPOCH + timedelta(seconds=edge)).replace(tzinfo=None) for edge in edges]
        for finest in ("minutes", "seconds", "microseconds"):
            yield [moment.isoformat(" ", finest) for moment in moments]
    for digits in range(6, 18):
        yield [f"{edge:.{digits}g}" for edge in edges]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = -62135596800.0
_LAST_SECOND = 253402300799.0
"""Those of the years 1 to 9999, which a datetime holds."""


def just_above(value: float) -> float:
    """Return the next float, or for values about zero one that every engine can read as a literal.

    Examples
    --------
    >>> just_above(1.0) - 1.0
    2.220446049250313e-16
    """
    return math.nextafter(value, math.inf) if abs(value) >= 1e-300 else 1e-300


def readable(text: str) -> str:
    """Replace the character NUL, which PostgreSQL keeps neither in text nor in JSON that it unpacks.

    Examples
    --------
    >>> readable("J\\0K")
    'J␀K'
    """
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def dispersions_to_json(dispersions: Dispersions) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        f"{seconds:g}": {
            segment: {name: each.to_json() for name, each in columns.items()} for segment, columns in segments.items()
        }
        for seconds, segments in dispersions.items()
    }


def dispersions_from_json(values: Mapping[str, Any]) -> Dispersions:
    """Undo `dispersions_to_json`."""
    return {
        float(seconds): {
            segment: {name: ColumnDispersion.from_json(each) for name, each in columns.items()}
            for segment, columns in segments.items()
        }
        for seconds, segments in values.items()
    }


def named_values(values: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...] | None:
    """Add up the rows of each value, under the name that is kept of it.

    A name is the value's first `NAME_LENGTH` characters, as `readable` writes them. Values that it does not tell apart
    are one from then on, so that what is named does not depend on the windows in which they were counted.

    Parameters
    ----------
    values
        Values with their rows, in any order; a value may come more than once.

    Returns
    -------
    tuple
        By falling rows, ties in code-point order; None if there are more than `NAMED` names.

    Examples
    --------
    >>> named_values([("ANC", 3), ("HDN", 6), ("ANC", 5)])
    (('ANC', 8), ('HDN', 6))
    """
    rows: Counter[str] = Counter()
    for value, count in values:
        rows[readable(value)[:NAME_LENGTH]] += count
    return tuple(sorted(rows.items(), key=lambda item: (-item[1], item[0]))) if len(rows) <= NAMED else None


def column_to_json(column: ColumnProfile) -> dict[str, Any]:
    """Return plain JSON values; floats survive exactly."""
    return {
        "kind": column.kind,
        "counts": list(column.counts),
        "minimum": column.minimum,
        "maximum": column.maximum,
        "total": column.total,
        "total_squares": column.total_squares,
        **({"origin": column.origin} if column.origin else {}),
        **({} if column.unseen == () else {"unseen": unseen_to_json(column.unseen)}),
    }


def unseen_to_json(unseen: tuple[tuple[str, int], ...] | None) -> list[list[Any]] | None:
    """Return the unseen values as a list of pairs."""
    return None if unseen is None else [[value, rows] for value, rows in unseen]


def column_from_json(name: str, values: Mapping[str, Any]) -> ColumnProfile:
    """Undo `column_to_json`."""
    unseen = values.get("unseen", ())
    return ColumnProfile(
        column=name,
        kind=values["kind"],
        counts=tuple(values["counts"]),
        minimum=values["minimum"],
        maximum=values["maximum"],
        total=values["total"],
        total_squares=values["total_squares"],
        origin=values.get("origin") or 0.0,
        unseen=None if unseen is None else tuple((value, rows) for value, rows in unseen),
    )


def _least(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else min(a, b)


def _greatest(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else max(a, b)


def _difference(whole: float | None, part: float | None) -> float | None:
    return whole if whole is None or part is None else whole - part


def _sum(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else a + b
