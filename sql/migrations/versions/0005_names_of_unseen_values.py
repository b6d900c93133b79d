"""Which values the baseline never saw."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("profile", sa.Column("unseen", sa.JSON))
