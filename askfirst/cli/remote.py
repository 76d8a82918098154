"""``askfirst install --remote URL``: the agents of this machine ask a broker on another one; none is started here."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from askfirst.access import AccessScope
from askfirst.cli.output import stderr
from askfirst.errors import ConfigError, InputError
from askfirst.relay.remote import Remote, certificates, require_url, write_remote

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.paths import StatePaths

TOKEN_MAX_CHARS = 500


def wanted(url: str, token_file: Path | None, ca: Path | None) -> Remote:
    """The broker that is named, once it has answered to this token and the token may ask and do nothing else.

    Raises:
        Error: it cannot be used; the sentence says why.
    """
    from askfirst.relay.serve import check  # noqa: PLC0415  # httpx: only where a broker is to be asked

    require_url(url)
    remote = Remote(url=url.rstrip("/"), token=_token(token_file), ca=certificates(ca))
    with stderr.status(f"asking {remote.url}"):
        found = check(remote)
    require_only_asks(found)
    stderr.print(f"{remote.url} knows this machine as {found['machine']!r}", markup=False, soft_wrap=True)
    return remote


def require_only_asks(found: dict[str, Any]) -> None:
    """Refuse a token that agents could do more with than ask.

    Raises:
        InputError: it is one.
    """
    more = sorted(set(found["scopes"]) - {AccessScope.ASK.value})
    if more or not found["machine"]:
        may = ", ".join(more) or "whatever the broker's own user may"
        raise InputError(
            f"this token may do more than ask ({may}), and every agent here could use it so; let the broker's owner "
            "make another: askfirst tokens create NAME --scope ask",
            field="token",
        )


def connect(paths: StatePaths, remote: Remote, *, dry_run: bool) -> StatePaths:
    """Keep the address and the token in the state folder; a broker that runs on it ends.

    Returns:
        the paths of a machine whose broker is elsewhere.
    """
    from askfirst.client import stop_broker  # noqa: PLC0415  # httpx, as above

    if dry_run:
        stderr.print(f"would write {paths.remote} (0600): the broker at {remote.url}", markup=False, soft_wrap=True)
        return replace(paths, is_relayed=True)
    write_remote(paths, remote)
    _give_to_owner(paths)
    stderr.print(f"wrote {paths.remote} (0600): the broker at {remote.url}", markup=False, soft_wrap=True)
    if stop_broker(paths) is not None:
        stderr.print("the broker on this machine has ended; what waits there stays in its store", markup=False)
    return replace(paths, is_relayed=True)


def disconnect(paths: StatePaths, *, dry_run: bool) -> None:
    """Forget the broker elsewhere, and end the relay to it."""
    from askfirst.client import stop_broker  # noqa: PLC0415  # httpx, as above

    if not paths.remote.exists():
        return
    stderr.print(f"{'would remove' if dry_run else 'removed'} {paths.remote}", markup=False, soft_wrap=True)
    if not dry_run:
        stop_broker(paths)
        paths.remote.unlink()
        paths.watched.unlink(missing_ok=True)


def _token(file: Path | None) -> str:
    """The token: from a file, from standard input for ``-``, or typed in without being shown."""
    if file is None:
        if not sys.stdin.isatty():
            raise InputError("name the file with the token by --token-file (`-`: standard input)", field="token_file")
        return getpass.getpass("Token (askfirst tokens create NAME --scope ask, on the broker): ").strip()
    try:
        text = sys.stdin.read(TOKEN_MAX_CHARS + 1) if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the token in {file}: {error}") from error
    if len(text) > TOKEN_MAX_CHARS:
        raise InputError(f"what {file} holds is no token", field="token_file")
    return text.strip()


def _give_to_owner(paths: StatePaths) -> None:
    """What root has written belongs to whoever runs the relay."""
    owner = paths.root.stat()
    if owner.st_uid != os.geteuid():
        shutil.chown(paths.remote, owner.st_uid, owner.st_gid)
