"""The whole system on one page: windows of the warehouse become profiles, profiles results, results rows.

A scheduled run is a list of one window, a backfill a long one. Airflow's tasks call the same three steps one by one
(`scan_windows`, `check_window`, `close_window`) that `run_windows` calls in a row, so the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TypeVar

from monitoring_tasks.alerting import decide_alerts
from monitoring_tasks.baseline import find_baseline, is_declared, measure_baseline
from monitoring_tasks.checks import Check, CheckContext, Result, enabled
from monitoring_tasks.checks.data_quality import has_suite
from monitoring_tasks.columns import feature_names
from monitoring_tasks.config import Monitor
from monitoring_tasks.errors import (
    ConfigError,
    DataError,
    MonitoringError,
    ReplacedError,
    TransientError,
    UnreadError,
    about,
)
from monitoring_tasks.expectations.suite_file import read_suite
from monitoring_tasks.expectations.validation import suite_path
from monitoring_tasks.history import History, looks_back
from monitoring_tasks.inference_log import log_source
from monitoring_tasks.label_history import digests_before, labels_before
from monitoring_tasks.labels_profile import WindowLabels
from monitoring_tasks.labels_read import LabelsRead
from monitoring_tasks.late_labels import Counted, checks_of_labels, scanned
from monitoring_tasks.late_rows import compare_anew, read_otherwise
from monitoring_tasks.profile import Profile
from monitoring_tasks.progress import Progress
from monitoring_tasks.results.rows import labels_digest, profile_digest
from monitoring_tasks.results.store import CheckRun, Store, WindowRun, WindowState, open_store
from monitoring_tasks.samples import Samples
from monitoring_tasks.scan_plan import CountedLog, ScanPlan, counted_log, plan_scan
from monitoring_tasks.traffic import Traffic
from monitoring_tasks.traffic_history import stored_traffic
from monitoring_tasks.warehouse.engine import Warehouse, open_warehouse, warehouse_url
from monitoring_tasks.warehouse.labels import Labelled
from monitoring_tasks.warehouse.scan import scan_with_labels
from monitoring_tasks.warehouse.statement import Source
from monitoring_tasks.warehouse.traffic import read_earlier_traffic
from monitoring_tasks.window import Window, format_instant, require_ended
from monitoring_tasks.window_traffic import window_traffic

T = TypeVar("T")

TRIES = 5
"""How often a step is taken before it gives up, when other runs of the same window keep replacing what it read."""

UNANSWERED = 3
"""Windows in a row whose rows the warehouse did not give, after which it is not asked for rows any more."""


def run_windows(
    monitor: Monitor,
    start: datetime,
    end: datetime,
    *,
    warehouse: Warehouse | None = None,
    store: Store | None = None,
    checks: Collection[str] | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
    notify: bool = False,
) -> tuple[WindowRun, ...]:
    """Monitor every whole window inside ``[start, end)``, in as few scans as possible.

    Parameters
    ----------
    monitor
        A monitor, see `monitoring_tasks.load_monitor`.
    start, end
        Aware instants.
    warehouse, store
        Open ones; by default those that the environment names.
    checks
        Names of the checks to run again; by default all that are on. The others run only where the window's rows
        changed, or they never ran under what the monitor file says now: a window is done when every check has.
    progress
        Told how far it is.
    now
        The present, aware; by default the clock's. All windows must have ended by then.
    notify
        Whether people are told of the alerts that these windows open; by default alerts are only recorded. What an
        earlier run was killed before it could tell is told either way.

    Returns
    -------
    tuple of WindowRun
        How each window ended, in time order; others whose labels arrived in this period are among them if they failed.

    Raises
    ------
    ConfigError
        If no whole window lies inside or one has not ended yet, or the monitor or its suite cannot be read or computed.
    DataError, TransientError
        If the warehouse or the store fails as a whole; the windows that were not read are then recorded as failed, as
        they are by any other error.
    UnreadError
        If the warehouse did not answer checks that read rows, after every window: those whose rows are missing are
        recorded as failed, with the results of all other checks.
    """
    moment = now or datetime.now(UTC)
    if end > moment:
        require_ended(monitor.schedule.each_window(start, end), moment, f"monitor {monitor.name!r}")
    windows = monitor.schedule.windows(start, end)
    if not windows:
        raise ConfigError(
            f"monitor {monitor.name!r}: no whole window of {monitor.schedule.expression!r} "
            f"({monitor.schedule.timezone}) lies between {format_instant(start)} and {format_instant(end)}"
        )
    names = _chosen(monitor, checks)
    suite = suite_path(monitor)
    if suite is not None:
        read_suite(suite)
    with ExitStack() as stack:
        store = store or stack.enter_context(open_store())
        with _deciding_alerts(monitor, store, moment):
            if warehouse is None:
                url = warehouse_url(monitor.warehouse)
                with recording_failure(monitor, windows, store, tell=notify):
                    warehouse = stack.enter_context(open_warehouse(url))
            return _run_windows(monitor, windows, names, warehouse, store, progress, moment, checks is not None, notify)


@contextmanager
def _deciding_alerts(monitor: Monitor, store: Store, now: datetime) -> Iterator[None]:
    """Decide, after the block, what its windows mean for alerts: also if it fails, because failed windows mean some."""
    try:
        yield
    except Exception as error:
        try:
            decide_alerts(monitor, store, now=now)
        except MonitoringError as second:
            error.add_note(f"alerts could not be decided on: {second}")
        raise
    decide_alerts(monitor, store, now=now)


def _run_windows(
    monitor: Monitor,
    windows: Sequence[Window],
    names: Sequence[str],
    warehouse: Warehouse,
    store: Store,
    progress: Progress | None,
    now: datetime,
    keep: bool,
    tell: bool,
) -> tuple[WindowRun, ...]:
    began = monotonic()
    again = scan_windows(monitor, windows, warehouse, store, progress, keep=keep, now=now, tell=tell)
    every = sorted({*windows, *again})
    share = (monotonic() - began) / len(every)
    samples = Samples(monitor, warehouse, every)
    runs = []
    unread: dict[Window, str] = {}
    uncheckable: dict[Window, str] = {}
    in_a_row = 0
    history = history_of(monitor, every, store)
    for done, window in enumerate(every):
        _tell(progress, "Check", done, len(every))
        began = monotonic()
        never = missing_checks(monitor, window, [check.name for check in enabled(monitor)], store)
        try:
            wanted = (*(() if window in again else names), *never)
            _check_until_written(monitor, window, wanted, store, history, samples)
            in_a_row = 0
        except UnreadError as error:
            unread[window] = str(error)
            in_a_row += 1
            if in_a_row == UNANSWERED:
                samples.give_up()
        except DataError as error:
            uncheckable[window] = str(error)
        seconds = share + monotonic() - began
        reason = unread.get(window) or uncheckable.get(window)
        run = close_window(monitor, window, store, datetime.now(UTC), seconds, reason, tell=tell)
        if window not in again or run.state == "failed":
            runs.append(run)
    _tell(progress, "Check", len(every), len(every))
    if unread:
        first, reason = next(iter(unread.items()))
        raise UnreadError(
            f"monitor {monitor.name!r}: {len(unread)} of {len(every)} windows failed because their rows could not be "
            f"read, first {first}: {reason}; run them again"
        )
    return tuple(runs)


def scan_windows(
    monitor: Monitor,
    windows: Sequence[Window],
    warehouse: Warehouse,
    store: Store,
    progress: Progress | None = None,
    *,
    keep: bool = False,
    now: datetime | None = None,
    tell: bool = False,
) -> tuple[Window, ...]:
    """Read the windows from the warehouse and store their profiles and labels, each window in one transaction.

    With `keep`, a window whose profile is what is stored already stays untouched, with the checks that ran on it; else
    all its checks must run again. The baseline is measured first, if it never was. If the warehouse fails, the windows
    that are not stored are recorded as failed, and the error goes on; of `tell` see `close_window`.

    With a moving or a seasonal baseline, or with bands, the same scan also reads the earlier windows that they are
    compared with and that have no profile on this baseline. Of those only the profile is stored, and only if it is
    missing still.

    With labels, it reads other windows again as well: those whose labels arrived in these windows, those whose labels
    were not complete when they were read last and are now, and those that wait on a baseline of before the file was
    edited. If more labels of the baseline's rows are counted by now, see `baseline_labels_until`, they are measured,
    and every window is compared with them anew. And it reads the earlier windows whose labels the change detectors look
    at, see `monitoring_tasks.label_history`.

    Windows of the last `operations.late_rows` that hold other rows now than when they were read are read again too, as
    are those without labels that wait on a baseline of before the file was edited. What was compared with them since is
    compared anew; so is what was compared with one of these windows, if that was read before and holds other rows now.
    Beside the profiles it stores the traffic of the windows, and of those earlier ones that say how much to expect.

    Labels may be loaded while it reads, and another run that began later may have read more of them. What that one has
    stored stays, and the windows of this one are read again, because it looked for windows that were stored by then.

    Returns
    -------
    tuple of Window
        The others that had been run before and are not done any more, in time order: what is missing of their checks
        must run again.
    """
    left = list(windows)
    with recording_failure(monitor, left, store, tell=tell):
        table = monitor.inference_log.table
        types = warehouse.columns(table)
        source = log_source(monitor, types)
        star = monitor.inference_log.features.names is None
        features = feature_names(monitor, types, warehouse.partition_keys(table) if star else ())
        baseline = find_baseline(monitor, store)
        if baseline is None:
            _tell(progress, "Measure the baseline", 0, 1)
            baseline = measure_baseline(monitor, types, features, source, warehouse, store)
            _tell(progress, "Measure the baseline", 1, 1)
        log = counted_log(monitor, source, types, features, baseline)
        reread: set[Window] = set()
        for _ in range(TRIES):
            left[:] = windows
            history = history_of(monitor, windows, store)
            plan = plan_scan(monitor, windows, warehouse, log, store, history, reread, now or datetime.now(UTC))
            every = plan.every
            _tell(progress, "Scan", 0, len(every))
            with about(f"table {source.table!r}"):
                traffic = window_traffic(monitor, warehouse, types, source, plan.timed)
                before = read_earlier_traffic(warehouse, source, plan.looked_back_on)
            held = {window: traffic[window].rows for window in windows}
            changed = {*plan.came, *read_otherwise(monitor, held, baseline, store, timed=windows)}
            if changed:  # before they are written, for a process that is killed in between
                compare_anew(monitor, changed, windows, baseline, store)
            found = scanned(partial(_scan, warehouse, log), every, monitor, plan.labels)
            for done, (profiles, labels) in enumerate(_about_table(source, found), start=1):
                window = profiles[0].window
                _store_window(monitor, store, plan, log, profiles, labels, traffic.get(window), keep=keep)
                if window not in plan.earlier and window not in plan.late:
                    left.remove(window)
                _tell(progress, "Scan", done, len(every))
            for each in before:
                store.write_missing_traffic(monitor.name, each)
            if changed:  # and after it, for one that compared with the old rows meanwhile
                compare_anew(monitor, changed, windows, baseline, store)
            if plan.read is None or not plan.read.is_behind(store.labels_read(monitor.name)):
                break
            # A run that read more could not know of what was not stored yet: what it did not see is read again.
            reread, keep = {*plan.earlier, *plan.late}, True
        else:
            raise ReplacedError(f"monitor {monitor.name!r}: other runs read newer labels again and again: run it later")
        again = store.waiting(monitor.name, baseline.id)
    return tuple(window for window in again if window not in windows)


def _scan(
    warehouse: Warehouse, log: CountedLog, part: Sequence[Window], labelled: Labelled | None
) -> Iterator[Counted]:
    bins = log.baseline.bins
    return scan_with_labels(warehouse, log.source, log.columns, bins, part, log.segments, labelled)


def _store_window(
    monitor: Monitor,
    store: Store,
    plan: ScanPlan,
    log: CountedLog,
    profiles: Sequence[Profile],
    labels: WindowLabels | None,
    traffic: Traffic | None,
    *,
    keep: bool,
) -> None:
    """Store what was read of a window, by why it was read."""
    window, name, baseline_id, read = profiles[0].window, monitor.name, log.baseline.id, plan.read
    profiles = log.described(profiles)
    late, came = window in plan.late, window in plan.came
    if late and not came and labels is not None and labels.unreadable is not None:
        return  # what is stored of its labels is better than nothing
    if window in plan.earlier:
        store.write_missing_profiles(name, window, profiles, baseline_id, labels, read=read)
        return
    ran = late and window in plan.run_before
    with plan.label_history.writing(window, labels):
        if came and not ran:
            store.write_missing_profiles(name, window, profiles, baseline_id, labels, read=read, anew=True)
        elif late or keep:
            _write_changed(store, monitor, profiles, labels, traffic, baseline_id, read, ran=ran, late=late)
        else:
            store.write_profiles(name, window, profiles, baseline_id, labels, traffic=traffic, read=read)


def _write_changed(
    store: Store,
    monitor: Monitor,
    profiles: Sequence[Profile],
    labels: WindowLabels | None,
    traffic: Traffic | None,
    baseline_id: str,
    read: LabelsRead | None,
    *,
    ran: bool,
    late: bool,
) -> None:
    """Store what is not stored already. A `late` window then waits if it `ran`, or if it was run meanwhile."""
    window = profiles[0].window
    state = store.window_state(monitor.name, window)
    if state.digest != profile_digest(profiles, baseline_id, traffic):
        write = partial(store.write_profiles, monitor.name, window, profiles, baseline_id, labels, traffic=traffic)
        write(waiting=ran, owed=late, read=read)
    elif labels is not None and (state.labels is None or state.labels.digest != labels_digest(labels, baseline_id)):
        forgotten = checks_of_labels(monitor)
        store.write_labels(monitor.name, window, labels, baseline_id, forgotten, waiting=ran, owed=late, read=read)
    elif ran and len(state.checks) < len(enabled(monitor)):
        store.forget_checks(monitor.name, [window], ())


def waiting_windows(monitor: Monitor, store: Store) -> tuple[Window, ...]:
    """Return the windows that were run and whose checks must run again, in time order: see `Store.waiting`.

    Those on a baseline that the monitor file does not name any more are left out. No check can run on them before a
    scan has read them anew.
    """
    if not store.waiting(monitor.name):
        return ()
    baseline = find_baseline(monitor, store)
    return () if baseline is None else store.waiting(monitor.name, baseline.id)


def history_of(monitor: Monitor, windows: Sequence[Window], store: Store) -> History | None:
    """Return what the windows look back on; None of a monitor none of whose checks looks at earlier windows."""
    return History(monitor, windows, store) if looks_back(monitor) and windows else None


def _about_table(source: Source, profiles: Iterator[T]) -> Iterator[T]:
    """Name the table in what goes wrong while it is read; what goes wrong with the profiles is not about it."""
    with about(f"table {source.table!r}"):
        yield from profiles


@contextmanager
def recording_failure(
    monitor: Monitor, windows: Sequence[Window], store: Store, *, tell: bool = False
) -> Iterator[None]:
    """Record, if the block fails, that those `windows` failed which are still in the sequence then.

    The error goes on, whatever it is: a window that could not be read now must not stay done. An interrupt or an exit
    is no failure of the windows. Like a killed process it leaves them as they were, for the next run to complete. Of
    `tell` see `close_window`.
    """
    try:
        yield
    except Exception as error:
        reason = str(error) if isinstance(error, MonitoringError) else f"{type(error).__name__}: {error}"
        try:
            record_failed(monitor, windows, store, reason, tell=tell)
        except MonitoringError as second:
            error.add_note(f"the windows could not be recorded as failed: {second}")
        raise


def record_failed(
    monitor: Monitor, windows: Sequence[Window], store: Store, reason: str, *, tell: bool = False
) -> None:
    """Record the windows as failed because they could not be read; nothing can be closed as done on what they hold."""
    for window in windows:
        run = WindowRun(monitor.name, window, "failed", monitor.config_hash, datetime.now(UTC), error=reason)
        store.write_failed_scan(run, tell=tell)


def check_window(
    monitor: Monitor,
    window: Window,
    checks: Sequence[str],
    store: Store,
    history: History | None = None,
    samples: Samples | None = None,
) -> tuple[str, ...]:
    """Run these checks on the stored profile and store their results, each check in one transaction.

    Parameters
    ----------
    monitor, window, checks, store
        The checks by name, and an open store.
    history
        That of the windows of which this is one, see `history_of`, made after they were scanned. By default one of this
        window only is made, which reads every earlier window anew.
    samples
        From which checks that read rows draw them; the others need none.

    Returns
    -------
    tuple of str
        The checks that failed, wholly or for a column: each has written an ``error`` row that says why.

    Raises
    ------
    DataError
        If the window has no stored profile, or was scanned before the file named other columns or another baseline.
    TransientError
        If the store does not answer, or other runs keep replacing the profile: waiting heals that, and no check is to
        blame.
    UnreadError
        If the warehouse does not answer a check that reads rows, after the other checks have written.
    """
    history = history or history_of(monitor, [window], store)
    return _undisturbed(lambda: _check_window(monitor, window, checks, store, history, samples))


def _check_until_written(
    monitor: Monitor,
    window: Window,
    wanted: Sequence[str],
    store: Store,
    history: History | None,
    samples: Samples,
) -> None:
    """Run these checks, and again those that another run has had forgotten meanwhile: on what it has stored."""
    names = [check.name for check in enabled(monitor)]
    check_window(monitor, window, wanted, store, history, samples)
    for _ in range(TRIES - 1):
        wanted = missing_checks(monitor, window, names, store)
        if not wanted:
            return
        check_window(monitor, window, wanted, store, None, samples)


def _check_window(
    monitor: Monitor,
    window: Window,
    checks: Sequence[str],
    store: Store,
    history: History | None,
    samples: Samples | None,
) -> tuple[str, ...]:
    # The digest is read first: if the profile is replaced before it is read too, nothing can be written.
    state = store.window_state(monitor.name, window)
    _digest(monitor, window, state)
    baseline_id, profiles = store.read_profiles(monitor.name, window)
    baseline = store.read_baseline(baseline_id)
    if not is_declared(monitor, baseline):
        raise DataError(
            f"monitor {monitor.name!r}: {window} was scanned before the monitor file named other columns or another "
            "baseline: scan the window again"
        )
    context = CheckContext(monitor, window, profiles[0], baseline, profiles[1:])
    if samples is not None:
        incidents = () if history is None else history.incidents()
        draw = partial(samples.draw, window, profiles[0].rows, baseline, incidents)
        draw_labelled = None
        if baseline.outcomes is not None:
            until = store.labelled_until(baseline.id)
            draw_labelled = partial(samples.labelled, window, profiles[0].rows, baseline, until=until)
        run_suite = partial(samples.run_suite, window, profiles[0].rows) if has_suite(monitor) else None
        context = replace(context, draw=draw, draw_labelled=draw_labelled, run_suite=run_suite)
    chosen = [check for check in enabled(monitor) if check.name in checks]
    if any(check.reads_labels for check in chosen):
        labels = store.read_labels(monitor.name, window)
        context = replace(context, labels=labels, labelled_baseline=store.labelled_baseline(baseline))
    looking = [check.name for check in chosen if check.looks_back_on_labels]
    looked_at: tuple[str, ...] = ()
    if looking:
        # Those that change while they are read differ from these digests afterwards.
        looked_at = digests_before(monitor, window, baseline, store)
        context = replace(context, labels_before=partial(labels_before, monitor, window, baseline, store))
    context = replace(context, traffic=stored_traffic(monitor.name, [window], store).get(window))
    if history is not None:
        traffic_before = partial(history.traffic.before, window)
        latest = partial(history.latest_before, window, baseline)
        context = replace(context, traffic_before=traffic_before, latest_before=latest)
    if history is not None and any(check.compares for check in chosen):
        if monitor.baseline_is_past:
            earlier = history.reference(window, baseline)
            season = earlier if monitor.baseline.seasonal is None else history.season(window, baseline)
            before = partial(history.seasons_before, window, baseline)
            context = replace(context, earlier=earlier, season=season, seasons_before=before)
        context = replace(context, windows_before=history.windows_before(window, baseline))
    failed = []
    unread = []
    for check in chosen:
        try:
            error = _write(store, check, context, _results(check, context), state)
        except UnreadError as reason:
            unread.append(reason)
            continue
        except TransientError:
            raise
        except Exception as reason:  # noqa: BLE001  whatever a check trips over must not cost the other checks' rows
            message = f"check {check.name} failed: {type(reason).__name__}: {reason}"
            failure = Result("check", status="error", message=message)
            error = _write(store, check, context, [failure], state)
        if error:
            failed.append(check.name)
    if looking and digests_before(monitor, window, baseline, store) != looked_at:
        store.forget_checks(monitor.name, [window], looking)
        raise ReplacedError(f"monitor {monitor.name!r}: labels that {window} looks back on were replaced meanwhile")
    if unread:
        raise UnreadError("; ".join(map(str, unread))) from unread[0]
    return tuple(failed)


def _results(check: Check, context: CheckContext) -> list[Result]:
    """Run a check; tell a warehouse that does not answer it from a store that does not."""
    try:
        return check.run(context)
    except ReplacedError:
        raise
    except TransientError as error:
        if not check.reads_rows(context.monitor):
            raise
        raise UnreadError(f"{check.name}: {error}") from error


def _write(
    store: Store, check: Check, context: CheckContext, results: Sequence[Result], state: WindowState
) -> str | None:
    """Store a check's results on the profile and labels of this state; return why it failed, if it did."""
    error = "; ".join(result.message for result in results if result.decided() == "error") or None
    monitor = context.monitor
    store.write_results(
        monitor.name,
        context.window,
        check.name,
        results,
        error,
        config_hash=monitor.config_hash,
        digest=state.digest,
        labels=state.labels if check.reads_labels else None,
    )
    return error


