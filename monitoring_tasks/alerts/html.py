"""A message as HTML for a mail: what mail programs show, which is less than what browsers do.

All styles are inline and all layout is tables, as Outlook wants it. There is no script, no picture and no address that
is loaded: the drift picture is made of table cells with background colours, so that no mail program blocks it and no
drawing library is needed. Neither text nor page has a colour of its own, so both follow the reader's light or dark
theme; what has one (bars, marks, quiet text) can be told from white and from black.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from monitoring_tasks.alerts.message import (
    Bars,
    Block,
    Code,
    Course,
    Facts,
    Headline,
    Links,
    Message,
    Numbers,
    Paragraph,
)
from monitoring_tasks.alerts.picture import height
from monitoring_tasks.checks.wording import percent

BASELINE, WINDOW = "#8a8f98", "#2f7ed8"
"""Colours of the two bars."""

QUIET = "opacity:.7"
"""Of labels and captions: less of the text's own colour, whatever that is; where it is ignored they are only louder."""

RULE = "#9aa0a8"
"""Of lines."""

COURSE = {"alarm": "#d64545", "error": "#a259c4", "warning": "#d98b00"}
"""Of a window's bar by the status of its result; others have the baseline's colour."""

BADGES = {"low": "#4a6785", "medium": "#8a6100", "high": "#b3471d", "critical": "#b3202c"}
"""Under white letters, by severity."""

CALM = "#2e7d4f"
"""Of what is over."""

HEIGHT = 64
"""Pixels of the highest bar of a course."""

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45"
_TABLE = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_WRAP = "overflow-wrap:anywhere;word-break:break-word"
_ONE_LINE = "white-space:nowrap"
_WHOLE_WORDS = "overflow-wrap:normal;word-break:normal"
_FIXED = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;line-height:1.4"
_BOX = f"{_FIXED};border:1px solid {RULE};border-radius:4px;padding:6px 10px;white-space:pre-wrap;{_WRAP}"

_UNSEEN = "display:none;max-height:0;overflow:hidden;mso-hide:all"

_PAGE = """\
<!DOCTYPE html>
<html lang="en" style="color-scheme:light dark">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:0">
<div style="{font};max-width:680px;margin:0 auto;padding:16px;{wrap}">
{body}
</div>
</body>
</html>
"""


def render(message: Message) -> tuple[str, str]:
    """Return title and body: the title as plain text, for a mail's subject; the body as a whole page.

    Parameters
    ----------
    message
        Any message; whatever others wrote in it is shown as it is, and is no markup.

    Examples
    --------
    >>> title, body = render(Message("loans: drift", "high", "opened", (Headline("age < 18 moved"),)))
    >>> title, "age &lt; 18 moved" in body
    ('loans: drift', True)
    """
    parts = [*_preview(message.blocks), _badge(message), *filter(None, (_block(block) for block in message.blocks))]
    return message.title, _PAGE.format(title=escape(message.title), font=_FONT, wrap=_WRAP, body="\n".join(parts))


def _preview(blocks: Sequence[Block]) -> list[str]:
    """Say first, unseen in the page, what a mail program shows beside the subject, as on a phone's locked screen.

    Else that would be the headline, which the subject has said.
    """
    if len(blocks) < 2 or not isinstance(blocks[1], Paragraph):
        return []
    return [f'<div style="{_UNSEEN}">{escape(blocks[1].text)}</div>']


def _badge(message: Message) -> str:
    """Say how bad it is, and whether it begins, goes on or is over."""
    over = message.event in ("resolved", "withdrawn")
    colour = CALM if over else BADGES.get(message.severity, BADGES["medium"])
    words = message.event if over else f"{message.severity} · {message.event}"
    style = f"background-color:{colour};color:#ffffff;padding:3px 10px;border-radius:4px;font-size:13px;font-weight:600"
    cell = f'<td bgcolor="{colour}" style="{style}">{escape(words)}</td>'
    return f'<table {_TABLE} style="margin:0 0 12px"><tr>{cell}</tr></table>'


