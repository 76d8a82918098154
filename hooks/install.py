"""Settings files of hosts: read one, and give it with our hooks in it or taken out. Writing is the caller's."""

from __future__ import annotations

import difflib
import hashlib
import json
from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks.hook_entries import MARK
from hooks.registry import SETUPS
from hooks.setup import HookLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hooks.setup import HostSetup

_MAX_BYTES = 4 * 1024 * 1024


def setup_of(host: str) -> HostSetup:
    """How to set a host up.

    Raises:
        InputError: it is not known.
    """
    setup = SETUPS.get(host)
    if setup is None:
        raise InputError(f"unknown host {host!r}, expected one of {', '.join(SETUPS)}", field="host")
    return setup


def merged_settings(host: str, path: Path, command: str, *, notice: str = "", remove: bool) -> tuple[str, str]:
    """The text of a settings file as it is (``""`` when there is none), and as it should be (the same).

    Raises:
        InputError: the host is not known, or the file cannot be read or is no settings file of the host.
    """
    setup = setup_of(host)
    before = read_settings(path)
    hook = None if remove else HookLine(line=command, timeout_s=setup.timeout_s, notice_line=notice)
    return before, setup.merged(path, before, hook)


def fingerprint(host: str, path: Path) -> str:
    """Digest (SHA-256, hex) of what is ours in a settings file, and where; ``""`` when nothing is.

    Nothing is in a file that cannot be read either, for then the host runs no hook. What else is in the file does not
    matter, nor, in JSON, how it is laid out.
    """
    try:
        before, after = merged_settings(host, path, "", remove=True)
    except InputError:
        return ""
    if before == after:
        return ""
    try:
        ours: object = list(_ours(json.loads(before), "", {}))
    except ValueError:
        lines = difflib.ndiff(before.splitlines(), after.splitlines())
        ours = [line[2:] for line in lines if line.startswith("- ")]
    return hashlib.sha256(json.dumps(ours, sort_keys=True).encode()).hexdigest() if ours else ""


def _ours(value: object, where: str, around: dict[str, object]) -> Iterator[list[object]]:
    """Our entries in a JSON document, each with the place that it stands in and what it stands beside."""
    if isinstance(value, list):
        for each in value:
            yield from _ours(each, where, around)
    elif isinstance(value, dict):
        plain = {key: each for key, each in value.items() if not isinstance(each, dict | list)}
        if any(isinstance(each, str) and MARK in each for each in plain.values()):
            yield [where, around, value]
        for key, each in value.items():
            yield from _ours(each, f"{where}/{key}", plain)


def obstacles(host: str, path: Path) -> tuple[str, ...]:
    """What in a settings file keeps the host from running our hooks, as sentences."""
    setup = SETUPS.get(host)
    if setup is None:
        return ()
    try:
        return setup.obstacles(path, read_settings(path))
    except InputError as error:
        return (str(error),)


def read_settings(path: Path) -> str:
    """The text of a settings file, ``""`` when there is none.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} has more than {_MAX_BYTES} bytes; it is no settings file")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
