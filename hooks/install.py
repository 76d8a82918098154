"""Settings files of hosts: read one, and give it with our hooks in it or taken out. Writing is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks.registry import SETUPS
from hooks.setup import HookLine

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 4 * 1024 * 1024


def merged_settings(host: str, path: Path, command: str, *, timeout_s: int, remove: bool) -> tuple[str, str]:
    """The text of a settings file as it is (``""`` when there is none), and as it should be.

    Raises:
        InputError: the host is not known, or the file cannot be read or is no settings file of the host.
    """
    setup = SETUPS.get(host)
    if setup is None:
        raise InputError(f"no settings are known for host {host!r}, expected {', '.join(SETUPS)}", field="host")
    before = _read(path)
    hook = None if remove else HookLine(line=command, timeout_s=timeout_s)
    return before, setup.merged(path, before, hook)


def is_connected(host: str, path: Path) -> bool:
    """Whether there are hooks of ours in a settings file; not when it cannot be read, for then the host runs none."""
    try:
        before, after = merged_settings(host, path, "", timeout_s=1, remove=True)
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
