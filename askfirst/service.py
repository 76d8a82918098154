"""The broker as a user of its own (T2): the steps that set it up, as values, and what carries them out.

The agent's user reaches the broker by a socket alone; store, keys and secrets are closed to it, and it can neither end
nor replace the broker. From: systemd.exec(5), systemd.service(5).
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.errors import ConfigError
from askfirst.paths import SERVICE_SOCKET, SERVICE_STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "askfirst"
UNIT = "askfirst.service"
_CONFIG = "# docs/deploy.md; secrets of channels belong here: only the broker reads this file\n[web]\nport = 7433\n"
_RUN_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    Attributes:
        text: for people, as a command that they could type.
        command: what is run, for a step that runs something.
        path: what is written, for a step that writes something, or made, for a folder (``content`` None).
        mode: of the file or folder.
        owner: user that it belongs to.
        may_fail: whether the set-up goes on without it.
    """

    text: str
    command: tuple[str, ...] = ()
    path: Path | None = None
    content: str | None = None
    mode: int = 0o644
    owner: str = "root"
    may_fail: bool = False


def unit(program: str) -> str:
    """The systemd unit; ``program`` is the command line of ``askfirst``."""
    return f"""[Unit]
Description=Askfirst broker
After=network-online.target
Wants=network-online.target

[Service]
User={USER}
StateDirectory={SERVICE_STATE.name}
StateDirectoryMode=0700
RuntimeDirectory={SERVICE_SOCKET.parent.name}
RuntimeDirectoryMode=0755
Environment=ASKFIRST_STATE_DIR={SERVICE_STATE} ASKFIRST_CONFIG=/etc/askfirst/config.toml
ExecStart={program} serve --background --socket {SERVICE_SOCKET}
Restart=always
RestartSec=1
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=read-only
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def setting_up(program: str, *, has_user: bool, has_config: bool, root: Path = Path("/")) -> Iterator[Step]:
    """What makes the service, in order; what is there already is left as it is."""
    if not has_user:
        command = ("useradd", "--system", "--home-dir", str(SERVICE_STATE), "--shell", "/usr/sbin/nologin", USER)
        yield Step(text=" ".join(command), command=command)
    yield _folder(root / SERVICE_STATE.relative_to("/"), 0o700)
    yield _folder(root / "etc/askfirst", 0o755, owner="root")
    config = root / "etc/askfirst/config.toml"
    if not has_config:
        yield Step(text=f"write {config} (0600, {USER})", path=config, content=_CONFIG, mode=0o600, owner=USER)
    path = root / "etc/systemd/system" / UNIT
    yield Step(text=f"write {path}", path=path, content=unit(program))
    for arguments in (("daemon-reload",), ("enable", "--now", UNIT)):
        yield Step(text=" ".join(("systemctl", *arguments)), command=("systemctl", *arguments), may_fail=True)


def taking_down(root: Path = Path("/")) -> Iterator[Step]:
    """What ends the service; its state and its log stay."""
    command: tuple[str, ...] = ("systemctl", "disable", "--now", UNIT)
    yield Step(text=" ".join(command), command=command, may_fail=True)
    path = root / "etc/systemd/system" / UNIT
    yield Step(text=f"remove {path}", command=("rm", "-f", str(path)))


def has_user() -> bool:
    """Whether the broker's user is there."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def carry_out(step: Step) -> str:
    """Do it; returns why it failed, where it may.

    Raises:
        ConfigError: it failed and may not.
        OSError: a file cannot be written.
    """
    if step.command:
        return _run(step)
    assert step.path is not None  # a step runs or writes something
    if step.content is None:
        step.path.mkdir(parents=True, exist_ok=True)
        step.path.chmod(step.mode)
        shutil.chown(step.path, user=step.owner)
        return ""
    step.path.parent.mkdir(parents=True, exist_ok=True)
    draft = step.path.with_name(f".{step.path.name}.askfirst")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, step.mode), "w", encoding="utf-8") as file:
        file.write(step.content)
    draft.chmod(step.mode)
    shutil.chown(draft, user=step.owner)
    draft.replace(step.path)
    return ""


def _run(step: Step) -> str:
    try:
        done = subprocess.run(step.command, capture_output=True, text=True, timeout=_RUN_S, check=False)
        problem = done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem and not step.may_fail:
        raise ConfigError(f"`{step.text}` failed: {problem}")
    return problem


def _folder(path: Path, mode: int, owner: str = USER) -> Step:
    return Step(text=f"mkdir {path} ({mode:04o}, {owner})", path=path, mode=mode, owner=owner)
