"""Pictures and tables made of characters, for channels that show nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from monitoring_tasks.alerts.message import Bars, Course
from monitoring_tasks.alerts.picture import height
from monitoring_tasks.checks.wording import percent

BAR = 16
"""Characters of the longest bar: with label and share beside it a line fits into a chat window."""

LABEL = 28
"""Characters of a label beside a bar."""

_EIGHTHS = "▁▂▃▄▅▆▇█"
_PARTS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
_NOT_MEASURED = "·"


def bars(picture: Bars) -> list[str]:
    """Draw two lines for each bin: its share in the baseline, and under it that in the window.

    Examples
    --------
    >>> print(*bars(Bars("temp", ("below 40", "from 40 on"), (0.25, 0.75), (0.75, 0.25))), sep="\\n")
    below 40    baseline █████▍            25 %
                window   ████████████████  75 %
    from 40 on  baseline ████████████████  75 %
                window   █████▍            25 %
    """
    labels = [shortened(label, LABEL) for label in picture.labels]
    width = max(map(display_width, labels), default=0)
    most = max((*picture.baseline, *picture.window), default=0.0)
    lines = []
    for label, before, after in zip(labels, picture.baseline, picture.window, strict=True):
        for name, side, share in ((label, "baseline", before), ("", "window  ", after)):
            drawn = bar(share / most if most else 0.0, BAR)
            lines.append(f"{padded(name, width)}  {side} {padded(drawn, BAR)}  {percent(share)}")
    return lines


def bar(share: float, width: int) -> str:
    """Draw a share of the full width, to an eighth of a character; what is there at all has at least one eighth."""
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + _PARTS[eighths % 8]


def sparkline(picture: Course) -> str:
    """Draw a number's course in one line; a dot is a window in which it was not measured.

    Examples
    --------
    >>> sparkline(Course("psi", ("1", "2", "3", "4"), (0.0, 0.1, None, 0.2), ("",) * 4, ("ok",) * 4))
    '▁▅·█'
    """
    known = [value for value in picture.values if value is not None]
    return "".join(
        _NOT_MEASURED if value is None else _EIGHTHS[round(7 * height(value, min(known), max(known)))]
        for value in picture.values
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Set cells below each other.

    Examples
    --------
    >>> print(*table(("column", "value"), [("temp", "0.31"), ("wind_speed", "0.2")]), sep="\\n")
    column      value
    temp        0.31
    wind_speed  0.2
    """
    cells = [[shortened(cell, LABEL + BAR) for cell in row] for row in (header, *rows)]
    widths = [max(display_width(row[place]) for row in cells) for place in range(len(header))]
    return ["  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def shortened(text: str, length: int) -> str:
    """Return the text in so many characters, with its end cut off where it has more."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def display_width(text: str) -> int:
    """Return how many places the text takes where every letter takes one: Chinese and the like take two."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def padded(text: str, width: int) -> str:
    """Fill up with blanks."""
    return text + " " * (width - display_width(text))
