"""Settings files of hosts: read one, and give it with our hooks in it or taken out. Writing is the caller's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from askfirst.errors import InputError
from hooks import install_claude

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 4 * 1024 * 1024


def merged_settings(host: str, path: Path, command: str, *, timeout_s: int, remove: bool) -> tuple[str, str]:
    """The text of a settings file as it is (``""`` when there is none), and as it should be.

    Raises:
        InputError: the host is not known, or the file cannot be read or is no JSON object.
    """
    if host != "claude-code":
        raise InputError(f"no settings are known for host {host!r}, expected claude-code", field="host")
    before = _read(path)
    settings = _parse(before, path)
    if remove:
        changed = install_claude.removed(settings)
    else:
        changed = install_claude.installed(settings, command, timeout_s=timeout_s)
    if changed == settings:
        return before, before
    return before, json.dumps(changed, indent=2, ensure_ascii=False) + "\n"


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


def _parse(text: str, path: Path) -> install_claude.Settings:
    if not text.strip():
        return {}
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}); mend it first, the host ignores it as it is") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path} is a JSON {type(settings).__name__}, expected an object")
    return settings
