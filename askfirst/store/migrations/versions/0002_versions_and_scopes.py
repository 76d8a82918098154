"""Versions, stages, scopes, and one update a message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0002"
down_revision = "0001"

_INT64 = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EMPTY = sa.text("''")
_ZERO = sa.text("0")


def upgrade() -> None:
    """Apply."""
    op.add_column("request", sa.Column("host", sa.Text(), server_default=_EMPTY, nullable=False))
    op.add_column("request", sa.Column("ended_at_ms", _INT64, nullable=True))
    op.add_column("grant_", sa.Column("session", sa.Text(), server_default=_EMPTY, nullable=False))
    op.add_column("grant_", sa.Column("pattern", sa.Text(), server_default=_EMPTY, nullable=False))
    op.add_column("grant_", sa.Column("running", sa.Integer(), server_default=_ZERO, nullable=False))
    op.add_column("outbox", sa.Column("message_id", _INT64, nullable=True))
    op.create_table(
        "request_version",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action_digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_version_request_id")),
        sa.PrimaryKeyConstraint("request_id", "version", name=op.f("pk_request_version")),
        sqlite_strict=True,
    )
    _create_indexes()
    connection = op.get_bind()
    _rewrite(connection, "request", _request)
    _rewrite(connection, "grant_", _grant)
    connection.execute(
        sa.text(
            "update grant_ set session = (select r.session from request r where r.id = grant_.request_id), "
            "running = case when state = 'redeemed' then 1 else 0 end"
        )
    )
    connection.execute(
        sa.text(
            "update outbox set message_id = (select max(s.id) from outbox s where s.kind = 'send' "
            "and s.request_id = outbox.request_id and s.recipient = outbox.recipient) where kind = 'update'"
        )
    )


def _create_indexes() -> None:
    op.create_index("ix_request_version_action_digest", "request_version", ["action_digest"])
    op.create_index("ix_request_session", "request", ["session", "ended_at_ms"])
    op.create_index("ix_outbox_request_id", "outbox", ["request_id"])
    for name, table, columns, where in (
        ("ix_request_pending", "request", ["host", "session"], "state = 'pending'"),
        ("ix_grant_pattern", "grant_", ["session"], "state = 'issued' and pattern <> ''"),
        ("ix_grant_running", "grant_", ["session"], "running > 0"),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _rewrite(connection: sa.Connection, table: str, change: Callable[[dict[str, Any]], dict[str, object]]) -> None:
    """Bring every document into its new shape, and the new columns with it."""
    rows = connection.execute(sa.text(f"select id, body from {table}")).all()  # noqa: S608  # our own two names
    for row in rows:
        body = json.loads(row.body)
        columns = change(body)
        values = {**columns, "body": json.dumps(body, ensure_ascii=False, separators=(",", ":"))}
        names = ", ".join(f"{name} = :{name}" for name in values)
        connection.execute(sa.text(f"update {table} set {names} where id = :id"), {**values, "id": row.id})  # noqa: S608


def _request(body: dict[str, Any]) -> dict[str, object]:
    terms = body["terms"]
    needed, recipients = terms.pop("approvals_needed"), terms.pop("recipients")
    terms["stages"] = [{"name": "", "approvals_needed": needed, "reviewers": [], "recipients": recipients}]
    terms["opens_at_ms"] = body["created_at_ms"]
    return {"host": body["agent"]["host"], "ended_at_ms": body["end"]["at_ms"] if body["end"] else None}


def _grant(body: dict[str, Any]) -> dict[str, object]:
    attempt, call, at_ms = body.pop("attempt"), body.pop("tool_use_id"), body.pop("redeemed_at_ms")
    if at_ms is not None:
        body["uses"] = [
            {
                "attempt": attempt,
                "tool_use_id": call,
                "action_digest": body["action_digest"],
                "at_ms": at_ms,
                "outcome": body["outcome"],
                "detail": body["detail"],
                "ended_at_ms": body["ended_at_ms"],
            }
        ]
    return {}
