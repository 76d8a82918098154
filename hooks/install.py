"""Settings files of hosts: read one, and give it with our hooks in it or taken out. Writing is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks.registry import SETUPS
from hooks.setup import HookLine

if TYPE_CHECKING:
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


def merged_settings(host: str, path: Path, command: str, *, remove: bool) -> tuple[str, str]:
    """The text of a settings file as it is (``""`` when there is none), and as it should be (the same).

    Raises:
        InputError: the host is not known, or the file cannot be read or is no settings file of the host.
    """
    setup = setup_of(host)
    before = _read(path)
    hook = None if remove else HookLine(line=command, timeout_s=setup.timeout_s)
    return before, setup.merged(path, before, hook)


def is_connected(host: str, path: Path) -> bool:
    """Whether there are hooks of ours in a settings file; not when it cannot be read, for then the host runs none."""
    try:
        before, after = merged_settings(host, path, "", remove=True)
    except InputError:
        return False
    return before != after


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} has more than {_MAX_BYTES} bytes; it is no settings file")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
