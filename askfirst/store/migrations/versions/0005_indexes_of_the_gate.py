"""What is asked for each gated command is answered from an index alone; an index that nothing reads is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_request_created_at_ms", "request")
    op.drop_index("ix_request_pending", "request")
    op.create_index(
        "ix_request_pending",
        "request",
        ["host", "session", "state"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
