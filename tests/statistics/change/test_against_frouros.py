"""frouros beside this package: the same rows where both follow one definition, and how far apart where they do not.

Literals of frouros 0.9.0 (with numpy 2.1.3: it needs one below 2.2), made by ``for row, value in
enumerate(series.tolist()): detector.update(value=value)``, noting ``detector.status`` and calling ``detector.reset()``
after each drift, on the series of `streams.SERIES` (numpy's PCG64 with the seeds 11, 12 and 13).
"""

import pytest

from monitoring_tasks.statistics.change import adwin, cusum, ddm, hddm_a, hddm_w, kswin, page_hinkley
from tests.statistics.change.streams import SERIES

CUSUM = {"drift": 0.005, "threshold": 50.0, "minimum_rows": 30, "direction": "up"}

SAME = [
    # CUSUM()
    (cusum, CUSUM, "errors", (2293,), 0),
    (cusum, CUSUM, "losses", (2182,), 0),
    (cusum, CUSUM, "residuals", (2040,), 0),
    # CUSUM(CUSUMConfig(lambda_=10))
    (cusum, CUSUM | {"threshold": 10}, "errors", (2019, 2427, 2550, 3068, 3171), 0),
    (cusum, CUSUM | {"threshold": 10}, "losses", (2036,), 0),
    # CUSUM(CUSUMConfig(delta=0.25, lambda_=8))
    (cusum, CUSUM | {"drift": 0.25, "threshold": 8}, "residuals",
     (1500, 2012, 2044, 3254, 3687, 3745, 3787, 3864, 3953, 4006, 4058, 4128, 4337, 4432, 4584, 4622, 4669, 4810, 4909,
      4989), 0),
    # DDM(), which starts at 30 rows and not after 30
    (ddm, {"warm_start": 29}, "errors", (60, 2099, 2510), 248),
    (ddm, {"warm_start": 29}, "losses", (2093,), 47),
    # HDDMW()
    (hddm_w, {}, "errors", (2045,), 7),
    (hddm_w, {}, "losses", (), 0),
]  # fmt: skip

LATER = [
    # PageHinkley(): the sum without its minimum, and only upwards
    (page_hinkley, {"direction": "up"}, "errors", 2441, 148),
    (page_hinkley, {"direction": "up"}, "losses", 2234, 51),
    (page_hinkley, {"direction": "up"}, "residuals", 2149, 113),
    # ADWIN(): one bucket of each size is left out of its sums
    (adwin, {}, "errors", 2335, 256),
    (adwin, {}, "losses", 2079, 32),
    # HDDMA(): log(1 / alpha) where river, as MOA, has log(2 / alpha)
    (hddm_a, {}, "errors", 2064, -4),
    (hddm_a, {}, "losses", 2044, -2),
    # KSWIN(KSWINConfig(seed=1)): older values drawn at random
    (kswin, {"alpha": 0.0001}, "losses", 2021, 2),
    (kswin, {"alpha": 0.0001}, "residuals", 2033, 1),
]


@pytest.mark.parametrize(("detect", "settings", "series", "changes", "warned"), SAME)
def test_the_rows_of_frouros_0_9_0(detect, settings, series, changes, warned):
    found = detect(SERIES[series](), **settings)
    assert (found.changes, len(found.warnings)) == (changes, warned)


@pytest.mark.parametrize(("detect", "settings", "series", "theirs", "later"), LATER)
def test_how_much_later_frouros_reports_the_first_change(detect, settings, series, theirs, later):
    """Its other differences are in the docstrings: these are the first rows at or after the change at 2000."""
    ours = next(row for row in detect(SERIES[series](), **settings).changes if row >= 2000)
    assert theirs - ours == later