def _written(monitor: Monitor, runs: Sequence[CheckRun]) -> dict[str, CheckRun]:
    """Return, by name, the checks that ran under what the monitor file says now."""
    return {run.check_name: run for run in runs if run.config_hash == monitor.config_hash}


def missing_checks(monitor: Monitor, window: Window, names: Sequence[str], store: Store) -> tuple[str, ...]:
    """Return those of the checks that have not written the window since it was read, under what the file says now."""
    written = _written(monitor, store.check_runs(monitor.name, window))
    return tuple(name for name in names if name not in written)


def _missing(names: Sequence[str], runs: Sequence[CheckRun]) -> str:
    """Say which of the checks never wrote, and which wrote before the monitor file was edited."""
    outdated = [run.check_name for run in runs if run.check_name in names]
    never = [name for name in names if name not in outdated]
    reasons = [f"not written: {', '.join(never)}"] * bool(never)
    reasons += [f"written before the monitor file was edited, run again: {', '.join(outdated)}"] * bool(outdated)
    return "; ".join(reasons)


def _digest(monitor: Monitor, window: Window, state: WindowState) -> str:
    if state.digest is None:
        raise DataError(
            f"monitor {monitor.name!r} has no profile of {window} that this version has stored: scan the window first"
        )
    return state.digest


