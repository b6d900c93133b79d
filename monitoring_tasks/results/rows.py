"""How values become rows of the results store, and rows values again. Pure: no database."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import numpy as np

from monitoring_tasks.checks.result import Result
from monitoring_tasks.errors import DataError
from monitoring_tasks.labelled_baseline import LabelledBaseline
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels, dense, sparse
from monitoring_tasks.labels_read import Place
from monitoring_tasks.outcome_bins import OutcomeBins
from monitoring_tasks.profile import (
    Baseline,
    Bins,
    ColumnProfile,
    Profile,
    column_from_json,
    column_to_json,
    dispersions_from_json,
    dispersions_to_json,
    readable,
    unseen_to_json,
)
from monitoring_tasks.traffic import Expected, Traffic
from monitoring_tasks.window import ALL_TIME, Schedule, Window

Row = dict[str, Any]


@dataclass(frozen=True)
class CheckRun:
    """A check that has written a window."""

    check_name: str
    state: Literal["done", "failed"]
    error: str | None = None
    """Why it failed."""
    config_hash: str | None = None
    """Of the monitor file it ran under; None if that is not known."""


@dataclass(frozen=True)
class LabelsState:
    """What is known of a window's labels without reading them."""

    digest: str
    """Of its stored labels, see `labels_digest`."""
    baseline_id: str
    rows: int | None
    """Rows whose label is known."""
    final: bool
    unreadable: str | None = None
    baseline_digest: str | None = None
    """Of the labels of the baseline's rows; None before they are complete."""


@dataclass(frozen=True)
class WindowState:
    """What a window can be closed from."""

    digest: str | None = None
    """Of its stored profile, see `profile_digest`; None without one, or if a version before 0002 wrote it."""
    baseline_id: str | None = None
    rows: int | None = None
    checks: tuple[CheckRun, ...] = ()
    """Those that have written since the profile was, by name."""
    labels: LabelsState | None = None
    """None of a window without labels."""


@dataclass(frozen=True)
class WindowRun:
    """How the latest run of a window ended. The only place where clocks are kept."""

    monitor: str
    window: Window
    state: Literal["done", "failed", "empty"]
    config_hash: str
    computed_at: datetime
    """Aware; kept in UTC."""
    rows: int | None = None
    label_rows: int | None = None
    """Rows whose label is known."""
    label_coverage: float | None = None
    """`label_rows` over `rows`, 0 to 1; None without labels or rows."""
    labels: Literal["provisional", "final"] | None = None
    baseline_id: str | None = None
    seconds: float | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        """Refuse a naive time; turn other zones into UTC."""
        if self.computed_at.tzinfo is None:
            raise ValueError(f"`computed_at` must have a time zone, not {self.computed_at.isoformat()}")
        object.__setattr__(self, "computed_at", self.computed_at.astimezone(UTC))


def window_key(monitor: str, window: Window) -> Row:
    """Return the columns that begin every windowed table's key."""
    return {"monitor": monitor, "window_start": window.start, "window_end": window.end}


def window_run_row(run: WindowRun) -> Row:
    """Return the row of `window_run`."""
    values = asdict(run)
    values.pop("window")
    return values | window_key(run.monitor, run.window)


def monitor_row(run: WindowRun, schedule: Schedule) -> Row:
    """Return the row of `monitor`: what the monitor file of this run says."""
    row = {"timezone": schedule.timezone, "schedule": schedule.expression, "config_hash": run.config_hash}
    return {"monitor": run.monitor} | row


def window_run_of(row: Mapping[str, Any]) -> WindowRun:
    """Undo `window_run_row`."""
    values = dict(row)
    return WindowRun(window=Window(values.pop("window_start"), values.pop("window_end")), **values)


