"""What the keys of a monitor file say about each other.

Each rule looks at the parts that are valid by themselves, so that it speaks up although another part is broken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median_low
from typing import Any

from monitoring_tasks.config.checks import (
    LARGEST_SIZE,
    Checks,
    DriftSettings,
)
from monitoring_tasks.config.contradiction import Contradiction
from monitoring_tasks.config.document import KeyPath
from monitoring_tasks.config.models import (
    RETRAINING,
    AlertRule,
    Baseline,
    InferenceLog,
    Labels,
    Retraining,
    Seasonal,
    When,
)
from monitoring_tasks.config.performance_consistency import performance_contradictions
from monitoring_tasks.config.placeholders import PLACEHOLDERS, named_in
from monitoring_tasks.config.problem import suggestion
from monitoring_tasks.errors import ConfigError
from monitoring_tasks.look_back import CYCLES, MINIMUM_BAND_WINDOWS, MINIMUM_WINDOWS, look_back_start, place_in
from monitoring_tasks.window import Schedule, Window, format_duration


def contradictions(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """Yield what is wrong between the parts of a monitor, `found` by their names."""
    yield from _times(found)
    yield from _moving_baseline(found)
    yield from _thresholds(found)
    yield from _bands(found)
    yield from _traffic(found)
    yield from _columns(found)
    yield from _task(found)
    yield from performance_contradictions(found)
    yield from _check_names(found)
    yield from _importance(found)
    yield from _references(found)
    yield from _placeholders(found)


def _times(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    baseline: Baseline | None = found.get("baseline")
    if baseline is None or baseline.period is None:
        return
    end: KeyPath = ("baseline", "period", "end")
    if baseline.period.start >= baseline.period.end:
        yield Contradiction(
            end, "{value} is not after `start`, {baseline.period.start}", "end the baseline after its start"
        )
    elif "start" in found and baseline.period.end > found["start"]:
        yield Contradiction(
            end,
            "{value} is after the first window's `start` {start}: windows would be part of their own baseline",
            "end the baseline by then, or start later",
        )


def _moving_baseline(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A moving or seasonal baseline must find earlier windows, and a season must tell windows apart."""
    baseline: Baseline | None = found.get("baseline")
    schedule: Schedule | None = found.get("schedule")
    start: datetime | None = found.get("start")
    if baseline is None or schedule is None or start is None:
        return
    with suppress(ConfigError, OverflowError):  # a start at the calendar's end: that is said elsewhere
        if baseline.rolling is not None:
            held = _held(baseline.rolling, schedule, _first_start(schedule, start), MINIMUM_WINDOWS)
            if held < MINIMUM_WINDOWS:
                yield Contradiction(
                    ("baseline", "rolling"),
                    f"{{value}} holds {_windows(held)} of `schedule` {{schedule}}, and it takes {MINIMUM_WINDOWS} to "
                    "compare with",
                    "write a longer time, or a shorter schedule",
                )
        if baseline.seasonal is not None:
            yield from _seasonal(baseline.seasonal, schedule, _first_start(schedule, start))


_SPANS = tuple(timedelta(days=days) for days in (1, 8, 63, 800))
"""Of short windows a day is enough to find a few, of years it takes years."""


def _first_start(schedule: Schedule, start: datetime) -> datetime:
    """Return the start of the first window."""
    for span in _SPANS:
        if windows := schedule.windows(start, start + span):
            return windows[0].start
    return start


def _held(length: timedelta, schedule: Schedule, start: datetime, enough: int) -> int:
    """Return how many windows lie in the time before `start`; any number from `enough` on if there are so many."""
    reach = look_back_start(start, length, schedule.timezone)
    windows: Sequence[Window] = ()
    for span in (*_SPANS, length):
        windows = schedule.windows(max(reach, look_back_start(start, span, schedule.timezone)), start)
        if len(windows) >= enough:
            break
    return len(windows)


