"""The tables, for SQLite and PostgreSQL alike.

Times are integer milliseconds since the Unix epoch (``*_ms``). JSON documents are text: what is hashed or shown later
must come back byte for byte. Migrations live in ``migrations/``; a test holds both in step.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite's STRICT tables know INTEGER only (64 bits), and count up by themselves in no other type.
_Int64 = BigInteger().with_variant(Integer(), "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)

request = Table(
    "request",
    metadata,
    Column("id", Text, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("action_digest", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("created_at_ms", _Int64, nullable=False),
    Column("next_at_ms", _Int64),
    Column("body", Text, nullable=False),
    Column("host", Text, nullable=False, server_default=text("''")),
    Column("ended_at_ms", _Int64),
    Column("counted_as", Text, nullable=False, server_default=text("''")),  # askfirst.request.counted_as
    CheckConstraint(
        "state in ('pending','approved','denied','answered','expired','cancelled','superseded')", name="state"
    ),
    sqlite_strict=True,
)
_TIMED = text("next_at_ms is not null")  # a pending request's deadline, then its grant's
Index("ix_request_due", request.c.next_at_ms, sqlite_where=_TIMED, postgresql_where=_TIMED)
Index("ix_request_action_digest", request.c.action_digest)
IS_REFUSED = text("state in ('denied','expired','cancelled','superseded')")
"""What has ended without an approval, in the very words of its index, which SQLite takes for nothing else."""
Index(
    "ix_request_refused",
    request.c.session,
    request.c.ended_at_ms,
    sqlite_where=IS_REFUSED,
    postgresql_where=IS_REFUSED,
)
_PENDING = text("state = 'pending'")
Index(  # with the state and whose they are, so that requests are counted without a look at their rows
    "ix_request_pending",
    request.c.host,
    request.c.session,
    request.c.state,
    request.c.counted_as,
    sqlite_where=_PENDING,
    postgresql_where=_PENDING,
)

# What people were shown before a request was amended or edited.
request_version = Table(
    "request_version",
    metadata,
    Column("request_id", Text, ForeignKey("request.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("action_digest", Text, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)
Index("ix_request_version_action_digest", request_version.c.action_digest)

review = Table(
    "review",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("request.id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("at_ms", _Int64, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_strict=True,
)
Index("ix_review_request_id", review.c.request_id)

grant = Table(
    "grant_",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request_id", Text, ForeignKey("request.id"), nullable=False),
    Column("action_digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("expires_at_ms", _Int64, nullable=False),
    Column("body", Text, nullable=False),
    Column("session", Text, nullable=False, server_default=text("''")),
    Column("pattern", Text, nullable=False, server_default=text("''")),
    Column("running", Integer, nullable=False, server_default=text("0")),  # uses whose outcome is not known yet
    CheckConstraint("state in ('issued','redeemed','executed','undone','lapsed','revoked')", name="state"),
    sqlite_strict=True,
)
Index("ix_grant_action_digest", grant.c.action_digest)
Index("ix_grant_request_id", grant.c.request_id)
_ISSUED = text("state = 'issued'")
Index("ix_grant_open", grant.c.expires_at_ms, sqlite_where=_ISSUED, postgresql_where=_ISSUED)
_FOR_PATTERN = text("state = 'issued' and pattern <> ''")
Index("ix_grant_pattern", grant.c.session, sqlite_where=_FOR_PATTERN, postgresql_where=_FOR_PATTERN)
_RUNNING = text("running > 0")
Index("ix_grant_running", grant.c.session, sqlite_where=_RUNNING, postgresql_where=_RUNNING)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _Int64, primary_key=True),
    Column("request_id", Text, ForeignKey("request.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at_ms", _Int64, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("external_id", Text),
    Column("message_id", _Int64),  # of an update: the row that sent the message it changes
    sqlite_strict=True,
)
_OPEN = text("done = 0")
Index("ix_outbox_due", outbox.c.channel, outbox.c.next_at_ms, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_outbox_request_id", outbox.c.request_id)

inbox = Table(
    "inbox",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("raw", LargeBinary, nullable=False),
    Column("received_at_ms", _Int64, nullable=False),
    Column("handled", Integer, nullable=False, server_default=text("0")),  # see askfirst.store.inbox
    Column("position", Integer, nullable=False, server_default=text("0")),  # among those of one commit
    sqlite_strict=True,
)
_UNHANDLED = text("handled = 0")
Index(
    "ix_inbox_unhandled",
    inbox.c.channel,
    inbox.c.received_at_ms,
    sqlite_where=_UNHANDLED,
    postgresql_where=_UNHANDLED,
)
Index("ix_inbox_received_at_ms", inbox.c.received_at_ms)

cursor = Table(
    "cursor",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)

# What a channel must not forget (askfirst.store.channel_memory).
channel_memory = Table(
    "channel_memory",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)

# Reviews that were taken back before they arrived: an edit can overtake what it edits.
retraction = Table(
    "retraction",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("at_ms", _Int64, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_strict=True,
)

# People that were added beside those of the configuration; see askfirst/roster.py.
person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("teams", Text, nullable=False),
    Column("added_at_ms", _Int64, nullable=False),
    sqlite_strict=True,
)

person_identity = Table(
    "person_identity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("linked_at_ms", _Int64, nullable=False),
    sqlite_strict=True,
)

link_code = Table(
    "link_code",
    metadata,
    Column("secret_sha256", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("created_at_ms", _Int64, nullable=False),
    Column("expires_at_ms", _Int64, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("used_by", Text, nullable=False),
    sqlite_strict=True,
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("created_at_ms", _Int64, nullable=False),
    Column("expires_at_ms", _Int64, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("used_at_ms", _Int64, nullable=True),
    Column("revoked_at_ms", _Int64, nullable=True),
    Column("reason", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("until_ms", _Int64, nullable=False),
    sqlite_strict=True,
)

web_session = Table(
    "web_session",
    metadata,
    Column("id_sha256", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("csrf", Text, nullable=False),
    Column("expires_at_ms", _Int64, nullable=False),
    sqlite_strict=True,
)

# Tokens of the API; the secret itself is kept nowhere.
api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_sha256", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("created_at_ms", _Int64, nullable=False),
    Column("expires_at_ms", _Int64, nullable=False),
    Column("revoked_at_ms", _Int64),
    Column("issued_by", Text, nullable=False),
    Column("request_id", Text, nullable=False, server_default=text("''")),
    sqlite_strict=True,
)

# The audit log (RFC 6962): `leaf` is the leaf hash of `body`, the exact bytes of an entry. See audit/.
audit = Table(
    "audit",
    metadata,
    Column("seq", _Int64, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_strict=True,
)

tile = Table(
    "tile",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("n", _Int64, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_strict=True,
)

tree = Table(
    "tree",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1", name="one"), primary_key=True),
    Column("size", _Int64, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("checkpoint", Text, nullable=False),
    sqlite_strict=True,
)

cosignature = Table(
    "cosignature",
    metadata,
    Column("size", _Int64, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("line", Text, nullable=False),
    sqlite_strict=True,
)

blob = Table(
    "blob",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    sqlite_strict=True,
)

__all__ = [
    "api_token",
    "audit",
    "blob",
    "break_glass",
    "channel_memory",
    "cosignature",
    "cursor",
    "grant",
    "inbox",
    "link_code",
    "meta",
    "metadata",
    "outbox",
    "person",
    "person_identity",
    "request",
    "request_version",
    "retraction",
    "review",
    "tile",
    "tree",
    "web_session",
]
