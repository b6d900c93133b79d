"""The tables of the results store, as any SQL client sees them.

``sql/migrations`` creates them; a test holds the two equal. Keys are never NULL: '' stands for the whole window and for
all rows. Elsewhere NULL says that a number was not measured.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

REVISION = "0009"
"""The schema this version of the package reads and writes; the newest file of ``sql/migrations/versions``."""

REVISION_TABLE = "monitoring_revision"
"""Not Alembic's default name, so that the store may share a database with Airflow, which uses that one."""


class Instant(TypeDecorator[datetime]):
    """A UTC instant: TIMESTAMPTZ where there is one; on SQLite the text that SQLite's own date functions write.

    That text, ``2013-04-01 04:00:00`` with six more digits where there are microseconds, sorts as time does, so that
    ``window_start >= '2013-04'`` and ``window_start >= datetime('now', '-7 days')`` do what they say.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column type of the database."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive times: the zone they were meant in is not known here."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant must have a time zone, not {value.isoformat()}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None).isoformat(" ") if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware UTC time."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return value.astimezone(UTC)  # type: ignore[no-any-return]


metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_key",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "fk": "%(table_name)s_%(column_0_N_name)s_reference",
    }
)

_Json = JSON(none_as_null=True)
"""JSON and not JSONB on PostgreSQL: JSONB rewrites numbers, and a float must come back bit by bit."""


def _window() -> tuple[Column[Any], ...]:
    """Return the first columns of a table's key: whose window, and which one."""
    return (
        Column("monitor", Text, primary_key=True),
        Column("window_start", Instant, primary_key=True),
        Column("window_end", Instant, primary_key=True),
    )


monitor = Table(
    "monitor",
    metadata,
    Column("monitor", Text, primary_key=True),
    Column("timezone", Text, nullable=False),  # where its days begin, an IANA name
    Column("schedule", Text, nullable=False),  # five cron fields, read in that zone
    Column("config_hash", Text, nullable=False),  # of the monitor file of the latest run
)
"""What the latest run's monitor file said that the other tables do not: without it nobody knows what a day is."""