def _undisturbed(step: Callable[[], T]) -> T:
    """Take a step, and again when another run has replaced what it had read: a few times, then its error goes on."""
    for _ in range(TRIES - 1):
        with suppress(ReplacedError):
            return step()
    return step()


def close_window(
    monitor: Monitor,
    window: Window,
    store: Store,
    now: datetime,
    seconds: float | None = None,
    unread: str | None = None,
    *,
    tell: bool = True,
) -> WindowRun:
    """Record how the window ended.

    It is done only when every check has written since the window was last scanned, under what the monitor file says
    now. Results of checks that are no longer on are deleted.

    Parameters
    ----------
    monitor, window, store
        As in `check_window`.
    now
        When it ended.
    seconds
        How long it took, where that is known.
    unread
        Why a check could not read the window's rows, or why none could run: the window has then failed, whatever an
        earlier run has written.
    tell
        Whether people are told of the alerts that it opens, once `monitoring_tasks.alerting.decide_alerts` has decided.

    Raises
    ------
    DataError
        If every check has written, but the window's profile is gone (it was rolled up).
    TransientError
        If the store does not answer, or other runs of the window keep writing.
    """
    return _undisturbed(lambda: _close_window(monitor, window, store, now, seconds, unread, tell=tell))


def _close_window(
    monitor: Monitor,
    window: Window,
    store: Store,
    now: datetime,
    seconds: float | None,
    unread: str | None,
    *,
    tell: bool,
) -> WindowRun:
    needed = [check.name for check in enabled(monitor)]
    state = store.window_state(monitor.name, window)
    written = _written(monitor, state.checks)
    missing = [name for name in needed if name not in written]
    failed = [f"{name}: {written[name].error}" for name in needed if name in written and written[name].error]
    error = "; ".join([*failed, *filter(None, [unread])]) or None
    if missing and unread is None:
        before = [run.error for run in store.window_runs(monitor.name, window.start, window.end) if run.error]
        error = before[0] if before and not state.checks else _missing(missing, state.checks)
    elif unread is None:
        _digest(monitor, window, state)
    labels = None if missing else state.labels
    known = None if labels is None else labels.rows
    run = WindowRun(
        monitor=monitor.name,
        window=window,
        state="failed" if error else "done" if state.rows else "empty",
        config_hash=monitor.config_hash,
        computed_at=now,
        rows=None if missing else state.rows,
        label_rows=known,
        label_coverage=known / state.rows if known is not None and state.rows else None,
        labels=None if labels is None or labels.unreadable else "final" if labels.final else "provisional",
        baseline_id=None if missing else state.baseline_id,
        seconds=seconds,
        error=error,
    )
    store.write_window_run(run, needed, schedule=monitor.schedule, state=state, waiting=bool(missing), tell=tell)
    return run


def _chosen(monitor: Monitor, checks: Collection[str] | None) -> tuple[str, ...]:
    on = tuple(check.name for check in enabled(monitor))
    if checks is None:
        return on
    unknown = [name for name in checks if name not in on]
    if unknown:
        raise ConfigError(f"monitor {monitor.name!r} computes no check {', '.join(unknown)}: it has {', '.join(on)}")
    return tuple(name for name in on if name in checks)


def _tell(progress: Progress | None, step: str, done: int, total: int) -> None:
    if progress is not None:
        progress(step, done, total)