def _block(block: Block) -> str:
    match block:
        case Headline(text):
            return f'<h1 style="font-size:19px;line-height:1.35;margin:0 0 14px">{escape(text)}</h1>'
        case Paragraph(text):
            return f'<p style="margin:0 0 14px">{escape(text)}</p>'
        case Facts(pairs):
            rows = "".join(
                f'<tr><td valign="top" style="{QUIET};padding:2px 14px 2px 0;{_ONE_LINE}">{escape(name)}</td>'
                f'<td valign="top" style="padding:2px 0;{_WRAP}">{escape(value)}</td></tr>'
                for name, value in pairs
            )
            return f'<table {_TABLE} style="margin:0 0 18px">{rows}</table>'
        case Numbers():
            return _numbers(block)
        case Bars():
            return _bars(block)
        case Course():
            return _course(block)
        case Code(caption, text, "shell"):
            return _caption(caption) + "".join(map(_command, text.splitlines()))
        case Code(caption, text):
            return f'{_caption(caption)}<pre style="{_BOX};margin:0 0 18px">{escape(text)}</pre>'
        case Links(pairs):
            links = " &nbsp;·&nbsp; ".join(
                f'<a href="{escape(url)}" style="color:{WINDOW};font-weight:600">{escape(name)}</a>'
                for name, url in pairs
            )
            return f'<p style="margin:0 0 18px">{links}</p>' if links else ""


def _caption(text: str, more: str = "") -> str:
    quiet = f' <span style="{QUIET};font-weight:400">{escape(more)}</span>' if more else ""
    return f'<p style="font-weight:600;margin:0 0 6px">{escape(text)}{quiet}</p>'


def _command(line: str) -> str:
    words, _, comment = line.partition("  # ")
    label = f'<p style="font-size:13px;margin:0 0 2px;{QUIET}">{escape(comment)}</p>' if comment else ""
    return f'{label}<pre style="{_BOX};margin:0 0 8px">{escape(words)}</pre>'


def _numbers(block: Numbers) -> str:
    """Set two cells below each other, so that six columns are three and a phone shows them."""
    head = _row(block.header, "th", "font-weight:400;font-size:13px")
    rows = "".join(_row(row, "td", f"border-top:1px solid {RULE}") for row in block.rows)
    more = f'<p style="{QUIET};margin:-12px 0 18px">and {block.more:,} more</p>' if block.more else ""
    table = '<table cellpadding="0" cellspacing="0" border="0" width="100%" style="margin:0 0 18px;font-size:14px">'
    return f"{_caption(block.caption)}{table}{head}{rows}</table>{more}"


def _row(cells: Sequence[str], tag: str, style: str) -> str:
    pairs = [cells[place : place + 2] for place in range(0, len(cells), 2)]
    drawn = []
    quiet = f";{QUIET}" if tag == "th" else ""
    for place, pair in enumerate(pairs):
        # The first column takes what is left and breaks its names. A number stays in one piece; two bounds may stand
        # below each other, or they leave a phone no room for names.
        own = f"width:48%;{_WRAP}" if place == 0 else f"{_WHOLE_WORDS};font-variant-numeric:tabular-nums"
        align, width = ("left", ' width="48%"') if place == 0 else ("right", "")
        whole = "" if place == 0 else _ONE_LINE
        upper = f'<div style="{whole}{quiet}">{escape(pair[0]) or "&nbsp;"}</div>'
        under = pair[1:] if place == 0 else map(_bounds, pair[1:])
        lower = "".join(f'<div style="font-size:12px;{QUIET}">{escape(cell)}</div>' for cell in under)
        padding = f"padding:4px 0 4px {0 if place == 0 else 10}px"
        drawn.append(
            f'<{tag} align="{align}" valign="top"{width} style="{style};{padding};{own}">{upper}{lower}</{tag}>'
        )
    return f"<tr>{''.join(drawn)}</tr>"


