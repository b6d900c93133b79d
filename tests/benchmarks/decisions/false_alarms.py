"""How often windows without drift raise an alarm: the product's decisions, and the default rules of two others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tests.benchmarks.decisions.column import column
from tests.benchmarks.decisions.ours import RATE, decide
from tests.benchmarks.decisions.rate import Rate, Verdict, at_least, at_most, rate
from tests.benchmarks.decisions.streams import Dependence, Kind

LENGTHS = (50, 100, 200, 1_000, 10_000, 100_000)
COLUMNS = (1, 10, 50, 200)

Kinds = Literal["numeric", "missing", "discrete", "categorical", "mixed"]
"""Of all columns of a monitor; mixed takes turns."""

KINDS: Mapping[int, Sequence[Kinds]] = {
    1: ("numeric", "missing", "discrete", "categorical"),
    10: ("numeric", "discrete", "categorical"),
    50: ("mixed",),
    200: ("mixed",),
}
"""By columns."""

WINDOWS = {1: 3000, 10: 1000, 50: 500, 200: 300}
"""By columns: 1 % is measured to 0.18, 0.31, 0.44 and 0.57 points."""

BY_ROW = ("autocorrelated", "levelled")
"""Dependences of which every row is drawn."""

ROWS_BY_ROW = 40_000_000
"""Rows times columns of a cell that is drawn row by row; where these are fewer than `FEWEST` windows it stays blank."""

FEWEST = 200
BASELINES = 20
FEWEST_BASELINES = 5

LIMITS = {"independent": 1.5, "repeated": 2.0, "autocorrelated": 2.0, "levelled": 2.0}
"""What is promised, times the configured rate."""

LEAST = 0.3
"""Promised where rows are independent and every size counts, times the configured rate."""


@dataclass(frozen=True)
class Cell:
    """One kind of monitor, and windows of one length."""

    kinds: Kinds
    dependence: Dependence
    length: int
    columns: int

    def kind(self, number: int) -> Kind:
        """Return the kind of one of the columns."""
        return get_args(Kind)[number % 4] if self.kinds == "mixed" else self.kinds

    def plan(self, share: float) -> tuple[int, int]:
        """Return baselines, and windows of each; of a quick run only a share of the windows."""
        windows = int(WINDOWS[self.columns] * share)
        baselines = max(FEWEST_BASELINES, round(BASELINES * share))
        if self.dependence != "independent" and self.columns > 1:
            windows //= 2  # their limit is wider
        if self.dependence in BY_ROW:
            affordable = int(ROWS_BY_ROW * share) // (self.length * self.columns)
            windows = min(windows, affordable)
            # A baseline costs as much as thirty windows, or as 30 000 rows.
            baselines = min(baselines, max(FEWEST_BASELINES, windows * self.length // max(30 * self.length, 30_000)))
        return baselines, windows // baselines


@dataclass(frozen=True)
class Found:
    """What was measured in a cell."""

    cell: Cell
    any_size: Rate
    """With every `minimum_effect` at zero."""
    default: Rate
    """With the settings that a monitor file without any has."""

    @property
    def any_size_verdict(self) -> Verdict:
        """Whether the promise is kept, and power not given away."""
        high = at_most(self.any_size, LIMITS[self.cell.dependence] * RATE)
        return high or (at_least(self.any_size, LEAST * RATE) if self.cell.dependence == "independent" else "")

    @property
    def default_verdict(self) -> Verdict:
        """Whether the promise is kept."""
        return at_most(self.default, LIMITS[self.cell.dependence] * RATE)


def cells() -> list[Cell]:
    """Return every cell that can be afforded."""
    found = []
    for dependence in get_args(Dependence):
        for columns in COLUMNS:
            kinds = KINDS[columns]
            found += [Cell(kind, dependence, length, columns) for kind in kinds for length in LENGTHS]
    return [cell for cell in found if cell.plan(1.0)[0] * cell.plan(1.0)[1] >= FEWEST]


def measure(cell: Cell, share: float, seed: int) -> Found:
    """Draw baselines and windows of a cell and decide them."""
    rng = np.random.default_rng([seed, *map(ord, f"{cell}")])
    any_size, default = [], []
    baselines, windows = cell.plan(share)
    for _ in range(baselines):
        columns = [column(cell.kind(i), cell.dependence, cell.length, rng) for i in range(cell.columns)]
        decisions = decide(columns, [one.windows(windows) for one in columns])
        any_size.append(decisions.any_size)
        default.append(decisions.default)
    return Found(cell, rate(any_size), rate(default))


def cost(cell: Cell) -> float:
    """Return about how long a cell takes, in seconds, so that the longest go first."""
    baselines, windows = cell.plan(1.0)
    by_row = 2e-7 * cell.length * (baselines * 30 + baselines * windows) if cell.dependence in BY_ROW else 0
    return cell.columns * (2.5e-4 * baselines * windows + by_row)
