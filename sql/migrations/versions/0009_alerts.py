"""What alerts, their messages and retraining need to know. No version before wrote the four tables of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring_tasks.results.tables import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    json = sa.JSON(none_as_null=True)
    added = {
        "alert": [("told_window_end", Instant), ("series", json), ("series_before", json)],
        "alert_event": [("until", Instant)],
        "delivery": [("monitor", sa.Text), ("claimed_at", Instant)],
        "action": [
            ("train_start", Instant),
            ("train_end", Instant),
            ("query", sa.Text),
            ("export", sa.Text),
            ("attempts", sa.Integer),
        ],
    }
    for table, columns in added.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind))
    op.create_table(
        "window_due",
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
        sa.Column("tell", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", name="window_due_key"),
    )
    every = "INSERT INTO window_due SELECT monitor, window_start, window_end, :tell FROM window_run"
    op.execute(sa.text(every).bindparams(tell=False))
    op.drop_index("delivery_waiting", "delivery")
    op.create_index("delivery_waiting", "delivery", ["monitor", "state", "next_attempt_at"])
    once = sa.text("decision = 'trigger'")
    columns = ["alert_id", "kind", "target"]
    op.create_index("action_once", "action", columns, unique=True, sqlite_where=once, postgresql_where=once)