result = Table(
    "result",
    metadata,
    *_window(),
    Column("check_name", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("value", Double),
    Column("value_lower", Double),
    Column("value_upper", Double),
    Column("p_value", Double),
    Column("threshold_lower", Double),
    Column("threshold_upper", Double),
    Column("baseline_rows", BigInteger),
    Column("window_rows", BigInteger),
    Column("status", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("detail", _Json, nullable=False),
    Index("result_history", "monitor", "metric", "column_name", "window_start"),
)

check_run = Table(
    "check_run",
    metadata,
    *_window(),
    Column("check_name", Text, primary_key=True),
    Column("state", Text, nullable=False),  # done, failed
    Column("error", Text),
    Column("config_hash", Text),  # of the monitor file it ran under; NULL if a version before 0002 wrote the row
)
"""Which checks have written which window: what `window_run` is closed from. Written with the check's results."""

window_run = Table(
    "window_run",
    metadata,
    *_window(),
    Column("state", Text, nullable=False),  # done, failed, empty
    Column("rows", BigInteger),
    Column("label_rows", BigInteger),
    Column("label_coverage", Double),
    Column("labels", Text),  # provisional, final
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id")),
    Column("config_hash", Text, nullable=False),
    Column("seconds", Double),
    Column("computed_at", Instant, nullable=False),
    Column("error", Text),
)
"""How each window ended. Written when it is closed."""

window_due = Table(
    "window_due",
    metadata,
    *_window(),
    Column("tell", Boolean, nullable=False),  # whether people are to be told what the window means for alerts
)
"""Windows whose results alerts are still to be decided on, once closed. It stays when a window is scanned again."""

profile = Table(
    "profile",
    metadata,
    *_window(),
    Column("segment", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),  # '' for the row that counts all rows of the window
    Column("kind", Text),  # NULL for the whole window and for a column that could not be counted
    Column("rows", BigInteger),
    Column("nulls", BigInteger),
    Column("minimum", Double),
    Column("maximum", Double),
    Column("total", Double),
    Column("total_squares", Double),  # of the distances to origin
    Column("origin", Double),  # NULL for 0
    Column("counts", _Json),
    Column("unseen", _Json),  # [[value, rows], ...]; NULL for too many to name, or those a version before 0005 counted
    Column("unreadable", Text),  # why the column could not be counted
    Column("type", Text),  # the column's type in the warehouse; NULL of a segment, and where it is not known
    Column("position", Integer, nullable=False),  # order of the monitor file
    Column("digest", Text),  # of all rows of the window, its traffic and baseline_id, in the row of all rows; else NULL
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id"), nullable=False),
)

traffic = Table(
    "traffic",
    metadata,
    *_window(),
    Column("rows", BigInteger, nullable=False),
    Column("first_at", Instant),  # when the first row came; NULL without rows, and where the timestamp is a date
    Column("last_at", Instant),
    Column("pause_start", Instant),  # the longest time between two rows
    Column("pause_end", Instant),
    Column("parts", _Json, nullable=False),  # rows in equal parts of the window
    Column("without_key", BigInteger),  # rows whose key is null; NULL where the key cannot be read, as the next two
    Column("repeats", BigInteger),  # rows beyond the first of each key
    Column("key_unreadable", Text),  # why the key cannot be read
    Column("repeated", _Json, nullable=False),  # [[key, rows], ...]: those of most rows
    Column("expected", BigInteger),  # rows that should have come; NULL where nothing says so
    Column("missing", BigInteger),  # expected keys that did not come; NULL where only counts are expected
    Column("missing_keys", _Json, nullable=False),  # the first of them
    Column("expected_unreadable", Text),  # why the table of expected rows cannot be read
    Column("late_rows", BigInteger, nullable=False),  # rows that came after the window was read first; below 0 if gone
    Column("waiting", Boolean, nullable=False),  # whether checks must run again on it
    Index(
        "traffic_waiting",
        "monitor",
        "window_start",
        sqlite_where=text("waiting = 1"),
        postgresql_where=text("waiting"),
    ),
)
"""When the rows of each window that was read came, which came twice, and which of those expected did not."""

labels_profile = Table(
    "labels_profile",
    metadata,
    *_window(),
    Column("segment", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),  # '' for the row of all outcomes
    Column("rows", BigInteger),  # of the window or segment; in the row of all outcomes, as the next one
    Column("label_rows", BigInteger),  # rows whose label is known
    Column("counts", _Json),  # {"cells": [[cell, rows, sums ...], ...], ...}; of a column [[place, rows], ...]
    Column("position", Integer, nullable=False),
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id"), nullable=False),
)
"""A window's rows by what became of them: each column's bins split by outcome, see `OutcomeBins`."""

window_labels = Table(
    "window_labels",
    metadata,
    *_window(),
    Column("rows", BigInteger),  # of the window
    Column("label_rows", BigInteger),  # rows whose label is known; NULL where they could not be read
    Column("final", Boolean, nullable=False),  # whether the warehouse held a label of after they were complete
    Column("arrived", BigInteger, nullable=False),  # labels that arrived in the window's time, whatever they are of
    Column("unknown", BigInteger, nullable=False),  # of these, labels whose key no inference has
    Column("unreadable", Text),  # why there are no labels
    Column("latest", Instant),  # when the last label before the window's end had arrived
    Column("untimed", BigInteger, nullable=False),  # labels of its rows without a time of arrival
    Column("future", BigInteger, nullable=False),  # labels of its rows that arrive in the future
    Column("waiting", Boolean, nullable=False),  # whether checks must run again on them
    Column("read_through", Instant),  # when the latest label of all had arrived when they were read
    Column("read_labels", BigInteger),  # how many labels there were then
    Column("digest", Text, nullable=False),  # of this and the rows in labels_profile, but not of the three before it
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id"), nullable=False),
    Index(
        "window_labels_waiting",
        "monitor",
        "window_start",
        sqlite_where=text("waiting = 1"),
        postgresql_where=text("waiting"),
    ),
    Index(
        "window_labels_provisional",
        "monitor",
        "window_start",
        sqlite_where=text("final = 0"),
        postgresql_where=text("NOT final"),
    ),
)
"""What is known of a window's labels, one row for each: every run asks for those that wait or were not complete."""

baseline = Table(
    "baseline",
    metadata,
    Column("baseline_id", Text, primary_key=True),
    Column("monitor", Text, nullable=False),
    Column("definition", _Json, nullable=False),
    Column("definition_hash", Text, nullable=False),
    Column("bins", _Json, nullable=False),  # {column: {"kind": ..., "edges": [...] or "categories": [...]}}
    Column("profile", _Json, nullable=False),  # {segment: {column: {"counts": [...], ...}}}, all rows under ''
    Column("dispersions", _Json),  # {seconds: {segment: {column: {"parts": ..., ...}}}}; NULL if older than 0004
    Column("outcomes", _Json),  # how labels are counted: task, classes, edges; NULL of a monitor without labels
    Column("rows", BigInteger, nullable=False),
    UniqueConstraint("monitor", "definition_hash"),
)

baseline_bin = Table(
    "baseline_bin",
    metadata,
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id"), primary_key=True),
    Column("segment", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),
    Column("bin_index", Integer, primary_key=True),
    Column("label", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("share", Double),  # of the segment's rows, 0 to 1; NULL without rows
)
"""A baseline's counts again, as rows: unpacking its JSON for every bin of every window takes a view minutes."""

labelled_baseline = Table(
    "labelled_baseline",
    metadata,
    Column("baseline_id", Text, ForeignKey("baseline.baseline_id"), primary_key=True),
    Column("monitor", Text, nullable=False),
    Column(
        "profile", _Json, nullable=False
    ),  # {segment: {column: counts}}, as in labels_profile; all outcomes under ''
    Column(
        "parts", _Json, nullable=False
    ),  # of the windows inside its period: {"count": ..., "rows": ..., "columns": {segment: {column: numbers}}}
    Column("rows", BigInteger, nullable=False),
    Column("label_rows", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),  # of profile and parts
    Column("labels_until", Instant),  # labels that arrived by then are counted; NULL of a table without times
    Column("read_through", Instant),  # as in window_labels
    Column("read_labels", BigInteger),
)
"""The labels of a baseline's rows, measured when they were complete, and again when more of them have come."""

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Text, primary_key=True),  # a digest of the unique key when it was opened
    Column("monitor", Text, nullable=False),
    Column("name", Text, nullable=False),  # the monitor file's alerts[].name, or retraining
    Column("group_key", Text, nullable=False),  # '' when one alert stands for all columns
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),  # open, acknowledged, snoozed, resolved, confirmed, false_alarm, withdrawn
    Column("window_start", Instant, nullable=False),  # the window that opened it
    Column("window_end", Instant, nullable=False),
    Column("last_window_start", Instant, nullable=False),  # the latest window that kept it open
    Column("last_window_end", Instant, nullable=False),
    Column("resolved_window_end", Instant),  # of the window in which its condition ended; a verdict stays beside it
    Column("snoozed_until", Instant),
    Column("told_window_end", Instant),  # of the latest window whose message was put into the outbox; NULL if none
    Column("series", _Json),  # what fires, worst first: [[check, column, segment], ...]
    Column("series_before", _Json),  # what fired earlier in this alert and does not any more
    Column("columns", _Json, nullable=False),  # the columns inside, worst first
    Column("message", Text, nullable=False),
    UniqueConstraint("monitor", "name", "group_key", "window_start", "window_end"),
    Index("alert_state", "monitor", "state"),
)