def _thresholds(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A threshold of what is not computed, that another one replaces or that nothing exceeds would decide nothing."""
    checks: Checks | None = found.get("checks")
    baseline: Baseline | None = found.get("baseline")
    # By the minimum effect of PSI a moving baseline is held against the fixed one, whatever the metrics are.
    moves = baseline is None or baseline.rolling is not None or baseline.seasonal is not None
    for name in ("data_drift", "prediction_drift"):
        settings: DriftSettings | None = getattr(checks, name, None)
        if settings is None:
            continue
        for key, written in (("fixed", settings.fixed), ("minimum_effect", settings.minimum_effect)):
            for metric, threshold in written.items():
                path: KeyPath = ("checks", name, key, metric)
                largest = LARGEST_SIZE.get(metric, math.inf)
                if threshold >= largest:
                    size = "Cramer's V, which decides for chi_squared," if metric == "chi_squared" else metric
                    message = f"{{value}} is never exceeded: {size} lies between 0 and {largest:g}"
                    yield Contradiction(path, message, f"write a number below {largest:g}")
                if key == "minimum_effect" and metric == "psi" and moves:
                    continue
                if metric not in settings.metrics:
                    yield Contradiction(path, f"{metric!r} is not among `metrics`", "add it there, or remove it here")
                if key == "minimum_effect" and metric in settings.fixed:
                    message = f"{metric!r} is also in `fixed`, which decides alone"
                    yield Contradiction(path, message, "remove one of them")


def _traffic(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """What must have come is said by a table, and no silence is longer than the window that it is in."""
    checks: Checks | None = found.get("checks")
    operations = None if checks is None else checks.operations
    log: InferenceLog | None = found.get("inference_log")
    schedule: Schedule | None = found.get("schedule")
    start: datetime | None = found.get("start")
    if operations is None:
        return
    here: KeyPath = ("checks", "operations")
    if log is not None and log.expected_rows is None and "minimum_completeness" in operations.model_fields_set:
        yield Contradiction(
            (*here, "minimum_completeness"),
            "{value} decides nothing: no table says which rows should come",
            "name it as `inference_log.expected_rows`, or remove this one",
        )
    if operations.maximum_silence is None or schedule is None or start is None:
        return
    with suppress(ConfigError, OverflowError):  # a start at the calendar's end: that is said elsewhere
        some = islice(schedule.each_window(start, datetime.max.replace(tzinfo=UTC)), 10)  # they may differ in length
        longest = max(window.length for window in some)
        if operations.maximum_silence >= longest:
            yield Contradiction(
                (*here, "maximum_silence"),
                "{value} is never exceeded: a window of `schedule` {schedule} is no longer",
                f"write a time below {format_duration(longest)}",
            )


def _bands(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A band must find earlier windows, and is the only bound of a metric that is computed."""
    checks: Checks | None = found.get("checks")
    schedule: Schedule | None = found.get("schedule")
    start: datetime | None = found.get("start")
    for name in ("data_drift", "prediction_drift"):
        settings: DriftSettings | None = getattr(checks, name, None)
        if settings is None:
            continue
        for metric, band in settings.band.items():
            path: KeyPath = ("checks", name, "band", metric)
            if metric in settings.fixed:
                yield Contradiction(path, f"{metric!r} is also in `fixed`, which decides alone", "remove one of them")
            if metric not in settings.metrics:
                yield Contradiction(path, f"{metric!r} is not among `metrics`", "add it there, or remove its band")
            if schedule is None or start is None:
                continue
            with suppress(ConfigError, OverflowError):
                held = _held(band.over, schedule, _first_start(schedule, start), MINIMUM_BAND_WINDOWS)
                if held < MINIMUM_BAND_WINDOWS:
                    yield Contradiction(
                        (*path, "over"),
                        f"{{value}} holds {_windows(held)} of `schedule` {{schedule}}, and a band takes "
                        f"{MINIMUM_BAND_WINDOWS}",
                        "write a longer time, or a shorter schedule",
                    )


def _seasonal(seasonal: Seasonal, schedule: Schedule, start: datetime) -> Iterator[Contradiction]:
    by: KeyPath = ("baseline", "seasonal", "by")
    cycle, zone = CYCLES[seasonal.by], schedule.timezone
    if seasonal.over < cycle:
        yield Contradiction(
            ("baseline", "seasonal", "over"),
            "{value} is shorter than the cycle {baseline.seasonal.by}, so it holds nothing earlier of it",
            f"write {format_duration(MINIMUM_WINDOWS * cycle)} or more",
        )
        return
    sample = schedule.windows(look_back_start(start, 2 * cycle, zone), start)
    if len(sample) < 2 or median_low(window.length for window in sample) >= cycle:
        yield Contradiction(
            by,
            "{value} tells no window of `schedule` {schedule} from another: they are as long as its cycle or longer",
            "write `rolling` instead" + ("" if cycle > timedelta(days=1) else ", or a cycle of a week"),
        )
        return
    if len({place_in(seasonal.by, window.start, zone) for window in sample}) == 1:
        yield Contradiction(
            by,
            "{value} tells no window of `schedule` {schedule} from another: all begin at the same place of its cycle",
            "write `rolling` instead, or another cycle",
        )
        return
    if seasonal.over > (MINIMUM_WINDOWS + 1) * cycle:
        return
    latest = schedule.windows(look_back_start(start, cycle, zone), start)
    earlier = schedule.windows(look_back_start(latest[0].start, seasonal.over, zone), start)
    most = max(
        sum(
            place_in(seasonal.by, each.start, zone) == place_in(seasonal.by, window.start, zone)
            for each in earlier
            if look_back_start(window.start, seasonal.over, zone) <= each.start and each.end <= window.start
        )
        for window in (latest[0], latest[len(latest) // 2], latest[-1])
    )
    if most < MINIMUM_WINDOWS:
        yield Contradiction(
            ("baseline", "seasonal", "over"),
            f"{{value}} holds at most {_windows(most)} of `schedule` {{schedule}} at the same place of the cycle, and "
            f"it takes {MINIMUM_WINDOWS} to compare with",
            f"write {format_duration(MINIMUM_WINDOWS * cycle)} or more",
        )


def _windows(number: int) -> str:
    return "no window" if number == 0 else "1 window" if number == 1 else f"{number} windows"


def _columns(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    log: InferenceLog | None = found.get("inference_log")
    if log is None:
        return
    if log.key == log.timestamp:
        yield Contradiction(("inference_log", "key"), "{value} is also `timestamp`", "name the column that is unique")
    parts = {log.key: "key", log.timestamp: "timestamp"}
    for i, column in enumerate(found.get("segments") or ()):
        if "=" in column:
            message = "{value} holds the `=` that stands between column and value in the name of a segment"
            yield Contradiction(("segments", i), message, "rename the column in a view")
        if column in parts:
            yield Contradiction(
                ("segments", i), f"{{value}} is the inference log's `{parts[column]}`", "name columns with few values"
            )
    if log.prediction is not None:
        parts[log.prediction] = "prediction"
    for score in [log.score] if isinstance(log.score, str) else (log.score or {}).values():
        parts[score] = "score"
    labels: Labels | None = found.get("labels")
    if labels is not None and labels.table == log.table:
        parts[labels.value] = "label"
    for i, feature in enumerate(log.features.names or ()):
        if feature in parts:
            entry = feature if log.features.kinds else i
            message = f"is also the `{parts[feature]}`, which is no input of the model"
            yield Contradiction(("inference_log", "features", entry), message, "remove it from the features")


def _importance(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A weight of a column that is no feature would weigh nothing."""
    checks: Checks | None = found.get("checks")
    log: InferenceLog | None = found.get("inference_log")
    if checks is None or checks.data_drift is None or log is None or log.features.names is None:
        return
    for name in checks.data_drift.importance:
        if name not in log.features.names:
            path: KeyPath = ("checks", "data_drift", "importance", name)
            yield Contradiction(path, "is no feature", suggestion(name, log.features.names))


def _task(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    if "task" not in found:
        return  # misspelt: that is said already
    task: str | None = found["task"]
    log: InferenceLog | None = found.get("inference_log")
    if found.get("labels") is not None and task is None:
        tasks = "binary_classification, multiclass_classification or regression"
        yield Contradiction(("task",), "is missing, and there are `labels`", f"write {tasks}")
    if log is not None and task is not None:
        score: KeyPath = ("inference_log", "score")
        if task == "regression" and log.score is not None:
            yield Contradiction(score, "has no meaning for a regression", "name the number as `prediction` only")
        elif task == "multiclass_classification" and isinstance(log.score, str):
            yield Contradiction(score, "{value} is one column, and the task has many classes", "write {class: column}")
        elif task == "binary_classification" and isinstance(log.score, Mapping):
            yield Contradiction(score, "is a mapping, and the task is binary", "name the column with P(positive)")
        positive: KeyPath = ("inference_log", "positive_class")
        if task == "binary_classification" and log.positive_class is None:
            yield Contradiction(positive, "is missing", "write the class that `score` is the probability of, such as 1")
        elif task != "binary_classification" and log.positive_class is not None:
            yield Contradiction(positive, f"has no meaning for a {task.replace('_', ' ')}", "remove the key")


def _check_names(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    checks: Checks | None = found.get("checks")
    for name in checks.custom if checks else ():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
            remedy = "write lower-case letters, digits and underscores, such as night_flights"
            yield Contradiction(("checks", name), "is not a name for a check", remedy)


def _placeholders(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    """A name in braces that no request has would be sent as it stands."""
    retraining: Retraining | None = found.get("retraining")
    if retraining is None or retraining.http is None:
        return
    here: KeyPath = ("retraining", "http")
    asked = [*named_in(retraining.http.endpoint, (*here, "endpoint"))]
    asked += named_in(dict(retraining.http.body), (*here, "json"))
    asked += named_in(dict(retraining.http.form or {}), (*here, "form"))
    for path, name in asked:
        if name not in PLACEHOLDERS:
            remedy = f"{suggestion(name, PLACEHOLDERS)} (braces that stand for themselves are doubled: {{{{{name}}}}})"
            yield Contradiction(path, f"names {name!r} in braces, which no request has", remedy)


def _references(found: Mapping[str, Any]) -> Iterator[Contradiction]:
    alerts: tuple[AlertRule, ...] = found.get("alerts") or ()
    names = [alert.name for alert in alerts]
    whens: list[tuple[KeyPath, When]] = [(("alerts", i, "when"), alert.when) for i, alert in enumerate(alerts)]
    retraining: Retraining | None = found.get("retraining")
    if retraining is not None:
        whens.append((("retraining", "when"), retraining.when))
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Contradiction(("alerts", i, "name"), "{value} is the name of another alert", "give each its own name")
        elif name == RETRAINING and retraining is not None:
            message = "{value} is what the alert of `retraining` is called"
            yield Contradiction(("alerts", i, "name"), message, "give it another name")
    checks: Checks | None = found.get("checks")
    for path, when in whens if checks else ():
        assert checks is not None
        for i, name in enumerate(when.check):
            if name in checks.names:
                continue
            off = name in type(checks).model_fields
            yield Contradiction(
                (*path, "check", i),
                "{value} is switched off" if off else "{value} is not a check of this monitor",
                "switch it on, or name another check" if off else suggestion(name, checks.names),
            )
