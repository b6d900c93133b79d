"""The command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from monitoring_tasks.cli_channels import channels
from monitoring_tasks.errors import ConfigError, MonitoringError
from monitoring_tasks.progress import Progress
from monitoring_tasks.window import Window, format_instant, parse_duration, parse_instant

if TYPE_CHECKING:
    from monitoring_tasks.alerts.alert import DecisionName
    from monitoring_tasks.config import ColumnType, Monitor
    from monitoring_tasks.profile import Baseline
    from monitoring_tasks.results.store import Store, WindowRun

app = typer.Typer(
    help="Model monitoring as Airflow pipelines: one YAML file per model, every number in SQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
alerts = typer.Typer(help="See what alerts are open, and say what you make of them.", no_args_is_help=True)
alerts.add_typer(channels)
app.add_typer(alerts, name="alerts")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

SHOWN = 10
"""Results of an alert that are printed."""

LONGEST = 150
"""Characters of a message that `demo` prints."""

Start = Annotated[
    str,
    typer.Option(
        "--start",
        help="First day or instant, such as 2013-04-01 or 2013-04-01T06:00Z; without a zone in the monitor's own.",
    ),
]
End = Annotated[str, typer.Option("--end", help="First day or instant after the period.")]
Zone = Annotated[
    str | None,
    typer.Option(
        help="Where days begin, such as Europe/Berlin.", show_default="in each monitor's own zone, as its file said"
    ),
]

AlertId = Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.", show_default=False)]
By = Annotated[str, typer.Option(help="Who decides.", show_default="your login name")]
Note = Annotated[str, typer.Option(help="Why; it stands beside the alert.", show_default=False)]

COLOURS = {"done": "green", "empty": "yellow", "failed": "red"}
"""Of a window's states: one without rows may be in order, and is no success."""


def main() -> None:
    """Run the command line; an error of ours, or of a file, is printed, not traced."""
    try:
        app()
    except MonitoringError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        err.print(f"[bold red]error:[/] {escape(reason)}", soft_wrap=True)
        sys.exit(1)


