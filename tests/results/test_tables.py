from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select, text
from sqlalchemy.exc import StatementError

from monitoring_tasks.results.tables import Instant

MOMENTS = [
    datetime(2013, 4, 1, 4, tzinfo=UTC),
    datetime(2013, 4, 1, 4, 0, 0, 1, tzinfo=UTC),
    datetime(2013, 4, 1, 4, 0, 0, 500_000, tzinfo=UTC),
    datetime(2013, 4, 1, 4, 0, 1, tzinfo=UTC),
    datetime(2013, 11, 3, 1, 30, tzinfo=timezone(timedelta(hours=-5))),
]

TABLE = Table("moment", MetaData(), Column("at", Instant, nullable=True))


@pytest.fixture
def connection(empty_url):
    engine = create_engine(empty_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as opened:
        TABLE.create(opened)
        yield opened
    engine.dispose()


def test_instants_come_back_in_utc_and_sort_as_time_does(connection):
    connection.execute(insert(TABLE), [{"at": moment} for moment in reversed(MOMENTS)])
    found = connection.execute(select(TABLE.c.at).order_by(TABLE.c.at)).scalars().all()
    assert found == MOMENTS
    assert {moment.utcoffset() for moment in found} == {timedelta(0)}


def test_a_naive_instant_is_refused(connection):
    with pytest.raises(StatementError, match="an instant must have a time zone, not 2013-04-01T04:00:00"):
        connection.execute(insert(TABLE), {"at": MOMENTS[0].replace(tzinfo=None)})


def test_sqlite_keeps_the_text_its_own_date_functions_write(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'moments.db'}")
    with engine.connect() as connection:
        TABLE.create(connection)
        connection.execute(insert(TABLE), {"at": MOMENTS[0]})
        written = connection.execute(text("SELECT at, datetime('2013-03-31 04:00', '+1 day') FROM moment")).one()
    engine.dispose()
    assert written == ("2013-04-01 04:00:00", "2013-04-01 04:00:00")