def profile_rows(
    monitor: str, window: Window, profiles: Sequence[Profile], baseline_id: str, traffic: Traffic | None = None
) -> list[Row]:
    """Return one row per segment, and one per column of each; their order is kept in `position`.

    The traffic has a row of its own, see `traffic_row`; here it counts for the digest.

    Raises
    ------
    ValueError
        If the profiles are not those of `window`, or none of them is of all its rows.
    """
    segments = [profile.segment for profile in profiles]
    if "" not in segments or len(set(segments)) < len(segments):
        raise ValueError(f"a window's profiles are one of all rows and one per segment, not of {segments}")
    rows: list[Row] = []
    for profile in profiles:
        if profile.window != window:
            raise ValueError(f"a profile of {profile.window} cannot be written as one of {window}")
        key = window_key(monitor, window) | {"segment": _text(profile.segment), "baseline_id": baseline_id}
        rows.append(key | _no_column | {"rows": profile.rows})
        for name in {**profile.columns, **profile.unreadable}:
            found = profile.columns.get(name)
            values = _no_column if found is None else _column_row(found)
            about = {"unreadable": profile.unreadable.get(name), "type": profile.types.get(name)}
            rows.append(key | values | {"column_name": _text(name), **about})
    digest = profile_digest(profiles, baseline_id, traffic)
    for position, row in enumerate(rows):
        of_all_rows = row["segment"] == row["column_name"] == ""
        row |= {"position": position, "digest": digest if of_all_rows else None}
    return rows


def profile_digest(profiles: Sequence[Profile], baseline_id: str, traffic: Traffic | None = None) -> str:
    """Return 16 hex digits that differ whenever two profiles of a window, or their baselines or traffic, do.

    The same before it was stored and after, in every database: there whole numbers may come back as floats, and -0.0
    as 0.0.
    """
    content = [baseline_id, *(_plain_profile(profile) for profile in profiles)]
    content += [] if traffic is None else [repr(traffic)]
    return sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()[:16]


def _plain_profile(profile: Profile) -> list[Any]:
    sums = ("minimum", "maximum", "total", "total_squares")
    columns = [
        [
            *(column.column, column.kind, column.counts),
            *(_plus_zero(getattr(column, name)) for name in sums),
            *([float(column.origin)] if column.origin else []),
            *([] if column.unseen == () else [unseen_to_json(column.unseen)]),
        ]
        for column in profile.columns.values()
    ]
    types = [list(profile.types.items())] if profile.types else []
    return [profile.segment, profile.rows, columns, list(profile.unreadable.items()), *types]


def _plus_zero(number: float | None) -> float | None:
    return None if number is None else float(number) + 0.0


_no_column: Row = {
    "column_name": "",
    "kind": None,
    "rows": None,
    "nulls": None,
    "minimum": None,
    "maximum": None,
    "total": None,
    "total_squares": None,
    "origin": None,
    "counts": None,
    "unseen": None,
    "unreadable": None,
    "type": None,
}


def _column_row(column: ColumnProfile) -> Row:
    unseen = unseen_to_json(column.unseen) if column.kind == "categorical" else None
    return _no_column | column_to_json(column) | {"rows": column.rows, "nulls": column.nulls, "unseen": unseen}


def profiles_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Profile, ...]:
    """Undo `profile_rows`. The rows are one window's, in the order of `position`."""
    segments: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        segments.setdefault(row["segment"], []).append(row)
    return tuple(_profile(segment, found) for segment, found in segments.items())


def _profile(segment: str, rows: Sequence[Mapping[str, Any]]) -> Profile:
    whole, *columns = rows
    return Profile(
        window=Window(whole["window_start"], whole["window_end"]),
        rows=whole["rows"],
        columns={
            row["column_name"]: column_from_json(row["column_name"], {**row, "unseen": _unseen(row)})
            for row in columns
            if row["counts"] is not None
        },
        segment=segment,
        unreadable={row["column_name"]: row["unreadable"] for row in columns if row["unreadable"] is not None},
        types={row["column_name"]: row["type"] for row in columns if row["type"] is not None},
    )


