"""What was refused is looked for when its host reports that it has run: expired and withdrawn as well as denied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_REFUSED = sa.text("state in ('denied','expired','cancelled','superseded')")


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_request_denied", "request")
    op.create_index(
        "ix_request_refused",
        "request",
        ["session", "ended_at_ms"],
        sqlite_where=_REFUSED,
        postgresql_where=_REFUSED,
    )