alert_event = Table(
    "alert_event",
    metadata,
    Column("event_id", Text, primary_key=True),  # a digest of the alert, the event and its window: replaying makes it
    Column("alert_id", Text, ForeignKey("alert.alert_id"), nullable=False),
    Column("sequence", Integer, nullable=False),  # 1, 2, ... within the alert
    Column("event", Text, nullable=False),  # opened, continued, escalated, resolved, withdrawn; or what a person did
    Column("window_start", Instant),  # of a person's decision the newest window that alerts had been decided on by then
    Column("window_end", Instant),
    Column("actor", Text, nullable=False),  # '' for the monitor itself
    Column("note", Text, nullable=False),
    Column("until", Instant),  # of a snooze
    Column("evidence", _Json, nullable=False),  # the keys and numbers of the results that made it
    Column("tell", Boolean, nullable=False),  # false for backfilled windows: recorded, nobody is told
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("alert_id", "sequence"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Text, primary_key=True),  # a digest of event and channel
    Column("event_id", Text, ForeignKey("alert_event.event_id"), nullable=False),
    Column("monitor", Text),
    Column("channel", Text, nullable=False),  # the channel's name, never its URL
    Column("state", Text, nullable=False),  # waiting, sending, sent, failed
    Column("attempts", Integer, nullable=False),
    Column("message", _Json, nullable=False),  # the blocks that are rendered for the channel
    Column("created_at", Instant, nullable=False),
    Column("claimed_at", Instant),  # when the latest attempt began
    Column("next_attempt_at", Instant),
    Column("sent_at", Instant),
    Column("error", Text),
    UniqueConstraint("event_id", "channel"),
    Index("delivery_waiting", "monitor", "state", "next_attempt_at"),
)

action = Table(
    "action",
    metadata,
    Column("action_id", Text, primary_key=True),  # a digest of alert and target if it triggers, with the window if not
    Column("monitor", Text, nullable=False),
    Column("alert_id", Text, ForeignKey("alert.alert_id")),
    Column("kind", Text, nullable=False),  # retraining
    Column("target", Text, nullable=False),  # the DAG id, or the endpoint without secrets
    Column("window_start", Instant, nullable=False),  # the window that was decided on
    Column("window_end", Instant, nullable=False),
    Column("decision", Text, nullable=False),  # trigger, or why not: cooldown, too_few_labels, within_noise
    Column("reason", Text, nullable=False),  # one sentence for a person
    Column("evidence", _Json, nullable=False),
    Column("train_start", Instant),  # the rows to learn from: since the change, or what the reviewer asked for
    Column("train_end", Instant),
    Column("query", Text),  # SQL for these rows, with their labels
    Column("export", Text),  # the Parquet file that holds them
    Column("approval", Text, nullable=False),  # not_required, waiting, approved, rejected, timed_out
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("note", Text, nullable=False),
    Column("state", Text, nullable=False),  # recorded, triggering, triggered, failed
    Column("attempts", Integer),  # how often it was tried to trigger
    Column("run_id", Text),  # the DAG run it became
    Column("error", Text),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("monitor", "kind", "target", "window_start", "window_end"),
    Index(
        "action_once",
        "alert_id",
        "kind",
        "target",
        unique=True,
        sqlite_where=text("decision = 'trigger'"),
        postgresql_where=text("decision = 'trigger'"),
    ),
)

WINDOWED = (result, check_run, profile, traffic, labels_profile, window_labels, window_run, window_due)
"""The tables that hold rows of one window each."""

OF_LABELS = (labels_profile, window_labels)
"""Of these, the ones that say what is known of a window's labels."""
