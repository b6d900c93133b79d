"""The same rows as river: literals of river 0.26.1, and river itself where it is installed.

Each literal was made by ``for row, value in enumerate(series.tolist()): detector.update(value)``, noting the rows with
``drift_detected``, and those with ``warning_detected`` and no ``drift_detected``, on the series of `streams.SERIES`
(numpy's PCG64 with the seeds 11 to 14). 0.23.0, whose ADWIN is in
Cython and not yet in Rust, gives the same but of the two-sided HDDMW, which reports more rows there.
"""

from importlib.util import find_spec

import numpy as np
import pytest

from monitoring_tasks.statistics.change import adwin, ddm, hddm_a, hddm_w, kswin, page_hinkley
from monitoring_tasks.statistics.change.kolmogorov_windows import evenly_spaced
from tests.statistics.change.streams import SERIES, generator

LITERALS = [
    # river.drift.PageHinkley()
    (page_hinkley, {}, "errors", (2293, 3733), 0, ()),
    (page_hinkley, {}, "losses", (2183, 3778), 0, ()),
    (page_hinkley, {}, "residuals", (1120, 2040, 3557, 4058, 4587), 0, ()),
    # river.drift.PageHinkley(threshold=10)
    (page_hinkley, {"threshold": 10}, "errors",
     (450, 2019, 2189, 2379, 2517, 2845, 2894, 3063, 3195, 3540, 4203, 4961), 0, ()),
    (page_hinkley, {"threshold": 10}, "losses", (2035, 3544), 0, ()),
    # river.drift.ADWIN()
    (adwin, {}, "errors", (2079, 3679), 0, ()),
    (adwin, {}, "losses", (2047, 3551), 0, ()),
    (adwin, {}, "residuals", (2047, 3551), 0, ()),
    # river.drift.binary.DDM()
    (ddm, {}, "errors", (60, 2099, 2510), 248, (47, 52, 53)),
    (ddm, {}, "losses", (2093,), 47, (2046, 2047, 2048)),
    # river.drift.binary.HDDMA(), and with two_sided_test=True
    (hddm_a, {}, "errors", (2068,), 24, (2045, 2046, 2047)),
    (hddm_a, {}, "losses", (2046,), 7, (2039, 2040, 2041)),
    (hddm_a, {"two_sided": True}, "errors", (2068, 3569), 35, (2045, 2046, 2047)),
    (hddm_a, {"two_sided": True}, "losses", (2046, 3583), 28, (2039, 2040, 2041)),
    # river.drift.binary.HDDMW(), and with two_sided_test=True
    (hddm_w, {}, "errors", (2045,), 7, (2028, 2029, 2033)),
    (hddm_w, {}, "losses", (), 0, ()),
    (hddm_w, {"two_sided": True}, "errors", (2045, 3546), 18, (2028, 2029, 2033)),
    (hddm_w, {"two_sided": True}, "losses", (), 0, ()),
    # river.drift.KSWIN() with `_rng.sample` giving the places of `evenly_spaced`, and with alpha=0.0001
    (kswin, {}, "errors", (), 0, ()),
    (kswin, {}, "losses", (1341, 1967, 2067, 2707, 3513, 3834), 0, ()),
    (kswin, {}, "residuals", (196, 795, 2029, 3253, 3518, 3799, 4261, 4361, 4656), 0, ()),
    (kswin, {"alpha": 0.0001}, "losses", (2019, 3515), 0, ()),
    (kswin, {"alpha": 0.0001}, "residuals", (2032,), 0, ()),
    # all of them on a series of many changes, PageHinkley with threshold=20
    (page_hinkley, {"threshold": 20}, "saw", (348, 627, 935, 1256, 1526, 1835, 2125), 0, ()),
    (adwin, {}, "saw", (351, 671, 959, 1343, 1535, 1855, 2143), 0, ()),
    (ddm, {}, "saw", (118, 333, 981, 1262, 1933), 291, (54, 55, 56)),
    (hddm_a, {}, "saw", (335, 942, 1231, 1914), 50, (333, 334, 936)),
    (hddm_a, {"two_sided": True}, "saw", (335, 637, 912, 1284, 1506, 1818, 2112), 42, (333, 334, 627)),
    (hddm_w, {}, "saw", (335, 933, 1225, 1822), 28, (319, 333, 334)),
    (hddm_w, {"two_sided": True}, "saw", (335, 609, 933, 1075, 1272, 1512, 1822, 2106), 58, (319, 333, 334)),
]  # fmt: skip