def _unseen(row: Mapping[str, Any]) -> list[Any] | None:
    """Return the unseen values of a column's row: NULL means that they have no names only where there are any."""
    has_any = row["kind"] == "categorical" and row["counts"][-1] > 0
    return [] if row["unseen"] is None and not has_any else row["unseen"]


def traffic_row(monitor: str, traffic: Traffic, *, late_rows: int = 0, waiting: bool = False) -> Row:
    """Return the row of a window's traffic."""
    pause, expected = traffic.pause, traffic.expected or Expected()
    return window_key(monitor, traffic.window) | {
        "rows": traffic.rows,
        "first_at": traffic.first,
        "last_at": traffic.last,
        "pause_start": None if pause is None else pause.start,
        "pause_end": None if pause is None else pause.end,
        "parts": list(traffic.parts),
        "without_key": traffic.without_key,
        "repeats": traffic.repeats,
        "key_unreadable": traffic.key_unreadable,
        "repeated": [[_text(key), rows] for key, rows in traffic.repeated],
        "expected": expected.rows,
        "missing": expected.missing,
        "missing_keys": [_text(key) for key in expected.examples],
        "expected_unreadable": expected.unreadable,
        "late_rows": late_rows,
        "waiting": waiting,
    }


def traffic_of_row(row: Mapping[str, Any]) -> Traffic:
    """Undo `traffic_row`."""
    expected = Expected(row["expected"], row["missing"], tuple(row["missing_keys"]), row["expected_unreadable"])
    return Traffic(
        window=Window(row["window_start"], row["window_end"]),
        rows=row["rows"],
        first=row["first_at"],
        last=row["last_at"],
        pause=None if row["pause_start"] is None else Window(row["pause_start"], row["pause_end"]),
        parts=tuple(row["parts"]),
        without_key=row["without_key"],
        repeats=row["repeats"],
        key_unreadable=row["key_unreadable"],
        repeated=tuple((key, rows) for key, rows in row["repeated"]),
        expected=None if expected == Expected() else expected,
    )


def labels_rows(monitor: str, window: Window, labels: WindowLabels, baseline_id: str) -> list[Row]:
    """Return one row per segment, and one per column of each; their order is kept in `position`."""
    rows: list[Row] = []
    base = window_key(monitor, window) | {"baseline_id": baseline_id}
    nothing: Row = {"rows": None, "label_rows": None}
    for profile in labels.profiles:
        key = base | nothing | {"segment": _text(profile.segment)}
        whole = {"rows": profile.rows, "label_rows": profile.labelled}
        rows.append(key | whole | {"column_name": "", "counts": profile.to_json()})
        for name, counts in profile.columns.items():
            rows.append(key | {"column_name": _text(name), "counts": sparse(counts)})
    for position, row in enumerate(rows):
        row["position"] = position
    return rows


def window_labels_row(
    monitor: str,
    window: Window,
    labels: WindowLabels,
    baseline_id: str,
    *,
    waiting: bool = False,
    place: Place | None = None,
) -> Row:
    """Return what is known of a window's labels without their counts."""
    whole = labels.profiles[0] if labels.profiles else None
    return window_key(monitor, window) | {
        "rows": None if whole is None else whole.rows,
        "label_rows": None if whole is None else whole.labelled,
        "final": labels.final,
        "arrived": labels.arrived,
        "unknown": labels.unknown,
        "unreadable": labels.unreadable,
        **_times(labels),
        "waiting": waiting,
        **place_row(place),
        "digest": labels_digest(labels, baseline_id),
        "baseline_id": baseline_id,
    }


def place_row(place: Place | None) -> Row:
    """Return the columns that say how far the labels had come."""
    return {
        "read_through": None if place is None else place.latest,
        "read_labels": None if place is None else place.labels,
    }


def place_of(read_through: datetime | None, read_labels: int | None) -> Place | None:
    """Undo `place_row`."""
    return None if read_through is None else Place(read_through, read_labels or 0)


def _times(labels: WindowLabels) -> Row:
    """Return the columns of what is known of the times of arrival."""
    return {"latest": labels.latest, "untimed": labels.untimed, "future": labels.future}


