"""Only what was denied is looked for by session and end; no other request writes that index any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_DENIED = sa.text("state = 'denied'")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_request_session", "request")
    op.create_index(
        "ix_request_denied",
        "request",
        ["session", "ended_at_ms"],
        sqlite_where=_DENIED,
        postgresql_where=_DENIED,
    )
