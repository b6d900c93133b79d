"""How much the parts of a baseline differ from each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("baseline", sa.Column("dispersions", sa.JSON(none_as_null=True)))
