"""Draw README's picture from the demo's results.

``make demo && .venv/bin/python .github/pictures/nine_months.py`` writes ``nine_months.svg`` beside this file.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import date
from itertools import groupby
from pathlib import Path

Series = dict[str, list[tuple[float, bool]]]
"""By column: PSI and whether it was an alarm, a day each."""

FIRST = date(2013, 4, 1)
LEFT, RIGHT, DAY = 136.0, 796.0, 2.4
TOP, HEIGHT = 78.0, 150.0
ROWS, ROW = 272.0, 15.0
LOW, HIGH = 0.002, 20.0
LEVELS = (
    (0.1, "#f1f4f8", "below 0.1"),
    (0.25, "#dbe5ef", "0.1"),
    (1.0, "#b9cde0", "0.25"),
    (5.0, "#86a8c8", "1"),
    (math.inf, "#55799f", "5 and more"),
)
ALARM = "#c8102e"
LINES = (("temp", "#d9822b"), ("visib", "#2b8a7a"), ("predicted", "#7b5ea7"), ("carrier", "#3b76ab"))
APART = 14.0
"""Between the names of two lines."""
STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:11.5px;fill:#3d4754}"
    ".title{font-size:17px;font-weight:600;fill:#1c2430}.quiet{fill:#77818e}.end{text-anchor:end}"
    ".line{fill:none;stroke-width:1.4;stroke-linejoin:round}"
)


def read(database: Path) -> Series:
    """Return the PSI of every column and day over all flights, the column most often in alarm first."""
    found: Series = {}
    with sqlite3.connect(database) as connection:
        for column, value, status in connection.execute(
            "SELECT column_name, value, status FROM result WHERE metric = 'psi' AND segment = '' ORDER BY window_start"
        ):
            found.setdefault(column, []).append((value, status == "alarm"))
    return dict(sorted(found.items(), key=lambda item: (-alarms(item[1]), -sum(psi for psi, _ in item[1]))))


def alarms(days: list[tuple[float, bool]]) -> int:
    """Count the days in alarm."""
    return sum(alarm for _, alarm in days)


def height(psi: float) -> float:
    """Return where a PSI stands in the upper panel, on a logarithmic scale."""
    share = math.log(min(max(psi, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return round(TOP + HEIGHT * (1 - share), 1)


def text(x: float, y: float, words: str, kind: str = "", colour: str = "") -> str:
    """Return one line of text."""
    attributes = (f' class="{kind}"' if kind else "") + (f' style="fill:{colour}"' if colour else "")
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{words}</text>'


def months(bottom: float) -> list[str]:
    """Return a hairline at the beginning of every month, and its name."""
    parts = []
    for month in range(4, 13):
        x = LEFT + DAY * (date(2013, month, 1) - FIRST).days
        parts.append(f'<path d="M{x:g} {TOP:g}V{bottom:g}" stroke="#e3e8ee"/>')
        parts.append(text(x + 4, ROWS - 12, f"{date(2013, month, 1):%b}", "quiet"))
    return parts


def lines(series: Series) -> list[str]:
    """Return the upper panel: the PSI of four columns day by day, and which of the days are in alarm."""
    parts, dots = [], []
    for tick in (0.01, 0.1, 1, 10):
        label = "matters from 0.1" if tick == 0.1 else f"{tick:g}"
        parts.append(text(LEFT - 8, height(tick) + 4, label, "quiet end"))
        dashes = ' stroke-dasharray="5 4"' if tick == 0.1 else ""
        colour = "#77818e" if tick == 0.1 else "#eef1f5"
        parts.append(f'<path d="M{LEFT:g} {height(tick):g}H{RIGHT:g}" stroke="{colour}"{dashes}/>')
    middles = {column: sorted(psi for psi, _ in series[column])[len(series[column]) // 2] for column, _ in LINES}
    lowest = -math.inf
    for column, colour in sorted(LINES, key=lambda line: -middles[line[0]]):
        days = [(f"{LEFT + DAY * (day + 0.5):g}", height(psi)) for day, (psi, _) in enumerate(series[column])]
        points = " ".join(f"{x},{y}" for x, y in days)
        parts.append(f'<polyline class="line" stroke="{colour}" points="{points}"/>')
        for (x, y), (_, alarm) in zip(days, series[column], strict=True):
            dots += [f'<circle cx="{x}" cy="{y}" r="4" fill="{ALARM}" stroke="#fff"/>'] * alarm
        lowest = max(height(middles[column]) + 4, lowest + APART)
        parts.append(text(RIGHT + 10, lowest, column, colour=colour))
    return parts + dots


def rows(series: Series) -> list[str]:
    """Return the lower panel: a row of days for each column, those in alarm marked, and how many they are."""
    parts = []
    cells: dict[str, list[str]] = {colour: [] for _, colour, _ in LEVELS}
    marks: list[str] = []
    for place, (column, days) in enumerate(series.items()):
        y = ROWS + ROW * place
        parts.append(text(LEFT - 8, y + 11, column, "end"))
        colours = [next(colour for below, colour, _ in LEVELS if psi < below) for psi, _ in days]
        day = 0
        for colour, run in groupby(colours):
            width = DAY * len(list(run))
            cells[colour].append(f"M{LEFT + DAY * day:g} {y:g}h{width:g}v{ROW - 1.5:g}h{-width:g}z")
            day += round(width / DAY)
        marks += [f"M{LEFT + DAY * day:g} {y:g}h3v{ROW - 1.5:g}h-3z" for day, (_, alarm) in enumerate(days) if alarm]
        number = alarms(days)
        parts.append(text(RIGHT + 10, y + 11, f"{number} of {len(days)}", "" if number else "quiet"))
    painted = [f'<path fill="{colour}" d="{"".join(path)}"/>' for colour, path in cells.items()]
    return [*painted, f'<path fill="{ALARM}" d="{"".join(marks)}"/>', *parts]


def legend(y: float) -> list[str]:
    """Return the scale of colours, and the mark of an alarm."""
    parts, x = [text(LEFT, y + 10, "PSI of a day", "quiet")], LEFT + 84
    for _, colour, words in LEVELS:
        parts.append(f'<rect x="{x:g}" y="{y:g}" width="26" height="12" fill="{colour}"/>')
        parts.append(text(x + 31, y + 10, words, "quiet"))
        x += 48 + 6 * len(words)
    parts.append(f'<rect x="{x + 12:g}" y="{y:g}" width="3" height="12" fill="{ALARM}"/>')
    parts.append(text(x + 20, y + 10, "in alarm: more than chance and other days explain", "quiet"))
    return parts


def draw(series: Series) -> str:
    """Return the picture as SVG."""
    bottom = ROWS + ROW * len(series)
    size = f"960 {bottom + 44:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
        "<title>Drift of the demo's columns from the four weeks before, day by day</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="960" height="{bottom + 44:g}" rx="8" fill="#fff"/>',
        text(24, 34, "Nine months of flights against the four weeks before: what the model sees", "title"),
        text(
            24, 56, "Population stability index (PSI) of each day, 1 April to 31 December; logarithmic scale", "quiet"
        ),
        text(RIGHT + 10, ROWS - 12, "Days in alarm", "quiet"),
        *months(bottom),
        *lines(series),
        *rows(series),
        *legend(bottom + 16),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    here = Path(__file__).parent
    svg = draw(read(here.parents[1] / ".demo" / "results.db"))
    (here / "nine_months.svg").write_text(svg, encoding="utf-8")
