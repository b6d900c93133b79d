"""What the squares of a profile are distances to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("profile", sa.Column("origin", sa.Double))
