"""A message about an alert, with what the results store knows of it: joins `alerts` with the store.

The warehouse is never asked. What cannot be read is left out, and the message says so: a message without its picture is
better than none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from string import Formatter
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from monitoring_tasks.alerts import sentence
from monitoring_tasks.alerts.alert import Alert, AlertEvent, Evidence, Series
from monitoring_tasks.alerts.evidence_table import (
    SHOWN,
    bound_in_words,
    evidence_table,
    listed,
    series_name,
    times_bound,
    value_in_words,
    worst_first,
)
from monitoring_tasks.alerts.local_time import window_in_words
from monitoring_tasks.alerts.message import (
    Bars,
    Block,
    Code,
    Course,
    Facts,
    Headline,
    Message,
    Numbers,
    Paragraph,
)
from monitoring_tasks.alerts.message import (
    Links as LinksBlock,
)
from monitoring_tasks.alerts.picture import share_bars
from monitoring_tasks.alerts.sighting import MATCHING
from monitoring_tasks.alerts.verdicts import Verdicts
from monitoring_tasks.checks.wording import counted
from monitoring_tasks.config import AlertRule, Monitor
from monitoring_tasks.errors import ConfigError, MonitoringError
from monitoring_tasks.look_back import MINIMUM_WINDOWS, LookBack
from monitoring_tasks.profile import Baseline, ColumnProfile
from monitoring_tasks.reference import OWN_ROWS
from monitoring_tasks.results import tables
from monitoring_tasks.results.alerts import event_of
from monitoring_tasks.results.selection import apart, is_inside
from monitoring_tasks.results.sightings import evidence_of
from monitoring_tasks.results.sql_to_copy import results_sql, window_runs_sql
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window, format_instant

COURSE = 28
"""Windows of a number's course: four weeks of days."""

ENDS = ("resolved", "withdrawn")
"""Events after which nothing is to be done."""

SILENT = 200
"""Windows that are looked at to say since when no data came."""

NOT_OF_BINS = ("concept_drift", "performance", "estimated_performance", "multivariate_drift")
"""Checks whose numbers about a column are not about how its values are spread."""

REPORT = "MONITORING_REPORT_URL"

PLACEHOLDERS = ("monitor", "window_start", "window_end", "alert_id")

IS = {
    "alarm": "in alarm",
    "warning": "in warning or alarm",
    "insufficient_data": "without enough data",
    "error": "with an error",
}
"""What a rule's status means."""

_UNREADABLE = (MonitoringError, LookupError, ValueError, TypeError, ArithmeticError)


@dataclass(frozen=True)
class Links:
    """Where a person looks further; None where there is no such place."""

    run: str | None = None
    """The Airflow run."""
    report: str | None = None
    """A dashboard or a report; by default what `report_url` makes of ``MONITORING_REPORT_URL``."""


NOWHERE = Links()
NO_VERDICTS = Verdicts()


def message(
    monitor: Monitor,
    store: Store,
    alert: Alert,
    event: AlertEvent,
    rule: AlertRule,
    links: Links = NOWHERE,
    verdicts: Verdicts = NO_VERDICTS,
    earlier: Sequence[AlertEvent] | None = None,
) -> Message:
    """Return what people are told because of this event.

    Parameters
    ----------
    monitor
        The monitor.
    store
        Its results, read only.
    alert
        As the event leaves it.
    event
        What happened.
    rule
        The alert's, of the monitor file.
    links
        Where a person looks further.
    verdicts
        What people said of earlier alerts of this kind.
    earlier
        The alert's events before this one; by default those that are stored.
    """
    notice = _Notice(monitor, store, alert, event, rule, earlier)
    said = notice.headline
    links_block, doubts = _links(monitor, alert, event, links)
    blocks: list[Block] = [Headline(said), *notice.saying, notice.facts]
    if verdicts.hint:
        blocks.append(Paragraph(verdicts.hint))
    blocks += notice.numbers
    blocks += notice.pictures
    blocks += [*links_block, *notice.sql, notice.commands, *doubts]
    return Message(sentence.title(monitor.name, alert, event, said), rule.severity, event.event, tuple(blocks))


