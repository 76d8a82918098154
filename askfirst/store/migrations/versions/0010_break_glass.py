"""Break-glass codes, and the windows that they have opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_ms", _INT64, nullable=False),
        sa.Column("expires_at_ms", _INT64, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("used_at_ms", _INT64, nullable=True),
        sa.Column("revoked_at_ms", _INT64, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("until_ms", _INT64, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
        sqlite_strict=True,
    )
