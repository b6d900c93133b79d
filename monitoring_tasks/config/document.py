"""A monitor file as plain values, with the line that each stands on.

YAML is read as its node tree, because only nodes know their lines. Three things differ from a plain YAML loader: a key
is the text that was written (``on`` and ``no`` are column names to people), a key written twice is a problem instead of
quietly winning, and ``${NAME}`` in a text is taken from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from monitoring_tasks.config.problem import Problem, dotted, show

KeyPath: TypeAlias = tuple[str | int, ...]

DEEPEST = 50
"""Levels of nesting: libyaml's composer is recursive C code, and a thousand brackets would end the process."""
LARGEST = 20_000
"""Values in a file once its aliases are expanded: a few nested aliases can expand to billions."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "timestamp", "str", "seq", "map")}
_MERGE = "tag:yaml.org,2002:merge"
_VARIABLE = re.compile(r"\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{([^}]*)\}?")


@dataclass(frozen=True)
class Place:
    """Where a value stands in the file, and how an error shows it."""

    line: int
    shown: str
    """The value as written, before the environment is put in."""
    substituted: bool = False
    """It holds something from the environment, here or below: never print what it became."""


@dataclass(frozen=True)
class Document:
    """A file's content."""

    file: str
    values: Any = None
    """Mappings, lists and scalars, with the environment put in."""
    raw: Any = None
    """The same as written: ``${NAME}`` stands as it is."""
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, path: KeyPath) -> Place | None:
        """Return the place of a value, or of the nearest thing around it that the file does hold."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path)

    def problem(self, path: KeyPath, message: str, remedy: str = "") -> Problem:
        """Return a problem at a key.

        ``{value}`` in the message becomes the value as written, and ``{name.name}`` that of another key: what came from
        the environment and what looks like a secret is never printed this way.
        """
        if path not in self.places and path and isinstance(path[-1], int):
            path = path[:-1]  # a list of one, written without brackets
        here = self.places.get(path)
        nearest = self.place(path)

        def written(match: re.Match[str]) -> str:
            place = here if match[1] == "value" else self.places.get(tuple(match[1].split(".")))
            return place.shown if place else f"`{match[1]}`"

        return Problem(
            file=self.file,
            line=nearest.line if nearest else None,
            key=dotted(path),
            value=here.shown if here else None,
            message=re.sub(r"\{([a-z_.]+)\}", written, message),
            remedy=remedy,
        )


def read_file(path: Path, environ: Mapping[str, str]) -> Document:
    """Return the content of a file; what keeps it from being read is a problem of the document."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return _unreadable(str(path), None, "no such file", "check the path")
    except OSError as error:
        return _unreadable(str(path), None, f"cannot be read ({error.strerror})", "check the path and its permissions")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _unreadable(str(path), line, f"byte 0x{content[error.start]:02x} is not UTF-8", "save the file as UTF-8")
    return read_text(text, str(path), environ)


def read_text(text: str, file: str, environ: Mapping[str, str]) -> Document:
    """Return the content of a text; `file` is what errors call it."""
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else None
                return _unreadable(file, line, f"nested more than {DEEPEST} levels deep", "close the brackets")
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(filter(None, (error.context, error.problem)))
        remedy = "check the indentation, colons, quotes and brackets on this line and the one before"
        return _unreadable(file, mark.line + 1 if mark else None, f"not YAML: {what}", remedy)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _unreadable(file, line, f"not YAML: {error.reason}", "remove the character, or write it as an escape")
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        return _unreadable(file, line, "not YAML: a lone surrogate is not a character", "remove it")
    if node is None:
        return _unreadable(file, 1, "the file is empty", "write at least `monitor:`, `schedule:`, `start:` ...")
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        return _unreadable(file, line, "not a mapping of keys to values", "begin with `monitor: a-name`")
    tree = _Tree(file, environ)
    values, raw = tree.read(node, (), node.start_mark.line + 1)
    return Document(file, values, raw, tree.places, tuple(tree.problems))


def _unreadable(file: str, line: int | None, message: str, remedy: str) -> Document:
    return Document(file, problems=(Problem(file, line, message=message, remedy=remedy),))


