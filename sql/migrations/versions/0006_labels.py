"""What became of the rows: outcomes by window, and those of the baseline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitoring_tasks.results.tables import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("baseline", sa.Column("outcomes", sa.JSON))
    op.create_table(
        "labels_profile",
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("window_start", Instant, nullable=False),
        sa.Column("window_end", Instant, nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("column_name", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger),
        sa.Column("label_rows", sa.BigInteger),
        sa.Column("final", sa.Boolean),
        sa.Column("arrived", sa.BigInteger),
        sa.Column("unknown", sa.BigInteger),
        sa.Column("counts", sa.JSON),
        sa.Column("unreadable", sa.Text),
        sa.Column("waiting", sa.Boolean),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text),
        sa.Column("baseline_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "monitor", "window_start", "window_end", "segment", "column_name", name="labels_profile_key"
        ),
        sa.ForeignKeyConstraint(["baseline_id"], ["baseline.baseline_id"], name="labels_profile_baseline_id_reference"),
    )
    op.create_table(
        "labelled_baseline",
        sa.Column("baseline_id", sa.Text, nullable=False),
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("profile", sa.JSON, nullable=False),
        sa.Column("parts", sa.JSON, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("label_rows", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("baseline_id", name="labelled_baseline_key"),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["baseline.baseline_id"], name="labelled_baseline_baseline_id_reference"
        ),
    )
