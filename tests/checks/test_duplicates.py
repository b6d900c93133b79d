"""Keys that came more than once, or not at all."""

from __future__ import annotations

import pytest

from monitoring_tasks.checks import Result
from monitoring_tasks.traffic import Traffic
from tests.checks.context import WINDOW
from tests.checks.quality import amounts, found


def keys(settings: str = "{}", rows: int = 10_000, **counted: object) -> dict[str, Result]:
    traffic = Traffic(WINDOW, rows, **counted)  # type: ignore[arg-type]
    results = found(amounts(1000), amounts(10_000), settings, traffic=traffic)
    return {
        name: result for name, result in results.items() if name in ("duplicate_share", "missing_keys", "unreadable")
    }


@pytest.mark.parametrize(
    ("settings", "repeats", "rows", "status"),
    [
        ("{}", 0, 10_000, "ok"),
        ("{}", 10, 10_000, "ok"),
        ("{}", 11, 10_000, "warning"),
        ("{}", 19, 10_000, "alarm"),
        ("{}", 1, 200, "warning"),
        ("{}", 2, 500, "warning"),
        ("{}", 4, 500, "alarm"),
        ("{minimum_effect: {duplicate_share: 0}}", 1, 10_000, "alarm"),
        ("{minimum_effect: {duplicate_share: 0.01}}", 11, 10_000, "ok"),
        ("{fixed: {duplicate_share: 0}}", 1, 10_000, "alarm"),
    ],
)
def test_repeated_keys(settings, repeats, rows, status):
    result = keys(settings, rows, repeats=repeats)["duplicate_share"]
    assert (result.value, result.column_name, result.decided()) == (repeats / rows, "id", status)


def test_repeated_keys_are_named():
    result = keys(repeats=100, repeated=(("a7", 90), ("b2", 12)), without_key=1)
    assert result["duplicate_share"].message == (
        "100 rows of 10,000 repeat a key (id): a7 came 90 times, b2 came 12 times; that is 1 % (alarm above 0.1 %)"
    )
    assert result["duplicate_share"].detail == {"keys": [["a7", 90], ["b2", 12]]}
    assert result["missing_keys"].message == "1 row of 10,000 has no key (id); that is 0.01 % (alarm above 0.1 %)"
    assert result["missing_keys"].decided() == "ok"


def test_keys_that_were_not_read_have_no_row():
    assert keys() == {}
    assert keys(rows=0, repeats=0, without_key=0) == {}


def test_a_key_that_cannot_be_read_is_an_error_with_its_reason():
    (result,) = keys(key_unreadable="table 'log' has no column 'id'").values()
    assert (result.metric, result.decided(), result.message) == (
        "unreadable",
        "error",
        "table 'log' has no column 'id'",
    )
