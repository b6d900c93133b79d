"""How often the default rules of Evidently and NannyML alarm without drift, on rows of the same kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.decisions.column import parts_of
from tests.benchmarks.decisions.false_alarms import Cell, Kinds
from tests.benchmarks.decisions.rate import Rate, rate
from tests.benchmarks.decisions.scores import SMALL, evidently, nannyml, prepared
from tests.benchmarks.decisions.streams import rows

RULES = ("Evidently", "Evidently, half of columns", "Evidently, 1 000 reference rows", "NannyML", "NannyML, ten chunks")
"""A window alarms if any column does; by Evidently's rule for the whole data set, if half of them do.

NannyML's chunks are as long as the window, or by its default a tenth of what it is given: of reference and window.
"""

CHUNKS = 10
KINDS: Mapping[int, Sequence[Kinds]] = {1: ("numeric", "discrete", "categorical"), 10: ("mixed",), 50: ("mixed",)}
"""By columns."""

BASELINES = 5
WINDOWS = 40
"""Of each baseline."""


@dataclass(frozen=True)
class Ruled:
    """What was measured in a cell."""

    cell: Cell
    rates: Mapping[str, Rate]
    """By rule."""


def cells() -> list[Cell]:
    """Return the cells: those whose rows can be afforded."""
    found = []
    for columns, kinds in KINDS.items():
        for dependence in ("independent", "repeated", "autocorrelated"):
            if columns == 50 and dependence != "independent":
                continue
            lengths = (50, 100, 200, 1_000, 10_000)[: 4 if columns == 50 else 5]
            found += [Cell(kind, dependence, n, columns) for kind in kinds for n in lengths]
    return found


def measure(cell: Cell, share: float, seed: int) -> Ruled:
    """Draw baselines and windows of a cell, and apply every rule."""
    rng = np.random.default_rng([seed, *map(ord, f"rules {cell}")])
    windows = max(5, int(WINDOWS * share))
    alarms: dict[str, list[np.ndarray]] = {rule: [] for rule in RULES}
    for _ in range(BASELINES):
        drifted = {rule: np.zeros(windows, np.int64) for rule in RULES if "half" not in rule}
        for i in range(cell.columns):
            kind = cell.kind(i)
            reference = rows(kind, cell.dependence, (1, parts_of(cell.length) * cell.length), rng)[0]
            values = rows(kind, cell.dependence, (windows, cell.length), rng)
            whole = prepared(kind, values)
            for name, rule in (
                ("Evidently", evidently(kind, reference)),
                ("Evidently, 1 000 reference rows", evidently(kind, reference[-SMALL:])),
                ("NannyML", nannyml(kind, reference, parts_of(cell.length))),
            ):
                drifted[name] += [rule.alarms(window) for window in whole]
            by_chunk = nannyml(kind, reference, CHUNKS)
            chunks = prepared(kind, values.reshape(windows * CHUNKS, -1))
            chunked = np.array([chunk.size > 0 and by_chunk.alarms(chunk) for chunk in chunks])
            drifted["NannyML, ten chunks"] += chunked.reshape(windows, CHUNKS).any(axis=1)
        for name, count in drifted.items():
            alarms[name].append(count > 0)
        alarms["Evidently, half of columns"].append(drifted["Evidently"] >= cell.columns / 2)
    return Ruled(cell, {name: rate(found) for name, found in alarms.items()})


def cost(cell: Cell) -> float:
    """Return about how long a cell takes, in seconds."""
    values = cell.length * (WINDOWS + parts_of(cell.length))
    return BASELINES * cell.columns * (2e-7 * values + 8e-4 * WINDOWS + 5e-5 * parts_of(cell.length))
