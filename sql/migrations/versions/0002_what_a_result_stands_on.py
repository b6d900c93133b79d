"""What a check's results stand on: the digest of the profile, and the monitor file's hash."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("profile", sa.Column("digest", sa.Text))
    op.add_column("check_run", sa.Column("config_hash", sa.Text))
