"""Which windows a run is about: the one place that knows, for scheduled, backfill, manual and other runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.window import Schedule, Window, format_instant, parse_instant, require_ended

LOOK_BACK = tuple(timedelta(days=days) for days in (1, 8, 63, 800))
"""How far back `latest_window` looks for a whole window, in turn: the last holds two years."""


def windows_of_run(
    schedule: Schedule,
    *,
    run_type: str,
    interval: tuple[datetime, datetime] | None,
    run_after: datetime,
    params: Mapping[str, Any],
    now: datetime,
) -> tuple[Window, ...]:
    """Return the windows a DAG run computes, in time order, at least one.

    - ``window_start`` and ``window_end``, from the form or the run's configuration: every whole window between them.
      A scheduled or backfill run ignores them.
    - Otherwise the run's data interval. It is one window, unless the schedule was edited after the run was created:
      then it is the whole windows of the present schedule inside.
    - Without an interval (started by hand without a logical date, or by an asset or a DAG without intervals): the
      latest window that had ended when the run was created.

    Parameters
    ----------
    schedule
        The monitor's.
    run_type
        Airflow's name: ``scheduled``, ``backfill``, ``manual`` and others.
    interval
        The run's data interval, aware; None or of no length when it has none.
    run_after
        When the run was created or due, aware.
    params
        The run's parameters.
    now
        The present, aware: windows that are asked for by parameters must have ended by then.

    Raises
    ------
    ConfigError
        If only one end is given, no whole window lies inside, or one has not ended yet.
    """
    first, last = params.get("window_start"), params.get("window_end")
    if run_type not in ("scheduled", "backfill") and (first or last):
        if not first or not last:
            raise ConfigError(
                f"window_start {first!r} and window_end {last!r} go together: give both, or neither for the latest "
                "complete window"
            )
        start, end = parse_instant(first, schedule.timezone), parse_instant(last, schedule.timezone)
        windows = _whole(schedule, start, end, "window_start to window_end")
        require_ended(windows, now, "window_start to window_end")
        return windows
    if interval is not None and interval[0] < interval[1]:
        return _whole(schedule, *interval, "the run's data interval")
    return (latest_window(schedule, interval[1] if interval else run_after),)


def tells_people(*, run_type: str, params: Mapping[str, Any]) -> bool:
    """Return whether people are told what a run finds, and asked whether a new model is to be trained.

    They are by scheduled runs and by runs of the latest window. A backfill, and a run over a period of the past, keep
    quiet unless the parameter ``notify`` says otherwise.

    Examples
    --------
    >>> tells_people(run_type="scheduled", params={}), tells_people(run_type="backfill", params={})
    (True, False)
    >>> tells_people(run_type="manual", params={"window_start": "2013-04-01", "window_end": "2013-05-01"})
    False
    """
    if params.get("notify"):
        return True
    if run_type == "scheduled":
        return True
    return run_type != "backfill" and not (params.get("window_start") or params.get("window_end"))


def latest_window(schedule: Schedule, instant: datetime) -> Window:
    """Return the last window that ends at or before `instant`.

    Examples
    --------
    >>> str(latest_window(Schedule("0 0 1 * *"), parse_instant("2013-04-15", "UTC")))
    '2013-03-01T00:00Z/2013-04-01T00:00Z'
    """
    for length in LOOK_BACK:
        windows = schedule.windows(instant - length, instant)
        if windows:
            return windows[-1]
    raise ConfigError(
        f"schedule {schedule.expression!r} had no whole window in the {LOOK_BACK[-1].days} days before "
        f"{format_instant(instant)}: give window_start and window_end"
    )


def _whole(schedule: Schedule, start: datetime, end: datetime, what: str) -> tuple[Window, ...]:
    windows = schedule.windows(start, end)
    if not windows:
        around = latest_window(schedule, max(start, end))
        raise ConfigError(
            f"{what} is {format_instant(start)} to {format_instant(end)}: no whole window of the schedule "
            f"{schedule.expression!r} ({schedule.timezone}) lies inside; one nearby is {around}"
        )
    return windows