needs_river = pytest.mark.skipif(find_spec("river") is None, reason="river is not installed")


@pytest.mark.parametrize(("detect", "settings", "series", "changes", "warned", "first_warnings"), LITERALS)
def test_the_rows_of_river_0_26_1(detect, settings, series, changes, warned, first_warnings):
    found = detect(SERIES[series](), **settings)
    assert found.changes == changes
    assert len(found.warnings) == warned
    assert found.warnings[:3] == first_warnings


def test_rivers_random_draw_finds_the_same_two_changes():
    """``river.drift.KSWIN(alpha=0.0001, seed=1)``: its rows differ by 5 at most, and on the residuals by one change."""
    for series, river in (("losses", (2019, 3516)), ("residuals", (2032, 3537))):
        ours = kswin(SERIES[series](), alpha=0.0001).changes
        assert all(abs(a - b) <= 5 for a, b in zip(ours, river, strict=False))
        assert 1 <= len(ours) <= 2


class Even:
    """In place of the random generator of river's KSWIN."""

    @staticmethod
    def sample(places, chosen):
        return evenly_spaced(len(places), chosen).tolist()


def rivers(kind, **settings):
    from river import drift

    if kind != "KSWIN":
        return getattr(drift if hasattr(drift, kind) else drift.binary, kind)(**settings)

    class EvenKSWIN(drift.KSWIN):
        def _reset(self):
            super()._reset()
            self._rng = Even()

    return EvenKSWIN(**settings)


def rows_of(detector, series):
    changes, warnings = [], []
    for row, value in enumerate(series.tolist()):
        detector.update(value)
        if detector.drift_detected:
            changes.append(row)
        elif getattr(detector, "warning_detected", False):
            warnings.append(row)
    return tuple(changes), tuple(warnings)


SETTINGS = [
    (page_hinkley, {}, "PageHinkley", {}, False),
    (
        page_hinkley,
        {"minimum_rows": 10, "delta": 0.05, "threshold": 5, "alpha": 1, "direction": "up"},
        "PageHinkley",
        {"min_instances": 10, "delta": 0.05, "threshold": 5, "alpha": 1, "mode": "up"},
        False,
    ),
    (
        page_hinkley,
        {"threshold": 8, "direction": "down"},
        "PageHinkley",
        {"threshold": 8, "mode": "down"},
        False,
    ),
    (adwin, {}, "ADWIN", {}, False),
    *(
        (adwin, its, "ADWIN", its, False)
        for its in [{"delta": 0.2, "clock": 1, "max_buckets": 3, "min_window_length": 2, "grace_period": 20}]
    ),
    (kswin, {}, "KSWIN", {}, False),
    *((kswin, its, "KSWIN", its, False) for its in [{"alpha": 0.05, "window_size": 60, "stat_size": 20}]),
    (ddm, {}, "DDM", {}, True),
    *((ddm, its, "DDM", its, True) for its in [{"warm_start": 5, "warning_threshold": 1.0, "drift_threshold": 1.5}]),
    *((hddm_a, {"two_sided": two}, "HDDMA", {"two_sided_test": two}, True) for two in (False, True)),
    *((hddm_w, {"two_sided": two}, "HDDMW", {"two_sided_test": two}, True) for two in (False, True)),
    (
        hddm_w,
        {"drift_confidence": 0.05, "warning_confidence": 0.2, "weight": 0.1, "two_sided": True},
        "HDDMW",
        {"drift_confidence": 0.05, "warning_confidence": 0.2, "lambda_val": 0.1, "two_sided_test": True},
        True,
    ),
]


@needs_river
@pytest.mark.integration
@pytest.mark.parametrize(("detect", "ours", "kind", "theirs", "bounded"), SETTINGS)
def test_the_rows_of_the_river_that_is_installed(detect, ours, kind, theirs, bounded):
    for seed in range(3):
        rng = generator(seed)
        lengths = rng.integers(100, 800, 4)
        rates = rng.random(4) * 0.8
        series = [
            np.concatenate([rng.random(n) < p for n, p in zip(lengths, rates, strict=True)]).astype(float),
            np.concatenate([rng.beta(0.1 + 10 * p, 10.1 - 10 * p, n) for n, p in zip(lengths, rates, strict=True)]),
        ]
        if not bounded:
            series.append(np.concatenate([rng.normal(3 * p, 0.3 + p, n) for n, p in zip(lengths, rates, strict=True)]))
        for values in series:
            found = detect(values, **ours)
            assert (found.changes, found.warnings) == rows_of(rivers(kind, **theirs), values)
