"""What is owed, channel by channel: a slow one must not be searched by the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_OPEN = sa.text("done = 0")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_outbox_due", "outbox")
    op.create_index("ix_outbox_due", "outbox", ["channel", "next_at_ms"], sqlite_where=_OPEN, postgresql_where=_OPEN)
