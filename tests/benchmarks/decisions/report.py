"""The tables: plain text, or Markdown for the README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from tests.benchmarks.decisions import power
from tests.benchmarks.decisions.false_alarms import COLUMNS, LEAST, LENGTHS, LIMITS, Found
from tests.benchmarks.decisions.ours import RATE
from tests.benchmarks.decisions.power import Power
from tests.benchmarks.decisions.rate import Rate, Verdict
from tests.benchmarks.decisions.rules import RULES, Ruled
from tests.benchmarks.decisions.streams import SHIFTS, Dependence


@dataclass(frozen=True)
class Table:
    """A table with a sentence above it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def text(self) -> str:
        """Return it in columns."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        body = [
            "  ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(line))
            for line in lines
        ]
        return "\n".join([self.title, "", *body, *([self.note] if self.note else [])])

    def markdown(self) -> str:
        """Return it in pipes."""
        lines = [self.header, ["---", *["---:"] * (len(self.header) - 1)], *self.rows]
        body = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([self.title, "", *body, *(["", self.note] if self.note else [])])


def false_alarm_table(found: Sequence[Found], dependence: Dependence, default: bool) -> Table:
    """Return every cell of one kind of rows, in per cent, with its standard error."""
    mine = {one.cell: one for one in found if one.cell.dependence == dependence}
    lines = []
    for kinds, columns in dict.fromkeys((cell.kinds, cell.columns) for cell in mine):
        cells = {cell.length: one for cell, one in mine.items() if (cell.kinds, cell.columns) == (kinds, columns)}
        values = [
            _percent(cells[n].default if default else cells[n].any_size) + _mark(cells[n], default)
            if n in cells
            else ""
            for n in LENGTHS
        ]
        lines.append([f"{columns} {kinds}", *values])
    setting = "the default settings" if default else "every `minimum_effect` at zero"
    promise = f"at most {100 * LIMITS[dependence] * RATE:g} %"
    if dependence == "independent" and not default:
        promise += f", at least {100 * LEAST * RATE:g} %"
    title = (
        f"False alarms in % of windows, {ROWS[dependence]}, {setting}; configured {100 * RATE:g} %, promised {promise}"
    )
    return Table(title, ["columns", *(f"{_rows(n)} rows" for n in LENGTHS)], lines)


def summary_table(found: Sequence[Found]) -> Table:
    """Return for each kind of rows and number of columns the highest rate of all kinds of columns."""
    lines = []
    for dependence in get_args(Dependence):
        for columns in COLUMNS:
            mine = [one for one in found if (one.cell.dependence, one.cell.columns) == (dependence, columns)]
            values = []
            for n in LENGTHS:
                rates = [one.any_size for one in mine if one.cell.length == n]
                if rates:
                    low, high = (pick(rates, key=lambda one: one.value) for pick in (min, max))
                    values.append(_percent(high) if low == high else f"{100 * low.value:.1f} to {100 * high.value:.1f}")
                else:
                    values.append("")
            lines.append([ROWS[dependence], str(columns), *values])
    title = (
        f"Windows without drift that raise an alarm, in per cent, with every `minimum_effect` at zero and "
        f"`false_alarm_rate: {RATE:g}`; over the kinds of columns from the lowest to the highest:"
    )
    return Table(title, ["rows", "columns", *(f"{_rows(n)} rows" for n in LENGTHS)], lines)


def rule_table(ruled: Sequence[Ruled], short: bool = False) -> Table:
    """Return what the default rules of the others do without drift; in short only of independent rows.

    In short without NannyML's ten chunks too: nobody would cut every window into ten.
    """
    lines = []
    rules = RULES[:-1] if short else RULES
    for one in ruled:
        cell = one.cell
        if short and (cell.dependence != "independent" or cell.length not in (100, 1_000, 10_000)):
            continue
        name = f"{cell.columns} {cell.kinds}, {ROWS[cell.dependence]}"
        lines.append([name, _rows(cell.length), *(_percent(one.rates[rule], 0) for rule in rules)])
    title = "False alarms of the default rules of Evidently and NannyML, in % of windows (any column drifted)"
    return Table(title, ["columns", "rows", *rules], lines)


def power_table(found: Sequence[Power], short: bool = False) -> Table:
    """Return what is found of each shift; in short without what the others' own thresholds find."""
    lines = []
    order = {name: i for i, name in enumerate(SHIFTS)}
    by_default = () if short else power.TOOLS
    for one in sorted(found, key=lambda one: (order[one.shift], one.length)):
        cells = [_percent(one.ours, 0) + one.verdict, _percent(one.our_false_alarms)]
        cells += [_percent(one.held[tool], 0) for tool in power.TOOLS]
        cells += [_percent(one.ours_default, 0)]
        cells += [_percent(one.by_default[tool], 0) if one.by_default else "" for tool in by_default]
        lines.append([one.shift, _rows(one.length), *cells])
    title = (
        f"Windows with a shift that raise an alarm, in per cent, against a baseline of {_rows(power.REFERENCE)} rows; "
        f"the others' thresholds are held to {100 * RATE:g} % false alarms:"
    )
    header = ["shift", "rows", "ours", "(false alarms)", *power.TOOLS]
    return Table(title, [*header, "ours, default settings", *(f"{tool}, default rule" for tool in by_default)], lines)


ROWS = {
    "independent": "independent rows",
    "repeated": "each row 20 times",
    "autocorrelated": "autocorrelated rows",
    "levelled": "one level per window",
}

LEGEND = """\
± standard error, over baselines as over windows. `!` breaks a promise by more than two of them, `?` by less; of power,
the promise is to find as much as the others do, but for three points.
A column is numeric (normal), missing (normal, 1 % null), discrete (Poisson, mean 3) or categorical (Zipf, 30 values);
mixed monitors take turns. Autocorrelated rows: AR(1), 0.9. A level shared by all rows of a
window is half of the variance. Baselines: 30 windows, at least 30 000 rows, drawn anew 20
times. Windows of 50 rows are below the default `minimum_rows`: by default they are not judged. Blank: too long to
draw."""


def _rows(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def _percent(found: Rate, digits: int = 1) -> str:
    return f"{100 * found.value:.{digits}f} ± {100 * found.error:.{max(digits, 1)}f}"


def _mark(one: Found, default: bool) -> Verdict:
    return one.default_verdict if default else one.any_size_verdict
