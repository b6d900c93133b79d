"""How often a planted shift is found: the product's decisions, and two others held to the same false-alarm rate.

A score is held to the rate by the threshold above which exactly so many windows without drift lie, over all baselines.
Of several columns the largest score counts; as columns are independent, the threshold for fifty follows from the
scores of one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.decisions.column import Column, Frozen, column, counted, of_rows
from tests.benchmarks.decisions.ours import RATE, Decisions, decide
from tests.benchmarks.decisions.rate import (
    Rate,
    Threshold,
    Verdict,
    alarm_shares,
    at_least,
    difference,
    held_to,
    of_several,
    rate,
)
from tests.benchmarks.decisions.scores import SMALL, Prepared, evidently, nannyml, prepared
from tests.benchmarks.decisions.streams import SHIFTS, FloatArray, IntArray, Kind, rows

BoolArray = NDArray[np.bool_]
Scores: TypeAlias = dict[str, list[FloatArray]]
"""By tool, then an array for each baseline."""

LENGTHS = (200, 1_000, 10_000)
REFERENCE = 30_000
BASELINES = 20
NULL_WINDOWS = {200: 40_000, 1_000: 40_000, 10_000: 10_000}
"""By length: without drift, for the thresholds of numbers; fifty columns need the highest of 5 000."""
NULL_WINDOWS_ELSEWHERE = 10_000
DRIFTED_WINDOWS = 1_000
OUR_NULL_WINDOWS = 2_000
CHUNK = 4_000_000
PARTS = 30
"""Of the baseline, at least: where windows are longer, its parts are shorter than they are, as in the product."""
LEAST = 0.3 * RATE
"""The others are held to no less: a rate that is measured as zero is a small one."""

PRICE = 0.03
"""Power that may be paid for looking for every kind of shift at once, and for not taking rows as independent.

No test finds more of a shift of the mean of normal values than Student's, which Evidently's distance comes down to once
it is held to a rate: whatever looks elsewhere too is behind there.
"""

TOOLS = ("Evidently", "Evidently, 1 000 reference rows", "NannyML")


@dataclass(frozen=True)
class Power:
    """What was measured of one shift at one length."""

    shift: str
    length: int
    ours: Rate
    """With every `minimum_effect` at zero."""
    our_false_alarms: Rate
    """Of windows without drift, on the same baselines."""
    ours_default: Rate
    held: Mapping[str, Rate]
    """By tool, at the false-alarm rate that was measured of ours, or the configured one if that is less."""
    by_default: Mapping[str, Rate]
    """By tool, as its default rule decides, whatever its false-alarm rate is; of one column only."""
    ahead: Mapping[str, Rate]
    """By tool: ours less theirs on the same windows; the threshold's own uncertainty counts."""

    @property
    def verdict(self) -> Verdict:
        """Whether ours finds as much as each of the others, but for `PRICE`."""
        return max((at_least(found, -PRICE) for found in self.ahead.values()), key=["", "?", "!"].index)


def tasks() -> list[tuple[Kind, int]]:
    """Return what is measured at once: shifts of one kind of column share their windows without drift."""
    return [(kind, length) for kind in ("numeric", "missing", "categorical") for length in reversed(LENGTHS)]