def labels_digest(labels: WindowLabels, baseline_id: str) -> str:
    """Return 16 hex digits that differ whenever two labels of a window, or their baselines, do."""
    head = [baseline_id, labels.final, labels.unreadable, labels.arrived, labels.unknown]
    head += [labels.latest and labels.latest.isoformat(), labels.untimed, labels.future]
    digest = sha256(json.dumps(head).encode())
    for profile in labels.profiles:
        filled = np.flatnonzero(profile.cells)
        units = [[int(each[cell]) for cell in filled] for each in profile.units.values()]
        names = [profile.segment, profile.repeated, profile.corrected, *profile.columns, units]
        digest.update(json.dumps(names, separators=(",", ":")).encode())
        arrays = (profile.cells, profile.delays, profile.parts, profile.class_scores, *profile.columns.values())
        for array in arrays:
            # The bytes of an array say nothing of where it ends, nor whether there is one.
            digest.update(b"none" if array is None else repr(array.shape).encode() + array.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def labels_of(
    known: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    bins: Mapping[str, Bins],
    outcomes: OutcomeBins | None,
) -> WindowLabels:
    """Undo `window_labels_row` and `labels_rows`. The rows are one window's, in the order of `position`."""
    profiles = () if outcomes is None else label_profiles_of(rows, bins, outcomes)
    return WindowLabels(
        profiles,
        bool(known["final"]),
        *(known[name] for name in ("unreadable", "arrived", "unknown", "latest", "untimed", "future")),
    )


def label_profiles_of(
    rows: Sequence[Mapping[str, Any]], bins: Mapping[str, Bins], outcomes: OutcomeBins
) -> tuple[LabelsProfile, ...]:
    """Undo `labels_rows` alone: what became of all rows, and of those of each segment."""
    if not rows:
        return ()
    window = Window(rows[0]["window_start"], rows[0]["window_end"])
    segments: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        segments.setdefault(row["segment"], []).append(row)
    return tuple(
        LabelsProfile.from_json(
            window,
            segment,
            outcomes,
            whole["counts"],
            {
                row["column_name"]: dense(row["counts"], (len(bins[row["column_name"]]), outcomes.outcomes))
                for row in columns
                if row["column_name"] in bins
            },
        )
        for segment, (whole, *columns) in segments.items()
        if whole["counts"] is not None
    )


def labelled_baseline_row(
    monitor: str,
    baseline_id: str,
    baseline: LabelledBaseline,
    *,
    until: datetime | None = None,
    place: Place | None = None,
) -> Row:
    """Return the row of `labelled_baseline`."""
    profiles, parts = baseline.to_json()
    counts = {"rows": baseline.whole.rows, "label_rows": baseline.whole.labelled}
    content = json.dumps([baseline_id, profiles, parts], separators=(",", ":"))
    return {
        "baseline_id": baseline_id,
        "monitor": monitor,
        "profile": profiles,
        "parts": parts,
        **counts,
        "digest": sha256(content.encode()).hexdigest()[:16],
        "labels_until": until,
        **place_row(place),
    }


def labelled_baseline_of(row: Mapping[str, Any], baseline: Baseline) -> LabelledBaseline:
    """Undo `labelled_baseline_row`."""
    assert baseline.outcomes is not None
    period = baseline.definition.get("period")
    window = ALL_TIME if period is None else Window.parse(*period)
    sizes = {name: len(bins) for name, bins in baseline.bins.items()}
    return LabelledBaseline.from_json(window, baseline.outcomes, sizes, row["profile"], row["parts"])


def baseline_row(baseline: Baseline, definition_hash: str) -> Row:
    """Return the row of `baseline`. Every segment's counts stand in `profile`, those of all rows under ''."""
    profile = {"": baseline.columns, **baseline.segments}
    return {
        "baseline_id": baseline.id,
        "monitor": baseline.monitor,
        "definition": dict(baseline.definition),
        "definition_hash": definition_hash,
        "bins": {name: bins.to_json() for name, bins in baseline.bins.items()},
        "profile": {
            _text(segment): {_text(name): column_to_json(column) for name, column in columns.items()}
            for segment, columns in profile.items()
        },
        "dispersions": dispersions_to_json(baseline.dispersions),
        "outcomes": None if baseline.outcomes is None else baseline.outcomes.to_json(),
        "rows": baseline.rows,
    }


def baseline_bin_rows(baseline: Baseline) -> list[Row]:
    """Return the rows of `baseline_bin`: every bin's name, rows and share, for all rows and each segment."""
    return [
        {
            "baseline_id": baseline.id,
            "segment": segment,
            "column_name": name,
            "bin_index": index,
            "label": readable(label),
            "rows": count,
            "share": count / column.rows if column.rows else None,
        }
        for segment, columns in {"": baseline.columns, **baseline.segments}.items()
        for name, column in columns.items()
        for index, (label, count) in enumerate(zip(baseline.bins[name].labels(), column.counts, strict=True))
    ]


def baseline_of(row: Mapping[str, Any]) -> Baseline:
    """Undo `baseline_row`."""
    segments = {
        segment: {name: column_from_json(name, column) for name, column in columns.items()}
        for segment, columns in row["profile"].items()
    }
    return Baseline(
        monitor=row["monitor"],
        definition=row["definition"],
        bins={name: Bins.from_json(bins) for name, bins in row["bins"].items()},
        columns=segments.pop(""),
        rows=row["rows"],
        segments=segments,
        dispersions=dispersions_from_json(row["dispersions"] or {}),
        outcomes=None if row["outcomes"] is None else OutcomeBins.from_json(row["outcomes"]),
    )


def result_rows(monitor: str, window: Window, check: str, results: Sequence[Result]) -> list[Row]:
    """Return one row per result.

    A number that is not finite becomes NULL, which is how the store says "not measured": a database would keep NaN or
    refuse it, and every mean over it would be lost. If it is the value, the message says what it was.

    Raises
    ------
    DataError
        If two results have the same key.
    """
    key = window_key(monitor, window) | {"check_name": check}
    rows: list[Row] = []
    seen = set()
    for result in results:
        name = (result.metric, result.column_name, result.segment)
        if name in seen:
            raise DataError(
                f"check {check!r} returned metric {result.metric!r} of column {result.column_name!r} and segment "
                f"{result.segment!r} twice: return each once"
            )
        seen.add(name)
        rows.append(key | _result_row(result))
    return rows


def _result_row(result: Result) -> Row:
    message = result.message
    if result.value is not None and not math.isfinite(result.value):
        message = f"{message} ({result.metric} came out as {result.value}: not measured)".strip()
    return {
        "metric": _text(result.metric),
        "column_name": _text(result.column_name),
        "segment": _text(result.segment),
        "value": _number(result.value),
        "value_lower": _number(result.value_lower),
        "value_upper": _number(result.value_upper),
        "p_value": _number(result.p_value),
        "threshold_lower": _number(result.threshold_lower),
        "threshold_upper": _number(result.threshold_upper),
        "baseline_rows": None if result.baseline_rows is None else int(result.baseline_rows),
        "window_rows": None if result.window_rows is None else int(result.window_rows),
        "status": result.decided(),
        "message": readable(message),
        "detail": plain(dict(result.detail)),
    }


def plain(value: Any) -> Any:
    """Return `value` as JSON values: arrays as lists, numpy numbers as Python's, what is not finite as None.

    Examples
    --------
    >>> plain({"share": np.float64(0.5), "counts": np.array([1, 2]), "ratio": math.nan})
    {'share': 0.5, 'counts': [1, 2], 'ratio': None}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return readable(value)
    return value


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _text(name: str) -> str:
    if "\0" in name:
        raise DataError(f"{name!r} holds the character NUL, which SQL text cannot: clean it in the warehouse")
    return name
