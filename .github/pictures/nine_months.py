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
    (0.05, "#eaf0f6", "below 0.05"),
    (0.1, "#c9d9e8", "0.05"),
    (0.25, "#fbdc9a", "0.1 (alarm)"),
    (1.0, "#f5a04c", "0.25"),
    (5.0, "#d9512c", "1"),
    (math.inf, "#8a1c3c", "5 and more"),
)
LINES = (("temp", "#8a1c3c"), ("visib", "#ee8a2c"), ("predicted", "#7b5ea7"), ("carrier", "#3b76ab"))
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
    """Return the upper panel: the PSI of four columns day by day, and the threshold."""
    parts = []
    for tick in (0.01, 0.1, 1, 10):
        label, kind = ("alarm 0.1", "end") if tick == 0.1 else (f"{tick:g}", "quiet end")
        parts.append(text(LEFT - 8, height(tick) + 4, label, kind))
        if tick != 0.1:
            parts.append(f'<path d="M{LEFT:g} {height(tick):g}H{RIGHT:g}" stroke="#eef1f5"/>')
    for column, colour in LINES:
        points = " ".join(f"{LEFT + DAY * (day + 0.5):g},{height(psi)}" for day, (psi, _) in enumerate(series[column]))
        parts.append(f'<polyline class="line" stroke="{colour}" points="{points}"/>')
        middle = sorted(psi for psi, _ in series[column])[len(series[column]) // 2]
        parts.append(text(RIGHT + 10, height(middle) + 4, column, colour=colour))
    parts.append(f'<path d="M{LEFT:g} {height(0.1):g}H{RIGHT:g}" stroke="#1c2430" stroke-dasharray="5 4"/>')
    return parts


def rows(series: Series) -> list[str]:
    """Return the lower panel: a row of days for each column, and on how many of them it was in alarm."""
    parts = []
    cells: dict[str, list[str]] = {colour: [] for _, colour, _ in LEVELS}
    for place, (column, days) in enumerate(series.items()):
        y = ROWS + ROW * place
        parts.append(text(LEFT - 8, y + 11, column, "end"))
        colours = [next(colour for below, colour, _ in LEVELS if psi < below) for psi, _ in days]
        day = 0
        for colour, run in groupby(colours):
            width = DAY * len(list(run))
            cells[colour].append(f"M{LEFT + DAY * day:g} {y:g}h{width:g}v{ROW - 1.5:g}h{-width:g}z")
            day += round(width / DAY)
        share = alarms(days) / len(days)
        parts.append(f'<rect x="{RIGHT + 10:g}" y="{y + 2:g}" width="{92 * share:g}" height="9.5" fill="#d9512c"/>')
        percent = f"{100 * share:.0f} %" if share == 0 or share >= 0.005 else "&lt; 1 %"
        parts.append(text(RIGHT + 16 + 92 * share, y + 11, percent, "quiet"))
    return [f'<path fill="{colour}" d="{"".join(path)}"/>' for colour, path in cells.items()] + parts


def legend(y: float) -> list[str]:
    """Return the scale of colours."""
    parts, x = [text(LEFT, y + 10, "PSI of a day", "quiet")], LEFT + 84
    for _, colour, words in LEVELS:
        parts.append(f'<rect x="{x:g}" y="{y:g}" width="26" height="12" fill="{colour}"/>')
        parts.append(text(x + 31, y + 10, words, "quiet"))
        x += 48 + 6 * len(words)
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
