"""Secrets of channels: in a file that only the broker's user can read, or in the broker's environment.

Neither stands in the configuration, which agents may read. Where an agent runs as the same user it can read both;
``docs/channels.md`` says what helps.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from askfirst.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 16_384


def read_secret(path: Path) -> str:
    """The text in this file without white space around it.

    Raises:
        ConfigError: it cannot be read, is empty, too long or not ASCII, or others than its owner may read it.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the secret {path}: {error.strerror}") from error
    if found.st_uid not in {os.getuid(), 0}:
        raise ConfigError(f"{path} holds a secret and belongs to uid {found.st_uid}, expected {os.getuid()}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"{path} holds a secret and is open to other users; run `chmod 600 {path}`")
    return _checked(content, str(path))


def read_secret_variable(name: str) -> str:
    """The same from a variable of the environment.

    Raises:
        ConfigError: it is not set, or holds no secret.
    """
    value = os.environ.get(name)
    if value is None:
        raise ConfigError(f"${name} is not set in the broker's environment, where a secret is expected")
    return _checked(os.fsencode(value), f"${name}")


def either_secret(folder: Path, *, file: str, variable: str, where: str, key: str = "secret") -> str:
    """The secret that a table names by ``KEY_file`` or by ``KEY_variable``, one of them.

    Args:
        folder: that the file is named from.
        file: ``""`` for none.
        variable: the same.
        where: the table, for people, e.g. ``[slack]``.
        key: what the secret is called there.

    Raises:
        ConfigError: both or none are given, or it cannot be read.
    """
    if bool(file) == bool(variable):
        raise ConfigError(f"{where}: give either {key}_file or {key}_variable")
    return read_secret(folder / file) if file else read_secret_variable(variable)


def _checked(content: bytes, place: str) -> str:
    try:
        secret = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{place} holds no secret: it is not ASCII text") from None
    if not secret or len(content) > MAX_BYTES:
        raise ConfigError(f"{place} holds {len(content)} bytes, expected a secret of 1 to {MAX_BYTES:,}")
    return secret