@app.command()
def demo(
    directory: Annotated[Path, typer.Option(help="Where the data and the results go.")] = Path(".demo"),
    days: Annotated[int | None, typer.Option(min=1, help="Monitor only the first so many days.")] = None,
) -> None:
    """Prepare the real flight data and monitor it; prints what it found."""
    from monitoring_tasks.checks.wording import counted
    from monitoring_tasks.config import load_monitor
    from monitoring_tasks.demo import END, monitor_file, prepare, results_store
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.run import run_windows
    from monitoring_tasks.warehouse.engine import open_warehouse

    monitor, feed = load_monitor(monitor_file()), load_monitor(monitor_file("weather_feed"))
    with _progress() as progress:
        log = prepare(directory, progress=progress)
        end = parse_instant(END, monitor.timezone)
        if days is not None:
            end = min(end, monitor.schedule.windows(monitor.start, end)[:days][-1].end)
        url, aside = results_store(directory)
        if aside is not None:
            err.print(f"results.db was made by another version, and is {escape(str(aside))} now", soft_wrap=True)
        with open_store(url) as store, open_warehouse(f"duckdb:///{log.warehouse}") as warehouse:
            began = datetime.now(UTC)
            runs = run_windows(monitor, monitor.start, end, warehouse=warehouse, store=store, progress=progress)
            seconds = (datetime.now(UTC) - began).total_seconds()
            rows = list(store.results(monitor.name, monitor.start, end, segments=[""]))
            by_month = _performance(monitor, Window(runs[0].window.start, runs[-1].window.end), store)
            fed = run_windows(feed, feed.start, end, warehouse=warehouse, store=store, progress=progress)
            of_feed = list(store.results(feed.name, feed.start, end, segments=[""]))
    total = sum(run.rows or 0 for run in runs)
    out.print(f"\n[bold]{monitor.description}[/]", soft_wrap=True)
    rolling = monitor.baseline.rolling
    against = "March 2013" if rolling is None else f"the {rolling.days} days before each"
    out.print(
        f"{total:,} inferences in {len(runs)} daily windows, compared with {against}, in {seconds:.1f} s.\n",
        soft_wrap=True,
    )
    _wide(_findings(rows, monitor.timezone))
    changed = _seasons(rows, monitor.timezone)
    if changed.row_count:
        out.print()
        _wide(changed)
    if by_month.row_count:
        out.print()
        _wide(by_month)
    gaps = _findings(of_feed, feed.timezone, "What is wrong with the weather")
    if gaps.row_count:
        out.print(f"\n[bold]{feed.description}[/]", soft_wrap=True)
        total = sum(run.rows or 0 for run in fed)
        out.print(f"{total:,} rows in {len(fed)} daily windows.\n", soft_wrap=True)
        _wide(gaps)
    failed = [run for run in (*runs, *fed) if run.state == "failed"]
    if failed:
        err.print(f"[bold red]{counted(len(failed), 'window')} failed[/], the first: {escape(str(failed[0].error))}")
    out.print(
        f"\nEvery number     {directory / 'results.db'}  (SQLite: tables result, window_run, profile, baseline)",
        soft_wrap=True,
    )
    out.print(f"The monitors     {monitor.path}, {feed.path}", soft_wrap=True)
    tables = ("inference_log", "outcomes", "weather", "weather_hours")
    out.print(f"The data         {log.warehouse}/: {', '.join(tables)}  (Parquet)", soft_wrap=True)
    program = Path(sys.argv[0])
    command = os.path.relpath(program) if program.name == "monitoring-tasks" else "python -m monitoring_tasks"
    out.print(f"Next             MONITORING_RESULTS_URL={url} {command} status", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def validate(files: Annotated[list[Path], typer.Argument(help="Monitor files.", show_default=False)]) -> None:
    """Check monitor files, with the warehouse if it answers. Exit 1 and every error, not only the first."""
    from monitoring_tasks.checks import not_computed_in_words
    from monitoring_tasks.config import MonitorFileError, load_monitor, load_monitors

    problems: list[str] = []
    once: dict[Path, Path] = {}
    for file in files:
        once.setdefault(file.resolve(), file)
    try:
        load_monitors(once.values())
    except MonitorFileError as error:
        problems += str(error).splitlines()
    for file in once.values():
        try:
            monitor = load_monitor(file)
        except MonitorFileError:
            continue
        found, seen = _column_problems(monitor)
        found += _suite_problems(monitor)
        problems += found
        if not found:
            out.print(f"{monitor.path}: monitor {monitor.name!r} is valid; {escape(seen)}", soft_wrap=True)
        note = not_computed_in_words(monitor)
        if note:
            out.print(f"{monitor.path}: {note}", soft_wrap=True)
    for problem in problems:
        err.print(escape(problem), soft_wrap=True)
    if problems:
        err.print(f"[bold red]{len(problems)} {'error' if len(problems) == 1 else 'errors'}[/]")
        raise typer.Exit(1)


@app.command("suggest-suite")
def suggest_suite(
    file: Annotated[Path, typer.Argument(help="A monitor file.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option(help="Where it goes.", show_default="the file's `suite`, else standard output")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a suite that is there.")] = False,
) -> None:
    """Write a first suite of expectations from the baseline, for its author to edit."""
    from monitoring_tasks.config import load_monitor
    from monitoring_tasks.expectations.suggestion import suggested_suite
    from monitoring_tasks.expectations.validation import suite_path

    monitor = load_monitor(file)
    path = output or suite_path(monitor)
    if path is not None and path.exists() and not force:
        raise ConfigError(f"{path} is there already: write --force to overwrite it, or another --output")
    if path is not None and not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {str(path.parent)!r}: make it")
    text = suggested_suite(monitor, _baseline_of(monitor))
    if path is None:
        sys.stdout.write(text)
        return
    path.write_text(text, encoding="utf-8")
    number = text.count('"type": ')
    unnamed = "" if path == suite_path(monitor) else "; `data_quality: {suite: ...}` names the file"
    out.print(f"{number} expectations in {path}: edit them{unnamed}", soft_wrap=True)


@app.command()
def migrate() -> None:
    """Create or upgrade the results store."""
    from monitoring_tasks.results.migrate import migrate as upgrade

    before, after = upgrade()
    if before == after:
        out.print(f"The results store is at revision {after} already.")
    else:
        out.print(f"The results store went from {'nothing' if before is None else before} to revision {after}.")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A monitor file.", show_default=False)],
    start: Start,
    end: End,
    check: Annotated[
        list[str] | None, typer.Option(help="Run only this check again on windows that are done; may be repeated.")
    ] = None,
    notify: Annotated[
        bool, typer.Option("--notify", help="Tell people of the alerts; without it they are only recorded.")
    ] = False,
) -> None:
    """Monitor every window of a period, in as few scans as possible. Exit 0 done, 1 a window failed, 2 config."""
    from monitoring_tasks.checks import not_computed_in_words
    from monitoring_tasks.config import load_monitor
    from monitoring_tasks.run import run_windows

    monitor = load_monitor(file)
    note = not_computed_in_words(monitor)
    if note:
        err.print(f"{monitor.path}: {note}", soft_wrap=True)
    first, last = _period(start, end, monitor.timezone)
    with _progress() as progress:
        runs = run_windows(monitor, first, last, checks=check or None, progress=progress, notify=notify)
    out.print(_summary(monitor, runs), soft_wrap=True)
    if notify and (waiting := _messages_waiting(monitor.name)):
        command = escape(f"monitoring-tasks alerts send {monitor.name}")
        out.print(
            f"{escape(monitor.name)}: {waiting} to be sent: `{command}`, or the next run in Airflow", soft_wrap=True
        )
    failed = [run for run in runs if run.state == "failed"]
    for run_ in failed[:5]:
        err.print(f"[bold red]failed[/] {run_.window}: {escape(str(run_.error))}", soft_wrap=True)
    if len(failed) > 5:
        err.print(f"and {len(failed) - 5} more: table window_run has them all")
    if failed:
        raise typer.Exit(1)


@app.command()
def status(
    monitor: Annotated[str | None, typer.Argument(help="A monitor's name; all of them without.")] = None,
) -> None:
    """Show the latest window of each monitor and what is in alarm, open alerts and label coverage."""
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.views.standing import RESULTS, late_since, standing

    with open_store() as store:
        found = store.query("SELECT * FROM monitor_health ORDER BY monitor")
        found = [row for row in found if monitor in (None, row["monitor"])]
        alarms = {row["monitor"]: store.query(RESULTS, monitor=row["monitor"]) for row in found}
        late = {row["monitor"]: store.late_rows(row["monitor"], late_since(row), row["window_end"]) for row in found}
        open_alerts = {row["monitor"]: _alert_lines(row["monitor"], store) for row in found if row["open_alerts"]}
    if not found:
        raise _no_window(monitor)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("monitor", "latest window", "state", "rows", "alarms", "failed windows", "open alerts", "labels"):
        table.add_column(heading)
    for row in found:
        table.add_row(
            row["monitor"],
            f"{format_instant(row['window_start'])}/{format_instant(row['window_end'])}",
            f"[{COLOURS[row['state']]}]{row['state']}[/]",
            "" if row["rows"] is None else f"{row['rows']:,}",
            str(row["alarms"]),
            f"{row['failed_windows']} of {row['windows']}",
            str(row["open_alerts"]),
            "none" if row["label_coverage"] is None else f"{100 * row['label_coverage']:.0f} % ({row['labels']})",
        )
    _wide(table)
    for row in found:
        out.print()
        lines = standing(row, alarms[row["monitor"]], late[row["monitor"]])
        for line in (*lines, *open_alerts.get(row["monitor"], ())):
            out.print(escape(line), soft_wrap=True)


@app.command()
def export(
    monitor: Annotated[str, typer.Argument(help="A monitor's name.", show_default=False)],
    start: Start,
    end: End,
    formats: Annotated[str, typer.Option("--format", help="One or more of parquet, csv, json.")] = "parquet",
    output: Annotated[Path | None, typer.Option(help="A folder, or a file name without its ending.")] = None,
    timezone: Zone = None,
) -> None:
    """Write the results of the whole windows inside a period to files. Times in them are UTC."""
    from monitoring_tasks.results.export import FORMATS, write_file
    from monitoring_tasks.results.frame import results
    from monitoring_tasks.results.store import open_store

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise ConfigError(f"--format {formats!r}: write one or more of {','.join(FORMATS)}")
    stem = _stem(output, f"{monitor}-results", FORMATS)
    with open_store() as store:
        first, last = _period(start, end, timezone or store.timezone(monitor))
        frame = results(monitor, first, last, store=store)
    if frame.empty:
        raise ConfigError(
            f"monitor {monitor!r} has no results between {format_instant(first)} and {format_instant(last)}"
        )
    windows = len(frame[["window_start", "window_end"]].drop_duplicates())
    for name in wanted:
        path = stem.with_name(f"{stem.name}.{name}")
        write_file(frame, path)
        out.print(f"{len(frame):,} results of {windows:,} windows in {path}", soft_wrap=True)


@app.command()
def prune(
    before: Annotated[str, typer.Option(help="Day or instant; windows that end by then are removed.")],
    timezone: Zone = None,
) -> None:
    """Remove old windows from the results store."""
    from monitoring_tasks.results.retention import prune as remove
    from monitoring_tasks.results.store import open_store

    with open_store() as store:
        counts = remove(store, before, timezone=timezone)
    if any(counts.values()):
        removed = ", ".join(f"{rows:,} rows of {table}" for table, rows in counts.items())
        out.print(f"{removed} removed", soft_wrap=True)
    else:
        out.print("nothing to remove")


@app.command()
def rollup(
    before: Annotated[str, typer.Option(help="Day or instant; windows that end by then are added up.")],
    to: Annotated[str, typer.Option(help="Length of the new windows, such as 1d, or a cron expression.")],
    monitor: Annotated[str | None, typer.Argument(help="A monitor's name; all of them without.")] = None,
    timezone: Zone = None,
) -> None:
    """Add old profiles up to longer windows."""
    from monitoring_tasks.results.retention import monitors
    from monitoring_tasks.results.retention import rollup as add_up
    from monitoring_tasks.results.store import open_store

    with open_store() as store:
        if monitor is not None and monitor not in monitors(store):
            raise _no_window(monitor)
        made = add_up(store, before, to, monitor, timezone=timezone)
    for name, windows in made.items():
        out.print(f"{name}: {len(windows)} windows of {to} made of shorter ones", soft_wrap=True)
    if not any(made.values()):
        out.print("nothing to add up")


@alerts.command("list")
def list_alerts(
    monitor: Annotated[str | None, typer.Argument(help="A monitor's name; all of them without.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
) -> None:
    """Show the open alerts, what is in them and since when."""
    from monitoring_tasks.alerts.clean_text import clean
    from monitoring_tasks.results.alerts import read_alerts, verdict_counts
    from monitoring_tasks.results.retention import monitors
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.views.standing import in_words

    with open_store() as store:
        found = read_alerts(store, monitor, only_open=not every)
        if not found and monitor is not None and monitor not in monitors(store):
            raise _no_window(monitor)
        rules = {(alert.monitor, alert.name): verdict_counts(store, alert.monitor, alert.name) for alert in found}
    if not found:
        whose = "" if monitor is None else f" of {monitor}"
        out.print(f"no alert{whose}" if every else f"no open alert{whose}", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "monitor", "severity", "state", "since", "last", "what"):
        table.add_column(heading)
    for alert in found:
        group = f" ({alert.group_key})" if alert.group_key else ""
        since, last = format_instant(alert.opened.start), format_instant(alert.last.end)
        cells = (alert.alert_id, alert.monitor, alert.severity, in_words(alert), since, last, alert.message + group)
        table.add_row(*(escape(clean(cell)) for cell in cells))
    _wide(table)
    for (whose, name), verdicts in rules.items():
        if verdicts.hint:
            out.print(escape(f"{whose}: {name}: {verdicts.hint}"), soft_wrap=True)


@alerts.command()
def show(alert: AlertId) -> None:
    """Show one alert: what happened to it, the numbers it stands on, and who was told."""
    from monitoring_tasks.alerts.clean_text import clean
    from monitoring_tasks.results.alerts import read_alert, read_deliveries, read_events, verdict_counts
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.views.standing import in_words

    with open_store() as store:
        found = read_alert(store, alert)
        events = read_events(store, found.alert_id)
        told = read_deliveries(store, found.alert_id)
        hint = verdict_counts(store, found.monitor, found.name).hint
    group = f" ({found.group_key})" if found.group_key else ""
    lines = [f"{found.monitor}: {found.severity} alert {found.alert_id}{group} is {in_words(found)}", found.message]
    lines += [hint] * bool(hint)
    for event in events:
        by = f" by {event.actor}" if event.actor else ""
        quiet = "" if event.tell or event.actor else " (nobody was told)"
        until = "" if event.until is None else f" until {format_instant(event.until)}"
        note = f": {event.note}" if event.note else ""
        lines.append(f"{event.window}  {event.event.replace('_', ' ')}{until}{by}{note}{quiet}")
        lines += [f"  to {row['channel']}: {row['state']}" for row in told if row["event_id"] == event.event_id]
    # What it stands on, and not the numbers that say that it is over.
    newest = next((event.evidence for event in reversed(events) if event.evidence and event.event != "resolved"), ())
    lines += [f"{evidence.window}  {evidence.message}" for evidence in newest[:SHOWN]]
    lines += [f"and {len(newest) - SHOWN} more results: table alert_event has them"] * (len(newest) > SHOWN)
    for line in lines:
        out.print(escape(clean(line)), soft_wrap=True)


@alerts.command()
def ack(alert: AlertId, by: By = "", note: Note = "") -> None:
    """Say that somebody is at it: no reminder and no escalation any more; its end is told."""
    _decide(alert, "acknowledged", by, note)


@alerts.command()
def snooze(
    alert: AlertId,
    until: Annotated[
        str,
        typer.Option(
            help="An instant, or how long from now, such as 12h. If it still holds then, it is told again.",
            show_default=False,
        ),
    ],
    by: By = "",
    note: Note = "",
) -> None:
    """Be told nothing of an alert for a while."""
    _decide(alert, "snoozed", by, note, until)


@alerts.command()
def confirm(alert: AlertId, by: By = "", note: Note = "") -> None:
    """Say that it is a real incident: quiet from now on, and moving baselines leave its windows out."""
    _decide(alert, "confirmed", by, note)


@alerts.command("false-alarm")
def false_alarm(alert: AlertId, by: By = "", note: Note = "") -> None:
    """Say that it is none: closed, and nothing more is told until its condition has ended."""
    _decide(alert, "false_alarm", by, note)


@alerts.command()
def resolve(alert: AlertId, by: By = "", note: Note = "") -> None:
    """Close an alert: what has matched up to now counts no more, later windows may open another."""
    _decide(alert, "resolved", by, note)


def _decide(alert: str, decision: DecisionName, by: str, note: str, until: str = "") -> None:
    from getpass import getuser

    from monitoring_tasks.results.alerts import read_alert, record_decision
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.views.standing import in_words

    try:
        who = by or getuser()
    except (OSError, KeyError, ImportError):
        raise ConfigError("your login name is not known here: write --by NAME") from None
    with open_store() as store:
        end = _until(until, store.timezone(read_alert(store, alert).monitor)) if until else None
        decided = record_decision(store, alert, decision, who, note, end, now=datetime.now(UTC))
    said = in_words(decided) if decision == decided.state else decision.replace("_", " ")
    out.print(escape(f"{decided.monitor}: alert {decided.alert_id} ({decided.name}): {said} by {who}"), soft_wrap=True)


def _until(text: str, timezone: str) -> datetime | timedelta:
    if re.fullmatch(r"\s*(\d+[smhdw])+\s*", text):
        return parse_duration(text)
    try:
        return parse_instant(text, timezone)
    except ConfigError as error:
        raise ConfigError(f"--until {error}, or a duration such as 12h or 2d") from None


def _alert_lines(monitor: str, store: Store) -> tuple[str, ...]:
    from monitoring_tasks.results.alerts import last_decisions, read_alerts, verdict_counts
    from monitoring_tasks.views.standing import alert_lines

    found = read_alerts(store, monitor, only_open=True)
    decisions = last_decisions(store, [alert.alert_id for alert in found])
    verdicts = {name: verdict_counts(store, monitor, name) for name in {alert.name for alert in found}}
    return alert_lines(monitor, found, decisions, verdicts)


def _messages_waiting(monitor: str) -> str:
    """Say how many messages the outbox holds; empty if none."""
    from monitoring_tasks.checks.wording import counted
    from monitoring_tasks.results.outbox import pending
    from monitoring_tasks.results.store import open_store

    with open_store() as store:
        number = len(pending(store, monitor))
    return f"{counted(number, 'message')} {'waits' if number == 1 else 'wait'}" if number else ""


def _no_window(monitor: str | None) -> ConfigError:
    name = "" if monitor is None else f" of a monitor {monitor!r}"
    return ConfigError(f"the results store holds no window{name}: run one first, or set MONITORING_RESULTS_URL")


def _baseline_of(monitor: Monitor) -> Baseline:
    """Return the monitor's stored baseline; without one measure it, as a run would."""
    from monitoring_tasks.baseline import find_baseline, measure_baseline
    from monitoring_tasks.columns import feature_names
    from monitoring_tasks.inference_log import log_source
    from monitoring_tasks.results.store import open_store
    from monitoring_tasks.warehouse.engine import open_warehouse, warehouse_url

    with open_store() as store:
        found = find_baseline(monitor, store)
        if found is not None:
            return found
        with open_warehouse(warehouse_url(monitor.warehouse)) as warehouse:
            table = monitor.inference_log.table
            types = warehouse.columns(table)
            star = monitor.inference_log.features.names is None
            features = feature_names(monitor, types, warehouse.partition_keys(table) if star else ())
            return measure_baseline(monitor, types, features, log_source(monitor, types), warehouse, store)


def _suite_problems(monitor: Monitor) -> list[str]:
    """Hold the suite that the monitor names against what Great Expectations knows."""
    from monitoring_tasks.expectations.validation import require_valid

    try:
        require_valid(monitor)
    except ConfigError as error:
        return str(error).splitlines()
    return []


def _column_problems(monitor: Monitor) -> tuple[list[str], str]:
    """Hold the monitor against its warehouse's columns; return the problems and what was seen."""
    from monitoring_tasks.config import column_problems, label_value_problems
    from monitoring_tasks.errors import DataError, TransientError
    from monitoring_tasks.expectations.validation import missing_columns
    from monitoring_tasks.warehouse.engine import open_warehouse, warehouse_url
    from monitoring_tasks.warehouse.label_values import label_values

    tables = {monitor.inference_log.table: "inference_log"}
    if monitor.labels is not None:
        tables.setdefault(monitor.labels.table, "labels")
    if monitor.baseline.table is not None:
        tables.setdefault(monitor.baseline.table, "baseline")
    if monitor.inference_log.expected_rows is not None:
        tables.setdefault(monitor.inference_log.expected_rows.table, "inference_log.expected_rows")
    try:
        url = warehouse_url(monitor.warehouse)
    except ConfigError as error:
        return [], f"its columns were not checked: {error}"
    problems: list[str] = []
    log: Mapping[str, ColumnType] = {}
    try:
        with open_warehouse(url) as warehouse:
            for table, part in tables.items():
                try:
                    columns = warehouse.columns(table)
                except DataError as error:
                    remedy = "name a table, a view or Parquet files that the warehouse holds and lets you read"
                    path = (*part.split("."), "table")
                    problems.append(str(monitor.document.problem(path, str(error), remedy)))
                    continue
                if table == monitor.inference_log.table:
                    log = columns
                    with suppress(ConfigError):  # a suite that cannot be read is told by `_suite_problems`
                        problems += missing_columns(monitor, columns)
                problems += map(str, column_problems(monitor, columns, table, log))
            if monitor.labels is not None and monitor.task != "regression" and not problems:
                values = label_values(warehouse, monitor.labels.table, monitor.labels.value)
                problems += map(str, label_value_problems(monitor, values))
    except TransientError as error:
        return problems, f"its columns were not checked, the warehouse does not answer: {error}"
    except MonitoringError as error:
        problems.append(f"{monitor.path}: {error}")
    return problems, f"its columns are in {', '.join(tables)}"


def _period(start: str, end: str, timezone: str) -> tuple[datetime, datetime]:
    first, last = parse_instant(start, timezone), parse_instant(end, timezone)
    if first >= last:
        raise ConfigError(f"--start {start} must be before --end {end}")
    return first, last


def _summary(monitor: Monitor, runs: tuple[WindowRun, ...]) -> str:
    from monitoring_tasks.checks.wording import counted

    states = {state: sum(run.state == state for run in runs) for state in ("done", "empty", "failed")}
    parts = [f"{count} {state}" for state, count in states.items() if count]
    rows = sum(run.rows or 0 for run in runs)
    return f"{monitor.name}: {counted(len(runs), 'window')} ({', '.join(parts)}), {counted(rows, 'row')}"


def _findings(rows: list[Mapping[str, object]], timezone: str, what: str = "What moved") -> Table:
    """Make the table of what drifted, since when and how much."""
    from zoneinfo import ZoneInfo

    from monitoring_tasks.views.findings import findings, in_words

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (what, "Since", "Days in alarm", "Typical", "Worst", "On its worst day"):
        table.add_column(heading, justify="right" if heading in ("Days in alarm", "Typical", "Worst") else "left")
    for finding in findings(rows):
        worst = finding.worst_window.start.astimezone(ZoneInfo(timezone))
        table.add_row(
            finding.what,
            f"{finding.first.start.astimezone(ZoneInfo(timezone)):%d %b}",
            f"{finding.alarms} of {finding.windows}",
            in_words(finding.metric, finding.median),
            in_words(finding.metric, finding.worst),
            escape(_cut(f"{worst:%d %b}: {finding.message.partition('); ')[2] or finding.message}")),
        )
    return table


def _cut(text: str) -> str:
    """Keep a message on one line: the whole of it is in the table `result`."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _seasons(rows: list[Mapping[str, object]], timezone: str) -> Table:
    """Make the table of which columns a moving baseline has left the fixed one in, since when and how far."""
    from zoneinfo import ZoneInfo

    from monitoring_tasks.views.findings import in_words, seasons

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Season changed", "Since", "Days beyond", "Furthest", "Where it was furthest"):
        table.add_column(heading, justify="right" if heading in ("Days beyond", "Furthest") else "left")
    for season in seasons(rows):
        furthest = season.largest_window.start.astimezone(ZoneInfo(timezone))
        table.add_row(
            season.what,
            f"{season.first.start.astimezone(ZoneInfo(timezone)):%d %b}",
            f"{season.beyond} of {season.windows}",
            in_words("psi", season.largest),
            escape(f"{furthest:%d %b}: {season.message.partition('; ')[2] or season.message}"),
        )
    return table


def _performance(monitor: Monitor, period: Window, store: Store) -> Table:
    """Make the table of how right the model was, month by month, and why that moved."""
    from zoneinfo import ZoneInfo

    from monitoring_tasks.checks.wording import number
    from monitoring_tasks.statistics.performance import performance_metric
    from monitoring_tasks.views.performance_by_month import performance_by_month

    table = Table(box=None, pad_edge=False, header_style="bold")
    found = performance_by_month(monitor, period, store)
    known = next((row for row in found if not row.why_not), None)
    if known is None:
        return table
    split = next((f" by {row.split_by}" for row in found if row.split_by), "")
    right = ("Labels", performance_metric(known.metric).label)
    parts = ("Change", f"Other inputs{split}", f"Relation{split}", "Estimated")
    for heading in ("Month", *right, "95 % interval", *parts, "Loses most where"):
        table.add_column(heading, justify="right" if heading in (*right, *parts) else "left")
    for row in found:
        month = f"{row.month.start.astimezone(ZoneInfo(monitor.timezone)):%B}"
        if row.value is None:
            table.add_row(month, *[""] * 7, escape(f"not known: {row.why_not}"))
            continue
        change = [None if row.baseline is None else row.value - row.baseline, row.inputs, row.relation]
        table.add_row(
            month if row.final else f"{month}, provisional",
            f"{row.rows:,}",
            f"{number(row.value)}{' alarm' if row.alarm else ''}",
            "" if row.lower is None or row.upper is None else f"{number(row.lower)} to {number(row.upper)}",
            *("" if part is None else f"{part:+.3f}" for part in change),
            "" if row.estimated is None else number(row.estimated),
            escape(row.worst),
        )
    return table


def _stem(output: Path | None, usual: str, endings: Collection[str]) -> Path:
    """Return the path of the files to write, without an ending."""
    stem = output or Path(usual)
    if stem.is_dir():
        stem = stem / usual
    if stem.suffix.removeprefix(".") in endings:
        stem = stem.with_suffix("")
    if not stem.parent.is_dir():
        raise ConfigError(f"--output {str(output)!r}: there is no folder {str(stem.parent)!r}")
    return stem


def _wide(table: Table) -> None:
    """Print a table without folding it where the output is no terminal, so that it can be searched."""
    if out.is_terminal:
        out.print(table)
    else:
        Console(highlight=False, width=250).print(table)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Yield a callback that draws a bar per step on a terminal, and prints a line per finished step elsewhere."""
    if not err.is_terminal:
        yield lambda step, done, total: err.print(f"{step}: {total}") if done == total else None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=err) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield advance
