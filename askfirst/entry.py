"""The programs' entry: puts the nested packages first on the path and wires every part to the others.

This is the only module of ``askfirst`` that knows the outer packages. In a wheel they lie under ``askfirst/_app``; in a
checkout, beside ``askfirst`` (docs/adr/0001-nested-packages.md). Imports stand inside the functions, so that a command
loads only what it needs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import typer

    from askfirst.cli.parts import VerifyReport
    from askfirst.host import HostAdapter
    from askfirst.paths import StatePaths

_HERE = Path(__file__).resolve().parent


def outer_packages() -> Path:
    """The folder that holds ``hooks``, ``channels``, ``audit`` and ``mcp_server``."""
    nested = _HERE / "_app"
    return nested if nested.is_dir() else _HERE.parent


def own_path(path: list[str], environ: Mapping[str, str], cwd: str) -> list[str]:
    """The import path of our own processes: the outer packages first, nothing from ``PYTHONPATH`` or the folder.

    Where we are started an agent may write; a ``typer.py`` of its making must not run as the person's command.
    """
    foreign = {os.path.abspath(each) for each in (*environ.get("PYTHONPATH", "").split(os.pathsep), cwd)}  # noqa: PTH100
    return [str(outer_packages()), *(each for each in path if os.path.abspath(each) not in foreign)]  # noqa: PTH100


def main() -> None:
    """``askfirst``."""
    sys.path[:] = own_path(sys.path, os.environ, os.getcwd())  # noqa: PTH109
    command_line()()


def command_line() -> typer.Typer:
    """``askfirst`` with every part wired."""
    from askfirst.cli.app import build  # noqa: PLC0415
    from askfirst.cli.parts import Parts  # noqa: PLC0415

    return build(
        Parts(
            serve=_serve,
            login_link=_login_link,
            adapters=_adapters,
            hook_command=_hook_command,
            install=_install,
            verify=_verify,
            tail=_tail,
            export=_export,
        )
    )


def _serve(paths: StatePaths, port: int | None, background: bool) -> int:  # noqa: FBT001  # a part's shape
    from askfirst.assembly import serve  # noqa: PLC0415

    return serve(paths, port=port, background=background)


def _login_link(paths: StatePaths) -> str:
    from askfirst.assembly import login_link  # noqa: PLC0415

    return login_link(paths)


def _adapters() -> Mapping[str, HostAdapter]:
    from hooks.registry import HOSTS  # noqa: PLC0415

    return HOSTS


def _hook_command(host: str, paths: StatePaths) -> str:
    from hooks.command_line import hook_command  # noqa: PLC0415

    python = Path(sys.executable)
    return hook_command(
        host,
        python=python,
        socket=paths.socket,
        client_dir=outer_packages() / "hooks",
        wait_s=_WAIT_S,
        host_timeout_s=_HOST_TIMEOUT_S,
        broker=(str(python), "-I", "-m", "askfirst.entry", "serve", "--background", "--state-dir", str(paths.root)),
    )


def _install(host: str, settings: Path, paths: StatePaths, remove: bool) -> tuple[str, str]:  # noqa: FBT001
    from hooks.install import merged_settings  # noqa: PLC0415

    return merged_settings(host, settings, _hook_command(host, paths), timeout_s=_HOST_TIMEOUT_S, remove=remove)


def _verify(store: Path, checkpoint: Path | None, seen: Sequence[str]) -> VerifyReport:
    from audit.verify import verify_store  # noqa: PLC0415

    return verify_store(store, checkpoint=checkpoint, seen=seen)


def _tail(store: Path, count: int) -> list[dict[str, object]]:
    from audit.records import tail  # noqa: PLC0415

    return tail(store, count)


def _export(store: Path, out: Path) -> int:
    from audit.export import export  # noqa: PLC0415

    return export(store, out)


_HOST_TIMEOUT_S = 86_400
"""What is written into hosts' settings: a day, because a person may be asleep."""
_WAIT_S = _HOST_TIMEOUT_S - 60
"""The hook's own deadline, seconds, below the host's: a host that gives up first runs the command."""

if __name__ == "__main__":
    main()
