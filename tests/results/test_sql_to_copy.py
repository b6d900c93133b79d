"""SQL that is copied out of a message."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import sqlite

from monitoring_tasks.checks.result import Result
from monitoring_tasks.results.sql_to_copy import results_sql
from monitoring_tasks.results.store import Store
from monitoring_tasks.window import Window
from tests.results.example import day

NAMES = ("temp", "O'Hare", "50 %", ":name", "two  blanks", "température", "back\\slash", "back`tick", "zero\u200bwidth")


def asked(store: Store, period: Window, **conditions: tuple[str, ...]) -> set[str]:
    sql = results_sql(store.engine.dialect, "flights", period, **conditions)
    if store.engine.dialect.name == "postgresql":  # psycopg looks for placeholders, psql does not
        sql = sql.replace("%", "%%")
    with store.reading() as connection:
        return {row["column_name"] for row in connection.exec_driver_sql(sql).mappings()}


def test_it_finds_names_of_any_kind(store: Store) -> None:
    """A name that a chat would not show as it is has no condition: then there is more to see, and nothing is hidden."""
    store.write_results(
        "flights", day(0), "data_drift", [Result("psi", 0.5, name, threshold_upper=0.2) for name in NAMES]
    )
    store.write_results("flights", day(1), "data_drift", [Result("psi", 0.5, "tomorrow", threshold_upper=0.2)])
    for name in NAMES[:6]:
        assert asked(store, day(0), columns=(name,)) == {name}
    for name in NAMES[6:]:
        assert asked(store, day(0), columns=("temp", name)) == set(NAMES)
    assert asked(store, Window(day(0).start, day(1).end), statuses=("alarm",), checks=("data_drift",)) == {
        *NAMES,
        "tomorrow",
    }
    assert asked(store, day(0), statuses=("ok",)) == set()


@pytest.mark.parametrize("name", ["x" * 201, "line\nline"])
def test_what_cannot_be_copied_is_left_out(name: str) -> None:
    assert "column_name IN" not in results_sql(sqlite.dialect(), "flights", day(0), columns=(name,))
