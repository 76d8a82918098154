"""Deliveries in the order of their arrival, and reviews that were taken back before they arrived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNHANDLED = sa.text("handled = 0")


def upgrade() -> None:
    """Apply."""
    op.add_column("inbox", sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_inbox_unhandled",
        "inbox",
        ["channel", "received_at_ms"],
        sqlite_where=_UNHANDLED,
        postgresql_where=_UNHANDLED,
    )
    op.create_index("ix_inbox_received_at_ms", "inbox", ["received_at_ms"])
    op.create_table(
        "retraction",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("at_ms", _INT64, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_retraction")),
        sqlite_strict=True,
    )
