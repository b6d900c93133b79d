"""When rows came, and what types columns have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring_tasks.results.tables import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    json = sa.JSON(none_as_null=True)
    op.create_table(
        "traffic",
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("first_at", Instant),
        sa.Column("last_at", Instant),
        sa.Column("pause_start", Instant),
        sa.Column("pause_end", Instant),
        sa.Column("parts", json, nullable=False),
        sa.Column("without_key", sa.BigInteger),
        sa.Column("repeats", sa.BigInteger),
        sa.Column("key_unreadable", sa.Text),
        sa.Column("repeated", json, nullable=False),
        sa.Column("expected", sa.BigInteger),
        sa.Column("missing", sa.BigInteger),
        sa.Column("missing_keys", json, nullable=False),
        sa.Column("expected_unreadable", sa.Text),
        sa.Column("late_rows", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", name="traffic_key"),
    )
    op.create_index(
        "traffic_waiting",
        "traffic",
        ["monitor", "window_start"],
        sqlite_where=sa.text("waiting = 1"),
        postgresql_where=sa.text("waiting"),
    )
    op.add_column("profile", sa.Column("type", sa.Text))
