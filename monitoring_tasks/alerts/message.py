"""A message as blocks, before any channel has had a say: what happened, the numbers, pictures, links, what to type.

It is made once, when an event is told, and stored with each delivery. Renderers (`plain_text`, `markdown`, `html`) turn
it into what a channel takes. A block's text is clean from the moment it is made, whoever wrote it; see `clean_text`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeAlias
from urllib.parse import quote

from monitoring_tasks.alerts.clean_text import clean, one_line
from monitoring_tasks.checks.wording import counted

TITLE = 150
"""Characters of a title: what Slack's header takes at most, and a mail's subject shows."""

HEADLINE = 400
"""Characters of the sentence that says what happened."""

PARAGRAPH = 1000
"""Characters of a paragraph: an error of a warehouse may be a page long."""

CELL = 160
"""Characters of a cell, a label or a fact's name."""

ADDRESS = 2000
"""Characters of a link; of a longer one browsers and mail programs lose the end."""


@dataclass(frozen=True)
class Headline:
    """What happened, in one sentence."""

    kind: ClassVar[str] = "headline"
    text: str

    def __post_init__(self) -> None:
        """Clean the text."""
        _set(self, text=one_line(self.text, HEADLINE))


@dataclass(frozen=True)
class Paragraph:
    """A sentence or two."""

    kind: ClassVar[str] = "paragraph"
    text: str

    def __post_init__(self) -> None:
        """Clean the text."""
        _set(self, text=one_line(self.text, PARAGRAPH))


@dataclass(frozen=True)
class Facts:
    """Short values, each with its name: since when, which window, how bad."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Clean names and values."""
        pairs = tuple((one_line(name, CELL), one_line(value, PARAGRAPH)) for name, value in self.pairs)
        _set(self, pairs=pairs)


