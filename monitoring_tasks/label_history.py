"""The labels of earlier windows as the results store holds them: which are missing, and who must look at them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monitoring_tasks.checks import enabled
from monitoring_tasks.config import Monitor
from monitoring_tasks.label_look_back import all_looked_back_on, looked_back_on, looking_back_on
from monitoring_tasks.labels_profile import LabelsProfile, WindowLabels
from monitoring_tasks.profile import Baseline
from monitoring_tasks.results.rows import labels_digest
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window


class LabelHistory:
    """What checks that look back on labels need of the windows before, and owe to the windows after.

    A window's rows depend on the labels of the windows before it. When those are written anew, the checks that looked
    at them are forgotten and run again, so that the rows do not depend on the order in which windows are run. They are
    forgotten before the labels are written, for a process that is killed in between, and after it, for one that read
    the old labels meanwhile. Those windows are then among the `waiting` of the store.
    """

    def __init__(self, monitor: Monitor, store: Store, baseline_id: str) -> None:
        self._monitor, self._store, self._baseline_id = monitor, store, baseline_id
        self._checks = tuple(check.name for check in enabled(monitor) if check.looks_back_on_labels)

    def missing(self, windows: Sequence[Window]) -> set[Window]:
        """Return the windows that these look back on and that have no profile on the baseline."""
        needed = all_looked_back_on(self._monitor, windows) if self._checks else set()
        if not needed:
            return set()
        start, end = min(needed).start, max(each.end for each in needed)
        stored = self._store.profiled_windows(
            self._monitor.name, start, end, overlapping=True, baseline_id=self._baseline_id
        )
        return needed.difference(stored)

    @contextmanager
    def writing(self, window: Window, labels: WindowLabels | None) -> Iterator[None]:
        """Run the block, which stores this window's labels; and have those that look back on it look again."""
        later = looking_back_on(self._monitor, window) if labels is not None and self._checks else ()
        if labels is None or not later:
            yield
            return
        stored = self._store.window_state(self._monitor.name, window).labels
        if stored is not None and stored.digest == labels_digest(labels, self._baseline_id):
            yield
            return
        self._forget(later)
        yield
        self._forget(later)

    def _forget(self, later: Sequence[Window]) -> None:
        """Forget the checks that looked at this window. It is asked anew who did, because other runs are at work.

        A window on another baseline never looked at labels on this one, and one that was rolled up has no profile on
        which a check could run again: what they say stays.
        """
        name, start, end = self._monitor.name, later[0].start, later[-1].end
        checked = self._store.windows_checked(name, start, end, self._checks).intersection(later)
        if checked:
            on_baseline = self._store.profiled_windows(
                name, start, end, overlapping=True, baseline_id=self._baseline_id
            )
            self._store.forget_checks(name, sorted(checked.intersection(on_baseline)), self._checks)


def labels_before(monitor: Monitor, window: Window, baseline: Baseline, store: Store) -> tuple[LabelsProfile, ...]:
    """Return what became of the rows of each window that this one looks back on, in time order."""
    return store.labels_of_all_rows(monitor.name, looked_back_on(monitor, window), baseline)


def digests_before(monitor: Monitor, window: Window, baseline: Baseline, store: Store) -> tuple[str, ...]:
    """Return the digests of the same, by which a change of them shows."""
    return store.label_digests(monitor.name, looked_back_on(monitor, window), baseline.id)
