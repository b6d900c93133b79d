"""What a check's results stand on: the digest of the profile, and the monitor file's hash. Where days begin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("profile", sa.Column("digest", sa.Text))
    op.add_column("check_run", sa.Column("config_hash", sa.Text))
    op.create_table(
        "monitor",
        sa.Column("monitor", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("config_hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("monitor", name="monitor_key"),
    )
