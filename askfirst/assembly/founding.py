"""What a state folder has or gets at the first start: the log, its witnesses, the token of the API."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from askfirst.errors import ConfigError
from askfirst.paths import write_private
from askfirst.store.statement import is_shared
from audit.clock import SystemClock as AuditClock
from audit.keys import open_keys
from audit.log import open_log, stored_vkeys
from audit.rotation import settle_key
from audit.witness_policy import parse_policy
from audit.witnesses import Witnesses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa

    from askfirst.config import Config
    from askfirst.paths import StatePaths
    from askfirst.store.writer import Writer
    from audit.keys import Keys
    from audit.log import StoredLog


def open_stored_log(paths: StatePaths, engine: sa.Engine) -> tuple[StoredLog, Keys]:
    """The log of this store with its keys; a store that is new gets both."""
    keys = open_keys(paths.root)
    with engine.begin() as connection:
        if is_shared(connection):
            from askfirst.store.postgres import lock_for_migration  # noqa: PLC0415  # needs psycopg, an extra

            lock_for_migration(connection)
        keys = settle_key(keys, stored_vkeys(connection)[-1])
        log = open_log(connection, keys.log, AuditClock(), may_found=not keys.is_founded)
    log.committed()
    keys.publish()
    return log, keys


def open_witnesses(
    config: Config, log: StoredLog, reader: sa.Engine, writer: Writer, tell: Callable[[str, str], Awaitable[object]]
) -> Witnesses | None:
    """The configured witnesses; a policy that cannot be read is an error, never no witnesses."""
    path = config.audit.witnesses
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the witness policy {path}: {error.strerror}") from error
    policy = parse_policy(content, source=str(path))
    return Witnesses(policy=policy, log=log, reader=reader, writer=writer, tell=tell)


def api_token(paths: StatePaths) -> str:
    """The bearer token of the API on TCP, made at the first start."""
    try:
        return paths.api_token.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        token = secrets.token_urlsafe(32)
        write_private(paths.api_token, token.encode())
        return token
