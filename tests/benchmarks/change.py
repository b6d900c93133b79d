"""How fast the change detectors find a change of concept, and how often they are wrong before it.

Of every classic stream a model is trained on the first 1000 rows; its errors on the next 5000 rows, where nothing
changes, and on 2000 rows of the new concept go through every detector at its defaults. CUSUM is told the rate of errors
on 1000 rows more before them, and has a second line with settings for errors, which are skewed: at its defaults it is
wrong so often that a report soon after the change says little. Beside it the same of river, which draws KSWIN's older
values at random. Run it by ``python -m tests.benchmarks.change``; a minute with river, ten seconds without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter

import numpy as np

from monitoring_tasks.statistics.change import CHANGE_DETECTORS, Changes, cusum
from tests.statistics.change.streams import STREAMS, errors, generator

RUNS = 20
TRAIN, KNOWN, BEFORE, AFTER = 1000, 1000, 5000, 2000
RIVER = {
    "page_hinkley": "PageHinkley",
    "adwin": "ADWIN",
    "ddm": "DDM",
    "hddm_a": "HDDMA",
    "hddm_w": "HDDMW",
    "kswin": "KSWIN",
}
LINES: list[tuple[str, str, Callable[..., Changes], dict[str, float], bool]] = [
    *((its.name, its.title, its.function, {}, its.standardised) for its in CHANGE_DETECTORS),
    ("cusum", "CUSUM, drift 0.25, threshold 20", cusum, {"drift": 0.25, "threshold": 20.0}, True),
]
RIVER_RUNS = {"kswin": 6}
"""Fewer than RUNS where a run takes seconds."""


@dataclass(frozen=True)
class Score:
    delay: float
    """Mean rows from the change to the first report after it, of the runs that have one."""
    found: float
    """Share of runs with a report after the change."""
    false_alarms: float
    """Reports per 10,000 rows before the change."""

    def __str__(self) -> str:
        delay = "" if np.isnan(self.delay) else f"{self.delay:.0f}"
        return f"{delay} | {self.found:.0%} | {self.false_alarms:.1f}"


def score(reports: Sequence[Sequence[int]]) -> Score:
    first = [min((row - BEFORE for row in rows if row >= BEFORE), default=None) for rows in reports]
    delays = [delay for delay in first if delay is not None]
    early = sum(row < BEFORE for rows in reports for row in rows)
    return Score(
        float(np.mean(delays)) if delays else float("nan"),
        len(delays) / len(reports),
        early / (len(reports) * BEFORE) * 10_000,
    )


def river_rows(name: str, wrong: np.ndarray, seed: int) -> list[int]:
    from river import drift

    kind = RIVER[name]
    settings = {"seed": seed} if kind == "KSWIN" else {}
    detector = getattr(drift if hasattr(drift, kind) else drift.binary, kind)(**settings)
    rows = []
    for row, value in enumerate(wrong.tolist()):
        detector.update(value)
        if detector.drift_detected:
            rows.append(row)
    return rows


def standards(known: np.ndarray) -> dict[str, float]:
    rate = float(known.mean())
    return {"target": rate, "standard_deviation": (rate * (1 - rate)) ** 0.5}


def main() -> None:
    has_river = find_spec("river") is not None
    if has_river:
        from river import __version__ as version
    started = perf_counter()
    theirs = f"river {version}" if has_river else "river"
    print(f"{RUNS} runs; {BEFORE} rows before the change, {AFTER} after it; false alarms per 10,000 rows.\n")
    print(f"| stream | detector | delay | found | false alarms | {theirs}: delay | found | false alarms |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for stream, make in STREAMS.items():
        series, rates = [], []
        for seed in range(RUNS):
            wrong, change = errors(make(generator(seed), TRAIN + KNOWN + BEFORE, AFTER), TRAIN)
            series.append((wrong[:KNOWN], wrong[KNOWN:]))
            rates.append((wrong[:change].mean(), wrong[change:].mean()))
        low, high = np.mean(rates, axis=0)
        for name, title, function, settings, standardised in LINES:
            ours = score(
                [
                    function(wrong, **settings, **(standards(known) if standardised else {})).changes
                    for known, wrong in series
                ]
            )
            other = "not installed | |"
            if name not in RIVER:
                other = "has none | |"
            elif has_river:
                some = series[: RIVER_RUNS.get(name, RUNS)]
                other = str(score([river_rows(name, wrong, seed) for seed, (_, wrong) in enumerate(some)]))
            print(f"| {stream}, errors {low:.2f} to {high:.2f} | {title} | {ours} | {other} |", flush=True)
    fewer = ", ".join(f"{name} {runs}" for name, runs in RIVER_RUNS.items())
    print(f"\nriver's runs are as many, but of {fewer}. Took {perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