@dataclass(frozen=True)
class Numbers:
    """A table."""

    kind: ClassVar[str] = "numbers"
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Worst first, each as long as the header."""
    more: int = 0
    """Rows that were left out."""

    def __post_init__(self) -> None:
        """Clean every cell."""
        _set(
            self,
            caption=one_line(self.caption, CELL),
            header=tuple(one_line(cell, CELL) for cell in self.header),
            rows=tuple(tuple(one_line(cell, CELL) for cell in row) for row in self.rows),
        )


@dataclass(frozen=True)
class Bars:
    """A picture: of each bin the share in the baseline beside the share in the window."""

    kind: ClassVar[str] = "bars"
    caption: str
    labels: tuple[str, ...]
    baseline: tuple[float, ...]
    """Shares in [0, 1], as many as labels."""
    window: tuple[float, ...]
    baseline_rows: int = 0
    window_rows: int = 0
    baseline_name: str = "baseline"
    """What the window is compared with, in words."""
    window_name: str = "window"
    """Which window it is."""

    def __post_init__(self) -> None:
        """Clean the texts, and make lists of JSON tuples."""
        _set(
            self,
            caption=one_line(self.caption, CELL),
            labels=tuple(one_line(label, CELL) for label in self.labels),
            baseline=tuple(self.baseline),
            window=tuple(self.window),
            baseline_name=one_line(self.baseline_name, CELL),
            window_name=one_line(self.window_name, CELL),
        )

    @property
    def sides(self) -> tuple[str, str]:
        """What the two bars are: each with its rows."""
        return (
            f"{self.baseline_name} ({counted(self.baseline_rows, 'row')})",
            f"{self.window_name} ({counted(self.window_rows, 'row')})",
        )


@dataclass(frozen=True)
class Course:
    """A picture: how one number went over the last windows, and the bounds it was held against."""

    kind: ClassVar[str] = "course"
    caption: str
    labels: tuple[str, ...]
    """Of the windows, the oldest first."""
    values: tuple[float | None, ...]
    """None where it was not measured."""
    texts: tuple[str, ...]
    """The same in words, each with its unit."""
    statuses: tuple[str, ...]
    """``ok``, ``warning``, ``alarm`` ... or empty where there is no result."""
    lower: float | None = None
    """The latest bounds; None where there is none."""
    upper: float | None = None
    bound: str = ""
    """Them in words: ``above 18 %``."""

    def __post_init__(self) -> None:
        """Clean the texts, and take for not measured what is no number."""
        _set(
            self,
            caption=one_line(self.caption, CELL),
            labels=tuple(one_line(label, CELL) for label in self.labels),
            values=tuple(map(_finite, self.values)),
            texts=tuple(one_line(text, CELL) for text in self.texts),
            statuses=tuple(one_line(status, CELL) for status in self.statuses),
            lower=_finite(self.lower),
            upper=_finite(self.upper),
            bound=one_line(self.bound, CELL),
        )

    @property
    def subtitle(self) -> str:
        """What the number is held against; empty if nothing."""
        return f"alarm {self.bound}" if self.bound else ""

    @property
    def extremes(self) -> tuple[str, str] | None:
        """The least and the greatest number in words; None where none was measured."""
        known = [(value, text) for value, text in zip(self.values, self.texts, strict=True) if value is not None]
        return (min(known)[1], max(known)[1]) if known else None


@dataclass(frozen=True)
class Code:
    """Text to copy as it is: SQL, or commands."""

    kind: ClassVar[str] = "code"
    caption: str
    text: str
    language: str = "sql"
    """``sql`` or ``shell``."""

    def __post_init__(self) -> None:
        """Clean the text, line by line. It is never shortened: half a statement is worse than none."""
        text = "\n".join(clean(line) for line in self.text.splitlines())
        _set(self, caption=one_line(self.caption, CELL), text=text, language=one_line(self.language, CELL))


@dataclass(frozen=True)
class Links:
    """Addresses, each with its name; only ``http`` and ``https`` ones are kept."""

    kind: ClassVar[str] = "links"
    pairs: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        """Clean names and addresses."""
        known = ((one_line(name, CELL), web_address(url)) for name, url in self.pairs)
        _set(self, pairs=tuple((name, url) for name, url in known if url is not None))


Block: TypeAlias = Headline | Paragraph | Facts | Numbers | Bars | Course | Code | Links

BLOCKS: Mapping[str, type[Block]] = {
    block.kind: block for block in (Headline, Paragraph, Facts, Numbers, Bars, Course, Code, Links)
}
"""By the name under which they are stored."""


@dataclass(frozen=True)
class Message:
    """What is told to people because of one event of one alert."""

    title: str
    """One line, enough by itself for a channel that takes no more."""
    severity: str
    """``low``, ``medium``, ``high`` or ``critical``."""
    event: str
    """``opened``, ``continued``, ``escalated``, ``resolved`` or ``withdrawn``."""
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        """Clean the title."""
        _set(self, title=one_line(self.title, TITLE))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, enough for `from_json`."""
        blocks = [{"block": block.kind, **asdict(block)} for block in self.blocks]
        return {"title": self.title, "severity": self.severity, "event": self.event, "blocks": blocks}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Message:
        """Return what `to_json` was made of; blocks and fields of a newer version are left out."""
        blocks = tuple(_block(each) for each in values.get("blocks", ()) if each.get("block") in BLOCKS)
        return cls(values["title"], values.get("severity", ""), values.get("event", ""), blocks)


def web_address(url: str) -> str | None:
    """Return the address with everything encoded that would end it early, or None if it is not of the web.

    Examples
    --------
    >>> web_address("https://example.com/run (1)?id=a>b"), web_address("javascript:alert(1)")
    ('https://example.com/run%20%281%29?id=a%3Eb', None)
    """
    if not url.lower().startswith(("http://", "https://")) or len(url) > ADDRESS:
        return None
    return quote(clean(url), safe="%:/?#[]@!$&*+,;=~")


def _block(values: Mapping[str, Any]) -> Block:
    kind = BLOCKS[values["block"]]
    known = {field.name for field in fields(kind)}
    return kind(**{name: _tuples(value) for name, value in values.items() if name in known})


def _tuples(value: Any) -> Any:
    """Return JSON's lists as tuples, within each other too."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_tuples(each) for each in value)
    return value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _set(block: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(block, name, value)