class _Tree:
    """One walk over a node tree, collecting places and problems."""

    def __init__(self, file: str, environ: Mapping[str, str]) -> None:
        self.file = file
        self.environ = environ
        self.places: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self.open: set[int] = set()
        self.visited = 0
        self.scalars = _LOADER("")

    def refuse(
        self, path: KeyPath, line: int, message: str, remedy: str, value: str | None = None
    ) -> tuple[None, None]:
        self.problems.append(Problem(self.file, line, dotted(path), value, message, remedy))
        self.places.setdefault(path, Place(line, value or "nothing"))
        return None, None

    def read(self, node: yaml.Node, path: KeyPath, line: int) -> tuple[Any, Any]:
        """Return a node's value twice: with the environment put in, and as written."""
        if id(node) in self.open:
            return self.refuse(path, line, "an alias refers to what it stands in", "write the values out")
        self.visited += 1
        if self.visited > LARGEST:
            if self.visited == LARGEST + 1:
                self.refuse(path, line, f"more than {LARGEST} values, aliases expanded", "use fewer aliases")
            return None, None
        if node.tag not in _TAGS:
            tag = show(node.tag.replace("tag:yaml.org,2002:", "!!"))
            return self.refuse(path, line, f"the tag {tag} is not used in monitor files", "remove it")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path, line)
        self.places[path] = Place(line, "a mapping" if isinstance(node, yaml.MappingNode) else "a list")
        self.open.add(id(node))
        value: Any
        raw: Any
        if isinstance(node, yaml.MappingNode):
            value, raw = {}, {}
            for key, item in self.pairs(node, path):
                value[key.value], raw[key.value] = self.read(item, (*path, key.value), key.start_mark.line + 1)
        else:
            both = [self.read(item, (*path, i), item.start_mark.line + 1) for i, item in enumerate(node.value)]
            value, raw = [item for item, _ in both], [item for _, item in both]
        self.open.remove(id(node))
        return value, raw

    def pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Yield each key once with its value: the mapping's own, then those merged in with ``<<``."""
        seen: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key, item in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                merged += item.value if isinstance(item, yaml.SequenceNode) else [item]
            elif not isinstance(key, yaml.ScalarNode):
                self.refuse(path, line, "a key must be text", "write a name before the colon")
            elif key.value in seen:
                first = f"written twice (first on line {seen[key.value]})"
                self.refuse((*path, key.value), line, first, "remove one of them")
            else:
                seen[key.value] = line
                yield key, item
        for other in merged:
            if not isinstance(other, yaml.MappingNode) or id(other) in self.open:
                line = node.start_mark.line + 1
                self.refuse((*path, "<<"), line, "only another mapping can be merged", "write `<<: *name` of a mapping")
                continue
            self.visited += 1
            if self.visited > LARGEST:
                return
            self.open.add(id(other))
            for key, item in self.pairs(other, path):
                if key.value not in seen:
                    seen[key.value] = key.start_mark.line + 1
                    yield key, item
            self.open.remove(id(other))

    def scalar(self, node: yaml.ScalarNode, path: KeyPath, line: int) -> tuple[Any, Any]:
        text = node.value
        if node.tag != "tag:yaml.org,2002:str":
            shown = show(text, path)
            try:
                value = self.scalars.construct_object(node)
            except (ValueError, OverflowError, KeyError, AttributeError, IndexError, yaml.YAMLError):
                kind = node.tag.rpartition(":")[2].replace("timestamp", "date or time that exists")
                return self.refuse(path, line, f"{shown} is no {kind}", "write one, or put text in quotes", shown)
            self.places[path] = Place(line, shown)
            return value, value
        shown = show(text, path, quoted=True)
        before = len(self.problems)

        def substitute(match: re.Match[str]) -> str:
            escaped, name, malformed = match.groups()
            if escaped:
                return "${"
            if malformed is not None:
                message = f"{shown} does not name an environment variable"
                self.refuse(path, line, message, "write ${NAME}, or $${ for a literal ${", shown)
            elif name not in self.environ:
                message = f"the environment variable {name} is not set"
                self.refuse(path, line, message, f"set {name}, or write $${{ for a literal ${{", shown)
            else:
                return self.environ[name]
            return match[0]

        value = _VARIABLE.sub(substitute, text)
        self.places[path] = Place(line, shown, substituted="${" in text)
        if "${" in text:
            for end in range(len(path)):
                self.places[path[:end]] = replace(self.places[path[:end]], substituted=True)
        return (None if len(self.problems) > before else value), text
