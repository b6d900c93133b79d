"""What is wrong with a monitor file: one line per problem, each with its place and its remedy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from monitoring_tasks.errors import ConfigError

LONGEST_SHOWN = 40
"""Characters of a value that an error shows."""

_SECRET_KEY = re.compile(r"passw|secret|token|credential|(api|access|private)[_-]?key|authorization", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"//[^/\s]*@"  # a login inside a URL
    r"|^(Bearer|Basic)\s|-----BEGIN |\b(AKIA|ghp_|gho_|github_pat_|glpat-|xox[abprs]-|sk-|eyJ)[\w-]{8}",
)


@dataclass(frozen=True)
class Problem:
    """One thing to edit in one file.

    Examples
    --------
    >>> print(Problem("flights.yaml", 14, "baseline.rolling", "'28'", "'28' is not a duration", "write 28d"))
    flights.yaml:14: baseline.rolling: '28' is not a duration: write 28d
    """

    file: str
    """The path as it was given."""
    line: int | None = None
    """Counted from 1; None when the file could not be read. A missing key has the line of the mapping it belongs in."""
    key: str = ""
    """Path of the key, such as ``alerts[0].when.check``; empty for the whole file."""
    value: str | None = None
    """The value as written, shortened; ``***`` for what looks like a secret; None where there is none."""
    message: str = ""
    """What is wrong, with the value."""
    remedy: str = ""
    """What to write instead."""

    def __str__(self) -> str:
        """Render on one line."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message, self.remedy) if part)


class MonitorFileError(ConfigError):
    """Monitor files are wrong. Its text is one line per problem, in the order of the files and their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems, each once, by line within each file."""
        problems = tuple(dict.fromkeys(problems))
        files = list(dict.fromkeys(problem.file for problem in problems))
        self.problems = tuple(sorted(problems, key=lambda problem: (files.index(problem.file), problem.line or 0)))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[MonitorFileError], tuple[tuple[Problem, ...]]]:
        """Pickle by the problems: Airflow moves exceptions between processes."""
        return type(self), (self.problems,)


def suggestion(wrong: str, known: Sequence[str], listed: int = 4) -> str:
    """Return the remedy for a name that is not among the known ones: the nearest, or all if they are few.

    Examples
    --------
    >>> suggestion("distnce", ["distance", "carrier", "origin", "dest", "tailnum"])
    "did you mean 'distance'?"
    >>> suggestion("numerc", ["numeric", "categorical", "timestamp"])
    'write numeric, categorical or timestamp'
    """
    if len(known) <= listed:
        return f"write {alternatives(known)}" if known else ""
    exact = {name.casefold(): name for name in known}
    near = get_close_matches(wrong.casefold(), exact, n=1)
    return f"did you mean '{exact[near[0]]}'?" if near else f"write one of {', '.join(known)}"


def alternatives(names: Sequence[str]) -> str:
    """Return ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def show(text: str, path: Sequence[str | int] = (), quoted: bool = False) -> str:
    """Return a scalar of the file as errors may print it: on one line, short, and no secret.

    Examples
    --------
    >>> show("numerc", quoted=True), show("hunter2", ("with", "password")), show("postgresql://me:hunter2@db/x")
    ("'numerc'", '***', '***')
    """
    names = "" if "features" in path else ".".join(map(str, path))  # a feature may well be called token_count
    if _SECRET_KEY.search(names) or _SECRET_VALUE.search(text):
        return "***"
    if not text:
        return "nothing"
    short = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
    return repr(short) if quoted or not short.isprintable() else short


def dotted(path: Sequence[str | int]) -> str:
    """Return the path of a key as people write it.

    Examples
    --------
    >>> dotted(("alerts", 0, "when", "check"))
    'alerts[0].when.check'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w*-]+", part) else show(part, quoted=True))
    return text
