"""Where a series of losses, errors or residuals changes: one detector per file, each a pure function of the series.

A detector keeps nothing between calls: its state is derived from the series each time, so reruns and backfills agree. A
detector is added by its file and its line in `CHANGE_DETECTORS`; the tests of the laws that all of them obey then run
over it too.

**Batches.** Windows give a number of rows and a mean; with ``rows=`` a batch of k rows counts as k. The bounds of all
detectors are for rows that are independent. Where windows have levels of their own they are not, and all but `cusum`
with `standard_deviation_of_means` should be given `effective_rows`. False alarms per 1000 batches of 1000 rows whose
error rates are 0.1 with a standard deviation of 0.02, by simulation:

============  ==========  ========================
detector      their rows  `effective_rows`, 184
============  ==========  ========================
page_hinkley  97          4.7
adwin         59          0
ddm           11          0.2
hddm_a        3           0
hddm_w        0           0
cusum         109         2.2, by the deviations
============  ==========  ========================
"""

from __future__ import annotations

import difflib

from monitoring_tasks.errors import ConfigError
from monitoring_tasks.statistics.change.adwin import DETECTOR as ADWIN
from monitoring_tasks.statistics.change.adwin import adwin
from monitoring_tasks.statistics.change.batch_means import effective_rows, standard_deviation_of_means
from monitoring_tasks.statistics.change.cusum import DETECTOR as CUSUM
from monitoring_tasks.statistics.change.cusum import average_run_length, cusum
from monitoring_tasks.statistics.change.ddm import DETECTOR as DDM
from monitoring_tasks.statistics.change.ddm import ddm
from monitoring_tasks.statistics.change.detector import ChangeDetector, Changes, Direction
from monitoring_tasks.statistics.change.hddm import DETECTOR_A, DETECTOR_W, hddm_a, hddm_w
from monitoring_tasks.statistics.change.kolmogorov_windows import DETECTOR as KSWIN
from monitoring_tasks.statistics.change.kolmogorov_windows import kswin
from monitoring_tasks.statistics.change.page_hinkley import DETECTOR as PAGE_HINKLEY
from monitoring_tasks.statistics.change.page_hinkley import page_hinkley

__all__ = [
    "CHANGE_DETECTORS",
    "ChangeDetector",
    "Changes",
    "Direction",
    "adwin",
    "average_run_length",
    "change_detector",
    "cusum",
    "ddm",
    "effective_rows",
    "hddm_a",
    "hddm_w",
    "kswin",
    "page_hinkley",
    "standard_deviation_of_means",
]

CHANGE_DETECTORS: tuple[ChangeDetector, ...] = (PAGE_HINKLEY, CUSUM, ADWIN, DDM, DETECTOR_A, DETECTOR_W, KSWIN)
"""Every change detector, in the order people see them."""


def change_detector(name: str) -> ChangeDetector:
    """Return the detector of this name.

    Raises
    ------
    ConfigError
        If there is none.

    Examples
    --------
    >>> change_detector("hddm_a").title
    'HDDM_A'
    """
    by_name = {detector.name: detector for detector in CHANGE_DETECTORS}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"write one of {', '.join(by_name)}"
    raise ConfigError(f"{name!r} is not a change detector; {hint}")
