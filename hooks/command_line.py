"""The command line that is written into a host's settings: whatever happens to the hook, the call is blocked.

Hosts run it with ``sh -c``. It gives the payload to the fast client, or where perl is missing or broken to the robust
one, and lets through two of their exit codes only: 0, and 2 with what they wrote to standard error. A missing file, a
crash or a kill ends in the sentence and exit 2, because most hosts run the command on any other code, and some on an
exit 2 that says nothing. A host that reads no exit codes gets its own form of a refusal instead. The deadline is an
alarm in the clients, so no ``timeout`` program is needed (macOS has none).

Claude Code shows the whole line to the model when a hook exits with 2, so there are no secrets in it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from askfirst.errors import InputError
from askfirst.host import Deny
from hooks.registry import HOSTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from askfirst.host import HostAdapter

BLOCK_EXIT = 2
PERL = "/usr/bin/perl"
"""Not looked up on PATH, which the agent's session can change; elsewhere the robust client is used."""
MARGIN_S = 5
"""How far our own deadline stays below the host's timeout, seconds: a host that times out runs the command."""
MAX_TIMEOUT_S = 2_147_483
"""Above it Claude Code up to 2.1.265 cancels the hook at once and runs the command (facts of 2.1.197 and 2.1.265)."""
MAX_SOCKET_BYTES = 103
"""The longest socket path that macOS takes (sys/un.h); Linux takes 107 bytes (unix(7))."""
ALARMED = 128 + 14
"""What a shell makes of a death by SIGALRM: the deadline is over, so nothing else is tried."""
WOKEN = 3
"""The clients' exit code for ``askfirst.host.Wake``."""
SENTENCE = "askfirst: this call is blocked: the gate could not be run; run askfirst serve in a terminal to see why"


def hook_command(
    host: str,
    *,
    python: Path,
    socket: Path,
    client_dir: Path,
    wait_s: int,
    host_timeout_s: int,
    perl: str = PERL,
    broker: Sequence[str] = (),
    gates: bool = True,
) -> str:
    """The POSIX sh line for ``host``.

    Args:
        host: a name in ``hooks.registry.HOSTS``.
        python: absolute path of the interpreter that has askfirst installed.
        socket: absolute path of the broker's socket.
        client_dir: absolute path of the folder with both clients.
        wait_s: the hook's own deadline, seconds, > 0.
        host_timeout_s: the timeout written into the host's settings, seconds.
        perl: absolute path of perl.
        broker: the command that starts a broker, if not ``askfirst serve`` of ``python``.
        gates: whether the event lets something run. A line for other events ends with 0 whatever happens, but for the
            2 that wakes an agent: a gate that does not work must not keep an agent from stopping.

    Raises:
        InputError: with such paths or times the hook could not block.
    """
    adapter = HOSTS.get(host)
    if adapter is None:
        raise InputError(f"unknown host {host!r}, expected one of {', '.join(HOSTS)}", field="host")
    _require_times(wait_s, host_timeout_s)
    _require_paths(python=python, socket=socket, client_dir=client_dir)
    arguments = [str(python), "-I", "-S", str(client_dir / "client.py"), host, str(socket), str(wait_s)]
    line = shlex.join([*arguments, ",".join(adapter.environment)])
    starter = " ".join(["", *map(shlex.quote, broker)])
    # In the C locale perl starts 0.2 ms sooner; a Python that it becomes is in UTF-8 mode then (PEP 540).
    fast = "LC_ALL=C " + shlex.join([perl, "-fTC0", str(client_dir / "askfirst-hook.pl")])
    passed, refusal = _endings(adapter)
    return (
        f'set -- {line} "$PPID"{starter}; [ -x {shlex.quote(perl)} ] && {fast} "$@"; c=$?; '
        f'case $c in 0|2|{WOKEN}|{ALARMED}) ;; *) "$@"; c=$?;; esac; '
        + (f"case $c in {passed}) exit $c;; esac; {refusal}" if gates else f"[ $c = {WOKEN} ] && exit 2; exit 0")
    )


def wait_below(host_timeout_s: int) -> int:
    """The hook's own deadline for a host's timeout, seconds: a host that gives up first runs the command."""
    return host_timeout_s - min(60, max(MARGIN_S, host_timeout_s // 12))


def _endings(adapter: HostAdapter) -> tuple[str, str]:
    """The exit codes that are handed on, and what is done on all others: a refusal as this host understands it."""
    answer = adapter.render(None, Deny(reason=SENTENCE))
    if answer.exit_code == BLOCK_EXIT:
        return f"0|{BLOCK_EXIT}", f"echo {shlex.quote(SENTENCE)} >&2; exit {BLOCK_EXIT}"
    return "0", f"echo {shlex.quote(answer.stdout.decode('ascii').strip())}; exit {answer.exit_code}"


def _require_times(wait_s: int, host_timeout_s: int) -> None:
    if wait_s < 1:
        raise InputError(f"a wait of {wait_s} s, expected at least 1", field="wait_s")
    if not wait_s + MARGIN_S <= host_timeout_s <= MAX_TIMEOUT_S:
        raise InputError(
            f"a host timeout of {host_timeout_s} s, expected {wait_s + MARGIN_S} to {MAX_TIMEOUT_S}: "
            "a host that gives up first runs the command",
            field="host_timeout_s",
        )


def _require_paths(**paths: Path) -> None:
    for field, path in paths.items():
        if not path.is_absolute() or "\n" in str(path) or "\0" in str(path):
            raise InputError(f"path {str(path)!r}, expected an absolute one on one line", field=field)
    if len(bytes(paths["socket"])) > MAX_SOCKET_BYTES:
        raise InputError(
            f"socket path {str(paths['socket'])!r}, expected at most {MAX_SOCKET_BYTES} bytes; "
            "choose a shorter state folder",
            field="socket",
        )
