"""What is known of each window's labels, in a table of one row per window: the counts stay where they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring_tasks.results.tables import Instant

revision = "0007"
down_revision = "0006"

MOVED = ("final", "arrived", "unknown", "unreadable", "waiting", "digest")


def upgrade() -> None:
    op.create_table(
        "window_labels",
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("label_rows", sa.BigInteger),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("arrived", sa.BigInteger, nullable=False),
        sa.Column("unknown", sa.BigInteger, nullable=False),
        sa.Column("unreadable", sa.Text),
        sa.Column("latest", Instant),
        sa.Column("untimed", sa.BigInteger, nullable=False),
        sa.Column("future", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("read_through", Instant),
        sa.Column("read_labels", sa.BigInteger),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("baseline_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("monitor", "window_start", "window_end", name="window_labels_key"),
        sa.ForeignKeyConstraint(["baseline_id"], ["baseline.baseline_id"], name="window_labels_baseline_id_reference"),
    )
    for name, sqlite, others in (("waiting", "waiting = 1", "waiting"), ("provisional", "final = 0", "NOT final")):
        op.create_index(
            f"window_labels_{name}",
            "window_labels",
            ["monitor", "window_start"],
            sqlite_where=sa.text(sqlite),
            postgresql_where=sa.text(others),
        )
    op.execute(
        "INSERT INTO window_labels (monitor, window_start, window_end, rows, label_rows, final, arrived, unknown, "
        "unreadable, untimed, future, waiting, digest, baseline_id) SELECT monitor, window_start, window_end, rows, "
        "label_rows, final, arrived, unknown, unreadable, 0, 0, waiting, digest, baseline_id FROM labels_profile "
        "WHERE digest IS NOT NULL"
    )
    op.execute("DELETE FROM labels_profile WHERE unreadable IS NOT NULL")
    for name in MOVED:
        op.drop_column("labels_profile", name)
    op.add_column("labelled_baseline", sa.Column("labels_until", Instant))
    op.add_column("labelled_baseline", sa.Column("read_through", Instant))
    op.add_column("labelled_baseline", sa.Column("read_labels", sa.BigInteger))