def report_url(monitor: str, window: Window, alert_id: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of ``MONITORING_REPORT_URL`` for an alert; None where that is not set.

    Examples
    --------
    >>> environ = {"MONITORING_REPORT_URL": "https://grafana.example.com/d/1?var-monitor={monitor}&from={window_start}"}
    >>> report_url("loans", Window.parse("2013-04-02", "2013-04-03"), "a95b2208f557", environ)
    'https://grafana.example.com/d/1?var-monitor=loans&from=2013-04-02T00%3A00Z'

    Raises
    ------
    ConfigError
        If it holds a placeholder that nobody fills.
    """
    template = environ.get(REPORT)
    if not template:
        return None
    values = {
        "monitor": monitor,
        "window_start": format_instant(window.start),
        "window_end": format_instant(window.end),
        "alert_id": alert_id,
    }
    known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ConfigError(f"{REPORT} has a brace that is not closed: write {known}, or double the brace") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in values or form or conversion):
            raise ConfigError(f"{REPORT} has the placeholder {{{name}}}, which nobody fills: write one of {known}")
    return "".join(text + ("" if name is None else quote(values[name], safe="")) for text, name, *_ in parts)


def earlier_rows(
    monitor: Monitor, store: Store, baseline: Baseline, worst: Evidence
) -> tuple[ColumnProfile, str] | None:
    """Return the rows of one column in the earlier windows that a window is compared with, and what they are called.

    It is the sum that `monitoring_tasks.history.History` makes of all columns, with no more read than is drawn: an
    alert of a ten-minute monitor waits for it.

    Parameters
    ----------
    monitor, store
        A monitor with a moving or seasonal baseline, and its results.
    baseline
        On whose bins the window was counted.
    worst
        Which column of which window, and in which segment.

    Returns
    -------
    tuple or None
        None where too few earlier windows have rows of it: the baseline's own rows then stand in their place.
    """
    back = LookBack(monitor, (worst.window,))
    wanted = back.before(worst.window)
    if not wanted:
        return None
    table = tables.profile
    of_column = (table.c.segment == worst.segment) & (table.c.column_name == worst.column_name)
    inside = is_inside(table, monitor.name, wanted[0].start, wanted[-1].end)
    found = (
        select(table.c.window_start, table.c.window_end, table.c.counts)
        .where(inside, of_column, table.c.baseline_id == baseline.id)
        .order_by(table.c.window_start, table.c.window_end.desc())
    )
    people = store.incidents(monitor.name, wanted[0].start, wanted[-1].end)
    with store.reading() as connection:
        read = [(Window(start, end), counts) for start, end, counts in connection.execute(found) if counts]
    exact = set(wanted)
    kept = [each for each in read if each[0] in exact] if back.singly else list(apart(read, itemgetter(0)))
    counts = [counts for window, counts in kept if sum(counts) and not any(map(window.overlaps, people))]
    if len(counts) < MINIMUM_WINDOWS:
        return None
    bins = baseline.bins[worst.column_name]
    together = tuple(map(sum, zip(*counts, strict=True)))
    return ColumnProfile(worst.column_name, bins.kind, together), f"baseline {back.label}"


@dataclass(frozen=True)
class _Notice:
    """What a message is made of, worked out when it is asked for."""

    monitor: Monitor
    store: Store
    alert: Alert
    event: AlertEvent
    rule: AlertRule
    earlier: Sequence[AlertEvent] | None

    @property
    def zone(self) -> str:
        return self.monitor.timezone

    @property
    def rule_is_gone(self) -> bool:
        return self.rule.name not in {rule.name for rule in self.monitor.alert_rules}

    @cached_property
    def headline(self) -> str:
        match self.event.event:
            case "resolved":
                return sentence.resolved(self.alert, self.windows, self.worst, self.zone)
            case "withdrawn":
                return sentence.withdrawn(self.alert, rule_is_gone=self.rule_is_gone)
            case "escalated":
                return sentence.escalated(self.alert, self.event, self.worst)
            case _ if self.silence is not None:
                return sentence.silent(self.silence, self.monitor.inference_log.table, self.zone)
            case "continued":
                return sentence.continued(
                    self.alert, self._called(self.new), self._called(self.as_before), self.windows, self.worst
                )
            case _:
                return sentence.opened(self.alert, self.worst)

    @property
    def facts(self) -> Facts:
        alert, event, rule = self.alert, self.event, self.rule
        when, told = rule.when, ", ".join(rule.notify)
        k, n = when.windows.k, when.windows.n
        often = "" if n == 1 else f" in {k} of the last {n} windows"
        pairs = [("Severity", rule.severity), ("Monitor", self.monitor.name)]
        if self.monitor.owner:
            pairs.append(("Owner", self.monitor.owner))
        pairs.append(("Rule", f"{rule.name}: {', '.join(when.check)} {IS[when.status]}{often}"))
        segments = [series.segment for series in alert.series if series.segment]
        if alert.columns:
            pairs.append(("Column" if len(alert.columns) == 1 else "Columns", listed(alert.columns, SHOWN)))
        if segments:
            pairs.append(("Segment" if len(set(segments)) == 1 else "Segments", listed(segments, SHOWN)))
        pairs.append(
            ("Was open since" if event.event in ENDS else "Open since", window_in_words(alert.opened, self.zone))
        )
        if event.window != alert.opened:
            pairs.append(("Window", window_in_words(event.window, self.zone)))
        if self.silence is not None and self.silence.before is not None:
            pairs.append(("Last results", window_in_words(self.silence.before, self.zone)))
        pairs.append(("In UTC", str(event.window)))
        if event.event == "escalated" and rule.escalate is not None:
            also = ", ".join(name for name in rule.escalate.notify if name not in rule.notify)
            pairs.append(("Told", f"{told or 'nobody'} when it opened; now {f'{also} too' if also else 'again'}"))
        return Facts(tuple(pairs))

    @property
    def saying(self) -> Iterator[Paragraph]:
        """The check's own sentence about the worst number: the first that a person wants to read, if it is of now."""
        if self.event.event not in ENDS and self.silence is None:
            yield from self._what_the_check_said()

    @property
    def numbers(self) -> Iterator[Block]:
        if self.event.event == "withdrawn":
            yield from self._then_and_now()
        elif self.silence is not None:
            if len(self.silence.error) > sentence.ERROR:
                yield Paragraph(f"The error of the latest window: {self.silence.error}")
        elif self.shown:
            which = "When it was worst," if self.event.event == "resolved" else "In window"
            caption = f"{which} {window_in_words(self.shown[0].window, self.zone)}"
            yield evidence_table(caption, self.shown, self.alert.series)
            if self.event.event == "continued" and self.new:
                new, before = (listed(self._called(series), SHOWN) for series in (self.new, self.as_before))
                yield Paragraph(f"New: {new}. As before: {before or 'nothing'}.")
            if self.event.event == "resolved":
                yield from self._what_the_check_said()

    @property
    def pictures(self) -> Iterator[Block]:
        if self.event.event == "withdrawn":
            return
        try:
            found = [self._rows_course()] if self.silence is not None else [self._bars(), self._course()]
            yield from (each for each in found if each is not None)
        except _UNREADABLE as error:
            yield Paragraph(f"The picture is missing, because it could not be read: {error}")

    @property
    def sql(self) -> Iterator[Block]:
        dialect, monitor, window = self.store.engine.dialect, self.monitor.name, self.event.window
        if self.silence is not None:
            text = window_runs_sql(dialect, monitor, window.end, max(COURSE, self.silence.windows + 1))
            yield Code("How the windows ended, from the results store", text)
            return
        start = min(self.alert.opened.start, *(each.window.start for each in self.event.evidence), window.start)
        checks = dict.fromkeys([series.check_name for series in self.alert.series] or self.rule.when.check)
        columns = () if any(not each.column_name for each in self.alert.series) else self.alert.columns
        statuses = () if self.event.event in ENDS else MATCHING[self.rule.when.status]
        period = Window(start, max(window.end, self.alert.last.end))
        text = results_sql(dialect, monitor, period, checks, columns[:SHOWN], statuses)
        yield Code("The numbers, from the results store", text)

    @property
    def commands(self) -> Code:
        alerts = "monitoring-tasks alerts"
        of_it = f"{self.alert.alert_id} --by $USER"
        lines = [f"{alerts} show {self.alert.alert_id}  # all about it"]
        verdicts = [
            f"{alerts} confirm {of_it}  # a real incident, moving baselines leave it out",
            f"{alerts} false-alarm {of_it} --note WHY  # nothing is wrong",
        ]
        if self.event.event == "withdrawn":
            return Code("To look at it", "\n".join(lines), "shell")
        if self.event.event == "resolved":
            return Code("To say what it was", "\n".join([*verdicts, *lines]), "shell")
        answers = [
            f"{alerts} ack {of_it}  # I am on it, no more reminders",
            f"{alerts} snooze {of_it} --until 12h  # not now",
            *verdicts,
        ]
        if self.rule.reset == "manual":
            answers.append(f"{alerts} resolve {of_it}  # it is over")
        return Code("To answer", "\n".join([*answers, *lines]), "shell")

    @cached_property
    def silence(self) -> sentence.Silence | None:
        """The windows in a row without results, where that is what the rule is about."""
        state = {"error": "failed", "insufficient_data": "empty"}.get(self.rule.when.status)
        if state is None or self.event.event not in ("opened", "continued", "escalated"):
            return None
        if (
            state == "failed" and self.event.evidence
        ):  # a check wrote before another failed, and has an error of its own
            return None
        table, window = tables.window_run, self.event.window
        found = (
            select(table.c.window_start, table.c.window_end, table.c.state, table.c.error)
            .where(table.c.monitor == self.monitor.name, table.c.window_start <= window.start)
            .order_by(table.c.window_start.desc(), table.c.window_end)
            .limit(SILENT)
        )
        with self.store.reading() as connection:
            runs = [row for row in connection.execute(found) if _alike(Window(row[0], row[1]), window)]
        if not runs or runs[0].state != state or runs[0].window_start != window.start:
            return None
        silent = next((place for place, run in enumerate(runs) if run.state == "done"), len(runs))
        first, before = runs[silent - 1], runs[silent] if silent < len(runs) else None
        return sentence.Silence(
            state,
            silent,
            Window(first.window_start, first.window_end),
            None if before is None else Window(before.window_start, before.window_end),
            runs[0].error or "",
            mixed=len({run.state for run in runs[:silent]}) > 1,
        )

    @cached_property
    def windows(self) -> int:
        """How many windows the alert has been open, to its last one."""
        until = self.event.window if self.event.event != "resolved" else self.alert.last
        table = tables.window_run
        inside = is_inside(table, self.monitor.name, self.alert.opened.start, until.end)
        with self.store.reading() as connection:
            runs = [
                Window(*row)
                for row in connection.execute(select(table.c.window_start, table.c.window_end).where(inside))
            ]
        return max(sum(_alike(run, self.alert.opened) for run in runs), 1)

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the rule matched: the event's, or if it has none (an alert that ends) that of all of the alert."""
        if self.event.evidence and self.event.event not in ENDS:
            return self.event.evidence
        found = self.store.results(
            self.monitor.name,
            self.alert.opened.start,
            max(self.alert.last.end, self.alert.opened.end),
            checks=self.rule.when.check,
            metrics=() if self.rule.when.metric is None else (self.rule.when.metric,),
            columns=() if self.rule.when.column is None else (self.rule.when.column,),
            statuses=MATCHING[self.rule.when.status],
        )
        matched = tuple(map(evidence_of, found))
        mine = {*self.alert.series}
        return tuple(each for each in matched if each.series in mine) or matched or self.event.evidence

    @cached_property
    def worst(self) -> Evidence | None:
        """The result that says it best."""
        if self.event.event == "resolved":
            measured = [each for each in self.evidence if each.value is not None]
            return max(measured, key=times_bound, default=None)
        groups = worst_first(self.shown, self.alert.series)
        return groups[0][0] if groups else None

    @cached_property
    def shown(self) -> tuple[Evidence, ...]:
        """The evidence of one window: the latest, or of an alert that is over the worst."""
        if not self.evidence:
            return ()
        if self.event.event == "resolved" and self.worst is not None:
            window = self.worst.window
        else:
            window = max(each.window for each in self.evidence)
        return tuple(each for each in self.evidence if each.window == window)

    @cached_property
    def before(self) -> tuple[AlertEvent, ...]:
        """What happened to the alert before."""
        if self.earlier is not None:
            return tuple(self.earlier)
        table = tables.alert_event
        found = (
            select(table)
            .where(table.c.alert_id == self.alert.alert_id, table.c.sequence < self.event.sequence)
            .order_by(table.c.sequence)
        )
        with self.store.reading() as connection:
            return tuple(event_of(row._asdict()) for row in connection.execute(found))

    @cached_property
    def _known(self) -> frozenset[Series] | None:
        """The series that were told of last; None if that is not known."""
        last = next((each for each in reversed(self.before) if each.evidence), None)
        return None if last is None else frozenset(each.series for each in last.evidence)

    @property
    def new(self) -> tuple[Series, ...]:
        if self._known is None:
            return ()
        return tuple(series for series in self.alert.series if series not in self._known)

    @property
    def as_before(self) -> tuple[Series, ...]:
        return tuple(series for series in self.alert.series if self._known is None or series in self._known)

    def _called(self, series: Iterable[Series]) -> tuple[str, ...]:
        """Name series: one that is about no column by its numbers."""
        metrics: dict[Series, list[str]] = {}
        for number in self.shown:
            metrics.setdefault(number.series, []).append(number.metric)
        named = []
        for each in series:
            whole = listed(metrics.get(each, [each.check_name]), 2)
            where = f" in {each.segment}" if each.segment else ""
            named.append(series_name(each) if each.column_name else f"{whole}{where}")
        return tuple(named)

    def _what_the_check_said(self) -> Iterator[Paragraph]:
        if self.worst is not None and self.worst.message:
            where = f"{self.worst.segment}: " if self.worst.segment else ""
            yield Paragraph(f"{where}{self.worst.message}")

    def _then_and_now(self) -> Iterator[Block]:
        """What opened the alert, beside what the store holds in its place now."""
        opening = next((each for each in self.before if each.event == "opened"), None)
        then = () if opening is None else opening.evidence
        if not then:
            return
        now = {
            _key(each): each
            for each in map(
                evidence_of,
                self.store.results(
                    self.monitor.name,
                    min(each.window.start for each in then),
                    max(each.window.end for each in then),
                    checks={each.check_name for each in then},
                ),
            )
        }
        groups = worst_first(then, self.alert.series)
        rows = []
        for group in groups[:SHOWN]:
            was, found = group[0], now.get(_key(group[0]))
            is_now = "no result" if found is None else f"{value_in_words(was.metric, found.value)}, {found.status}"
            told = f"{value_in_words(was.metric, was.value)}, {was.status}"
            bound = bound_in_words(was if found is None else found)
            rows.append((series_name(was.series), was.metric, told, is_now, bound))
        window = window_in_words(max(each.window for each in then), self.zone)
        header = ("column", "metric", "then", "now", "bound")
        yield Numbers(f"What opened it, window {window}", header, tuple(rows), len(groups) - len(rows))
        yield Paragraph("Labels or rows came late, or the window was run again with another monitor file or baseline.")

    def _bars(self) -> Bars | None:
        """How the worst column's rows are spread over its bins."""
        worst = next((each for each in self._by_worst() if each.column_name), None)
        if worst is None or worst.check_name in NOT_OF_BINS:
            return None
        if worst.column_name == self.monitor.inference_log.error:  # NULL is what is good; the rate's course says it all
            return None
        baseline_id, profiles = self.store.read_profiles(self.monitor.name, worst.window)
        profile = next((each for each in profiles if each.segment == worst.segment), None)
        if profile is None or worst.column_name not in profile.columns:
            return None
        baseline = self.store.read_baseline(baseline_id)
        if worst.column_name not in baseline.bins:
            return None
        reference, name = self._reference(baseline, worst)
        if reference is None:
            return None
        return share_bars(
            f"Share of rows by {series_name(worst.series)}",
            baseline.bins[worst.column_name],
            reference,
            profile.columns[worst.column_name],
            name,
            f"window {window_in_words(worst.window, self.zone, named=False)}",
        )

    def _reference(self, baseline: Baseline, worst: Evidence) -> tuple[ColumnProfile | None, str]:
        """Return what the column is compared with, and what that is called."""
        moving = earlier_rows(self.monitor, self.store, baseline, worst) if self.monitor.baseline_is_past else None
        if moving is not None:
            return moving
        columns = baseline.segments.get(worst.segment, {}) if worst.segment else baseline.columns
        return columns.get(worst.column_name), OWN_ROWS

    def _by_worst(self) -> Iterator[Evidence]:
        yield from [] if self.worst is None else [self.worst]
        yield from (group[0] for group in worst_first(self.shown, self.alert.series))

    def _course(self) -> Course | None:
        """How the worst number went over the last windows."""
        worst = self.worst
        if worst is None or not worst.metric:
            return None
        rows = self.store.query(
            "SELECT window_start, window_end, value, status, threshold_lower, threshold_upper FROM result "
            "WHERE monitor = :monitor AND check_name = :check AND metric = :metric AND column_name = :column "
            "AND segment = :segment AND window_start <= :until "
            "ORDER BY window_start DESC LIMIT :most",
            most=2 * COURSE,
            monitor=self.monitor.name,
            check=worst.check_name,
            metric=worst.metric,
            column=worst.column_name,
            segment=worst.segment,
            until=self.event.window.start,
        )
        found = [row for row in rows if _alike(_window(row), worst.window)][:COURSE][::-1]
        if len(found) < 2:
            return None
        bounds = {each: found[-1][each] for each in ("threshold_lower", "threshold_upper")}
        last = replace(worst, **bounds)
        name = f"{series_name(worst.series)}, {worst.metric}" if worst.column_name else worst.metric
        return Course(
            f"{name} over the last {counted(len(found), 'window')}",
            tuple(window_in_words(_window(row), self.zone, named=False) for row in found),
            tuple(row["value"] for row in found),
            tuple(value_in_words(worst.metric, row["value"]) for row in found),
            tuple(row["status"] for row in found),
            last.threshold_lower,
            last.threshold_upper,
            "" if last.threshold_lower is None and last.threshold_upper is None else bound_in_words(last),
        )

    def _rows_course(self) -> Course | None:
        """How many rows came in the last windows."""
        table, window = tables.window_run, self.event.window
        found = (
            select(table.c.window_start, table.c.window_end, table.c.rows, table.c.state)
            .where(table.c.monitor == self.monitor.name, table.c.window_start <= window.start)
            .order_by(table.c.window_start.desc())
            .limit(2 * COURSE)
        )
        with self.store.reading() as connection:
            runs = [row for row in connection.execute(found) if _alike(Window(row[0], row[1]), window)][:COURSE][::-1]
        if len(runs) < 2:
            return None
        return Course(
            f"rows over the last {counted(len(runs), 'window')}",
            tuple(window_in_words(Window(run.window_start, run.window_end), self.zone, named=False) for run in runs),
            tuple(None if run.rows is None else float(run.rows) for run in runs),
            tuple(value_in_words("rows", run.rows) for run in runs),
            tuple("alarm" if run.state != "done" else "ok" for run in runs),
        )


def _links(monitor: Monitor, alert: Alert, event: AlertEvent, links: Links) -> tuple[list[LinksBlock], list[Paragraph]]:
    """Return the links, and what is wrong with them: a template that cannot be filled must not hold back an alert."""
    doubts = []
    report = links.report
    try:
        report = report or report_url(monitor.name, event.window, alert.alert_id)
    except ConfigError as error:
        doubts.append(Paragraph(str(error)))
    pairs = [("Airflow run", links.run), ("Report", report)]
    known = tuple((name, url) for name, url in pairs if url)
    return ([LinksBlock(known)] if known else []), doubts


def _key(evidence: Evidence) -> tuple[Any, ...]:
    return evidence.window, evidence.check_name, evidence.metric, evidence.column_name, evidence.segment


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["window_start"], row["window_end"])


def _alike(one: Window, other: Window) -> bool:
    """Tell whether windows are equally long, but for the hour of a day on which clocks change."""
    return 0.9 < one.length / other.length < 1.1