def _bounds(text: str) -> str:
    """Let a line end between two bounds, and nowhere else."""
    return text.replace(" ", "\u00a0").replace("\u00a0or\u00a0", " or\u00a0")


def _bars(block: Bars) -> str:
    most = max((*block.baseline, *block.window), default=0.0) or 1.0
    keys = zip((BASELINE, WINDOW), block.sides, strict=True)
    legend = " &nbsp; ".join(
        f'<span style="color:{colour}">&#9632;</span> <span style="{QUIET}">{escape(name)}</span>'
        for colour, name in keys
    )
    rows = "".join(
        f'<tr><td width="32%" valign="middle" style="width:32%;font-size:13px;padding:4px 8px 4px 0;{_WRAP}">'
        f'{escape(label)}</td><td valign="middle" style="padding:3px 0">'
        f"{_bar(before, most, BASELINE)}{_bar(after, most, WINDOW)}</td></tr>"
        for label, before, after in zip(block.labels, block.baseline, block.window, strict=True)
    )
    table = f'<table {_TABLE} width="100%" style="width:100%;margin:0 0 18px">{rows}</table>'
    return f'{_caption(block.caption)}<p style="font-size:13px;margin:0 0 6px">{legend}</p>{table}'


def _bar(share: float, most: float, colour: str) -> str:
    """Draw a bar of a share's length beside its percentage; the longest leaves room for that."""
    width = round(78 * share / most) if share <= 0 else max(round(78 * share / most), 1)
    drawn = f'<td width="{width}%" bgcolor="{colour}" style="width:{width}%;background-color:{colour}"></td>'
    text = f'<td style="font-size:12px;line-height:14px;padding:0 0 0 6px;white-space:nowrap">{percent(share)}</td>'
    return (
        f'<table {_TABLE} width="100%" style="width:100%;margin:1px 0"><tr>{drawn if width else ""}{text}</tr></table>'
    )


def _course(block: Course) -> str:
    known = [value for value in block.values if value is not None]
    bounds = [bound for bound in (block.lower, block.upper) if bound is not None]
    if not known or block.extremes is None:
        return ""
    low, high = min([0.0, *known, *bounds]), max([0.0, *known, *bounds])
    cells = "".join(
        _column(value, status, low, high, f"{label}: {text} {status}")
        for value, status, label, text in zip(block.values, block.statuses, block.labels, block.texts, strict=True)
    )
    count = len(block.values)
    between, extremes = f"{block.labels[0]} to {block.labels[-1]}", "from {} to {}".format(*block.extremes)
    ends = (
        f'<tr><td colspan="{count}" style="{QUIET};font-size:12px;padding-top:4px">'
        f"{escape(between)}; {escape(extremes)}</td></tr>"
    )
    table = f'<table {_TABLE} width="100%" style="width:100%;table-layout:fixed;margin:0 0 18px">'
    drawn = f'<tr style="border-bottom:1px solid {RULE}">{cells}</tr>'
    return f"{_caption(block.caption, block.subtitle)}{table}{drawn}{ends}</table>"


def _column(value: float | None, status: str, low: float, high: float, text: str) -> str:
    """Draw one window: a bar that stands on the ground line; nothing where it was not measured."""
    place = f'valign="bottom" height="{HEIGHT}" style="height:{HEIGHT}px;padding:0 1px;border-bottom:1px solid {RULE}"'
    place += f' title="{escape(text)}"'
    if value is None:
        return f"<td {place}></td>"
    pixels, colour = max(round(HEIGHT * height(value, low, high)), 2), COURSE.get(status, BASELINE)
    drawn = f"height:{pixels}px;background-color:{colour};font-size:0"
    inner = f'<td height="{pixels}" bgcolor="{colour}" style="{drawn}"></td>'
    return f'<td {place}><table {_TABLE} width="100%"><tr>{inner}</tr></table></td>'