def measure(kind: Kind, length: int, share: float, seed: int) -> list[Power]:
    """Draw baselines, windows without drift and windows with each shift of this kind, and judge all of them."""
    rng = np.random.default_rng([seed, length, *map(ord, f"power {kind}")])
    shifts = {name: shift for name, shift in SHIFTS.items() if shift.kind == kind}
    total = NULL_WINDOWS[length] if kind == "numeric" else NULL_WINDOWS_ELSEWHERE
    still, drifted, ours_still = (
        max(10, int(n * share)) // BASELINES or 1 for n in (total, DRIFTED_WINDOWS, OUR_NULL_WINDOWS)
    )
    still_scores = _no_scores()
    drifted_scores = {name: _no_scores() for name in shifts}
    by_default = {name: _no_scores() for name in shifts}
    ours: dict[str, list[Decisions]] = {name: [] for name in shifts}
    false: dict[int, list[BoolArray]] = {shift.columns: [] for shift in shifts.values()}
    for _ in range(BASELINES):
        reference = rows(kind, "independent", (1, REFERENCE), rng)
        rules = {
            "Evidently": evidently(kind, reference[0]),
            "Evidently, 1 000 reference rows": evidently(kind, reference[0, :SMALL]),
            "NannyML": nannyml(kind, reference[0], REFERENCE // length),
        }
        found: list[list[Prepared]] = []
        for done in range(0, still, CHUNK // length):
            n = min(CHUNK // length, still - done)
            found.append(prepared(kind, rows(kind, "independent", (n, length), rng)))
        for tool, rule in rules.items():
            still_scores[tool].append(np.array([rule.score(window) for windows in found for window in windows]))
        part = min(length, REFERENCE // PARTS)
        of = of_rows(kind, reference.reshape(-1, part))
        others = [
            _of_parts(column("numeric", "independent", part, rng, REFERENCE // part), length // part)
            for _ in range(max(false) - 1)
        ]
        for columns, alarms in false.items():
            counts = counted(kind, of.bins, rows(kind, "independent", (ours_still, length), rng))
            alarms.append(_decide(of, others[: columns - 1], counts).any_size)
        for name, shift in shifts.items():
            values = rows(kind, "independent", (drifted, length), rng, shift)
            ours[name].append(_decide(of, others[: shift.columns - 1], counted(kind, of.bins, values)))
            windows = prepared(kind, values)
            for tool, rule in rules.items():
                drifted_scores[name][tool].append(np.array([rule.score(window) for window in windows]))
                by_default[name][tool].append(np.array([rule.alarms(window) for window in windows]))
    return [
        _power(name, length, still_scores, drifted_scores[name], by_default[name], ours[name], false[shift.columns])
        for name, shift in shifts.items()
    ]


def _of_parts(one: Column, times: int) -> Column:
    """Return the column with windows so many times as long as the parts of its baseline."""
    return replace(one, windows=lambda n: one.windows(n * times).reshape(n, times, -1).sum(axis=1))


def _no_scores() -> Scores:
    return {tool: [] for tool in TOOLS}


def cost(kind: Kind, length: int) -> float:
    """Return about how long a task takes, in seconds."""
    return (NULL_WINDOWS[length] if kind == "numeric" else NULL_WINDOWS_ELSEWHERE) * (1e-4 + 2e-7 * length)


def _decide(of: Frozen, others: Sequence[Column], counts: IntArray) -> Decisions:
    """Decide a monitor of this column and of others that stay as they are."""
    return decide([of, *others], [counts, *(other.windows(len(counts)) for other in others)])


def _power(
    name: str,
    length: int,
    still: Scores,
    drifted: Scores,
    by_default: Scores,
    ours: Sequence[Decisions],
    false: Sequence[BoolArray],
) -> Power:
    columns = SHIFTS[name].columns
    our_alarms = [one.any_size.astype(np.float64) for one in ours]
    held, ahead = {}, {}
    same = min(max(rate(false).value, LEAST), RATE)
    for tool in TOOLS:
        scores = np.concatenate(still[tool])
        wanted = of_several(same, columns)
        shares = [_found(of, held_to(scores, wanted), columns, same) for of in drifted[tool]]
        held[tool] = rate(shares)
        lead = difference(our_alarms, shares)
        # What the power would be had the threshold's windows alarmed one standard error more or less often.
        spread = 1 / math.sqrt(wanted * scores.size)
        low, high = (
            np.mean([_found(of, held_to(scores, wanted * factor), columns, same) for of in drifted[tool]])
            for factor in (max(1 - spread, 0.0), 1 + spread)
        )
        ahead[tool] = replace(lead, error=math.hypot(lead.error, (high - low) / 2))
    return Power(
        name,
        length,
        rate(our_alarms),
        rate(false),
        rate([one.default for one in ours]),
        held,
        {tool: rate(by_default[tool]) for tool in TOOLS} if columns == 1 else {},
        ahead,
    )


def _found(scores: FloatArray, threshold: Threshold, columns: int, same: float) -> FloatArray:
    """Return the chance that each window alarms: for its own score, or for one of the columns that stayed."""
    others = (1 - of_several(same, columns)) ** (columns - 1)
    return 1 - (1 - alarm_shares(scores, threshold)) * others
