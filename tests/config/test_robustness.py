"""Whatever a file holds, the answer is a monitor or a list of problems: never another exception, and never a secret."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitoring_tasks.config import Monitor, MonitorFileError, parse_monitor

COMPLETE = (Path(__file__).parent / "cases" / "complete.yaml").read_text()
RAW_ENGLISH = re.compile(r"Input should|Field required|should (have|be|match)|valid (dictionary|tuple|string|integer)")

KEYS = sorted(set(re.findall(r"[a-z_]+(?=:)", COMPLETE)))
TEXTS = st.one_of(
    st.sampled_from(
        ["2 of 3", "10m", "* * * * *", "0 0 30 2 *", "@hourly", "R * * * *", "9999-12-31", "${A}", "${", "*"]
    ),
    st.from_regex(r"[0-9*/,L#-]{1,5}( [0-9*/,LW#a-z-]{1,5}){4}", fullmatch=True),
    st.from_regex(r"[0-9]{1,25}[smhdw]", fullmatch=True),
    st.text(max_size=8),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.datetimes(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, inner, max_size=4),
    max_leaves=6,
)


def answer(text: str, environ: dict[str, str] | None = None) -> Monitor | MonitorFileError:
    try:
        return parse_monitor(text, "flights.yaml", environ or {})
    except MonitorFileError as error:
        refusal = error
    assert refusal.problems
    assert RAW_ENGLISH.search(str(refusal)) is None
    for problem in refusal.problems:
        assert "\n" not in str(problem)
        assert problem.line is None or 1 <= problem.line <= text.count("\n") + text.count("\r") + 2
    return refusal


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in items for deeper in paths(item, (*path, key)))]


VALUES_OF_COMPLETE = yaml.safe_load(COMPLETE)
PATHS = [path for path in paths(VALUES_OF_COMPLETE) if path]


@settings(deadline=None)
@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    answer(text)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
def test_any_yaml_is_answered(values: dict[str, Any]) -> None:
    answer(yaml.safe_dump(values))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PATHS), VALUES)
def test_a_good_file_with_one_wrong_value_is_answered(path: tuple[str | int, ...], wrong: Any) -> None:
    values = deepcopy(VALUES_OF_COMPLETE)
    place = values
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = wrong
    answer(yaml.safe_dump(values))


@settings(deadline=None)
@given(st.integers(0, len(COMPLETE)), st.text("{}[]:,&*!|>'\"%@`#-? \n\t\x00a1", max_size=4), st.integers(0, 6))
def test_a_good_file_with_a_slip_of_the_hand_is_answered(at: int, typed: str, deleted: int) -> None:
    answer(COMPLETE[:at] + typed + COMPLETE[at + deleted :])


@settings(max_examples=300, deadline=None)
@example(("monitor",), "abcdefghi")
@given(st.sampled_from(PATHS), st.text("abcdefghij:/@ .%", min_size=9, max_size=30).filter(lambda text: text.strip()))
def test_what_comes_from_the_environment_is_never_shown(path: tuple[str | int, ...], secret: str) -> None:
    values = deepcopy(VALUES_OF_COMPLETE)
    place = values
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = "${SECRET}"
    got = answer(yaml.safe_dump(values), {"SECRET": secret})
    if path == ("monitor",) and isinstance(got, Monitor):
        return  # a good name is no secret, whatever it came from: it is the DAG's, and that of every row
    shown = f"{got!r}\n{got}"
    if isinstance(got, MonitorFileError):
        shown += repr(got.problems)
        assert got.__cause__ is None
        assert got.__context__ is None
    assert secret not in shown
    assert secret.strip() not in shown


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "{b: " * 5_000, "- " * 2_000])
def test_deep_nesting_is_refused_before_it_overflows_the_stack(text: str) -> None:
    error = answer(text)
    assert isinstance(error, MonitorFileError)
    assert "nested more than 50 levels deep" in str(error) or "not YAML" in str(error)


def test_aliases_that_expand_to_billions_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join(f'*a{i - 1}' for _ in range(9))}]" for i in range(1, 12)]
    lines += ["m0: &m0 {x: 1}"]
    lines += [f"m{i}: &m{i} {{<<: [{', '.join(f'*m{i - 1}' for _ in range(9))}]}}" for i in range(1, 12)]
    assert "more than 20000 values, aliases expanded" in str(answer("\n".join(lines)))
