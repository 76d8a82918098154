"""The programs' entry: puts the nested packages first on the path and wires every part to the others.

This is the only module of ``askfirst`` that knows the outer packages. In a wheel they lie under ``askfirst/_app``; in a
checkout, beside ``askfirst`` (docs/adr/0001-nested-packages.md). Imports stand inside the functions, so that a command
loads only what it needs.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # `typing` and the like come later: the folder's own may stand before the true one
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import typer

    from askfirst.cli.parts import Check, LogReader, WitnessFolder
    from askfirst.engine import Case
    from askfirst.host import HostAdapter
    from askfirst.paths import StatePaths
    from askfirst.settings_change import SettingsChange
    from askfirst.silence import Deed
    from hooks.setup import Places, Scope

_HERE = os.path.dirname(os.path.realpath(__file__))


def outer_packages() -> str:
    """The folder that holds ``hooks``, ``channels``, ``audit`` and ``mcp_server``."""
    nested = os.path.join(_HERE, "_app")
    return nested if os.path.isdir(nested) else os.path.dirname(_HERE)


def own_path(path: list[str], environ: Mapping[str, str], cwd: str) -> list[str]:
    """The import path of our own processes: the outer packages first, nothing from ``PYTHONPATH`` or the folder.

    Where we are started an agent may write; a ``typer.py`` of its making must not run as the person's command.
    """
    foreign = {os.path.abspath(each) for each in (*environ.get("PYTHONPATH", "").split(os.pathsep), cwd)}
    return [outer_packages(), *(each for each in path if os.path.abspath(each) not in foreign)]


def main() -> None:
    """``askfirst``."""
    sys.path[:] = own_path(sys.path, os.environ, os.getcwd())
    if sys.argv[1:] == ["mcp"]:
        _mcp()  # a host waits for its list of tools, so nothing of the command line is loaded
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a command may hold what the locale has no letter for
    command_line()()


def command_line() -> typer.Typer:
    """``askfirst`` with every part wired."""
    from askfirst.cli.app import build  # noqa: PLC0415
    from askfirst.cli.parts import Parts  # noqa: PLC0415

    return build(
        Parts(
            serve=_serve,
            relay=_relay,
            login_link=_login_link,
            adapters=_adapters,
            hook_command=_hook_command,
            install=_install,
            fingerprint=_fingerprint,
            hosts_here=_hosts_here,
            changes=_changes,
            obstacles=_obstacles,
            check=_check,
            log=_log,
            witness=_witness,
            past_calls=_past_calls,
            schemes=_schemes,
            preview=_preview,
            telegram_bot=_telegram_bot,
            github_look=_github_look,
            mcp=_mcp,
        )
    )


def _schemes() -> tuple[Mapping[str, int], frozenset[str]]:
    from channels.registry import ALWAYS, vouched  # noqa: PLC0415

    return vouched(), ALWAYS


def _preview(case: Case, now_ms: int) -> str:
    from channels.preview import preview_page  # noqa: PLC0415

    return preview_page(case, now_ms)


def _github_look(table: Mapping[str, object], secret: str, wanted: Mapping[str, str]) -> list[dict[str, object]]:
    from channels.github.setup import found  # noqa: PLC0415

    return found(table, secret, wanted)


def _telegram_bot(token: str, api_url: str, webhook_url: str) -> str:
    from channels.telegram.setup import bot_of  # noqa: PLC0415

    return bot_of(token, api_url, webhook_url)


def _mcp() -> None:
    from mcp_server.stdio import main as serve_mcp  # noqa: PLC0415

    serve_mcp()


def _serve(paths: StatePaths, port: int | None, background: bool) -> int:  # noqa: FBT001  # a part's shape
    from askfirst.assembly.serve import serve  # noqa: PLC0415

    return serve(paths, port=port, background=background)


def _relay(paths: StatePaths, background: bool) -> int | None:  # noqa: FBT001  # a part's shape
    from askfirst.relay.remote import read_remote  # noqa: PLC0415

    remote = read_remote(paths)
    if remote is None:
        return None
    from pathlib import Path  # noqa: PLC0415

    from askfirst.relay.serve import relay  # noqa: PLC0415
    from hooks import install  # noqa: PLC0415
    from hooks.deeds import deeds_of  # noqa: PLC0415
    from hooks.registry import HOSTS  # noqa: PLC0415

    def deeds(host: str, since_ms: int) -> Iterator[Deed]:
        return deeds_of(host, since_ms, _places(Path("/")))

    return relay(paths, remote, adapters=HOSTS, inspector=install, deeds=deeds, background=background)


def _login_link(paths: StatePaths) -> str:
    from askfirst.assembly.login import login_link  # noqa: PLC0415

    return login_link(paths)


def _adapters() -> Mapping[str, HostAdapter]:
    from hooks.registry import HOSTS  # noqa: PLC0415

    return HOSTS


def _hook_command(host: str, paths: StatePaths, *, gates: bool = True) -> str:
    from pathlib import Path  # noqa: PLC0415

    from hooks.command_line import hook_command, wait_below  # noqa: PLC0415
    from hooks.install import setup_of  # noqa: PLC0415

    python, timeout_s = Path(sys.executable), setup_of(host).timeout_s
    return hook_command(
        host,
        python=python,
        socket=paths.socket,
        client_dir=Path(outer_packages(), "hooks"),
        wait_s=wait_below(timeout_s),
        host_timeout_s=timeout_s,
        broker=_starting(paths),
        gates=gates,
    )


def _starting(paths: StatePaths) -> tuple[str, ...]:
    """What starts a broker; the machine's own is started by the machine, and by nobody else."""
    from askfirst.relay.remote import read_remote  # noqa: PLC0415

    if paths.shared_socket is not None:
        return ("/bin/false", "--relay") if paths.is_relayed else ("/bin/false",)
    command = (sys.executable, "-I", "-m", "askfirst.entry", "serve", "--background", "--state-dir", str(paths.root))
    return (*command, "--relay") if paths.is_relayed or read_remote(paths) is not None else command


def _install(host: str, settings: Path, paths: StatePaths, remove: bool) -> tuple[str, str]:  # noqa: FBT001
    from hooks.install import merged_settings  # noqa: PLC0415

    line, notice = _hook_command(host, paths), _hook_command(host, paths, gates=False)
    return merged_settings(host, settings, line, notice=notice, remove=remove)


def _fingerprint(host: str, settings: Path) -> str:
    from hooks.install import fingerprint  # noqa: PLC0415

    return fingerprint(host, settings)


def _places(project: Path) -> Places:
    from pathlib import Path  # noqa: PLC0415

    from hooks.setup import Places  # noqa: PLC0415

    return Places(home=Path.home(), project=project.absolute(), environ=os.environ)


def _hosts_here(project: Path) -> tuple[str, ...]:
    from hooks.installer import found  # noqa: PLC0415

    return found(_places(project))


def _changes(
    hosts: Sequence[str],
    scope: Scope,
    project: Path,
    paths: StatePaths,
    *,
    remove: bool = False,
    second_line: bool = False,
) -> list[SettingsChange]:
    from hooks.installer import changes  # noqa: PLC0415

    def line_of(host: str, gates: bool) -> str:  # noqa: FBT001  # a part's shape
        return _hook_command(host, paths, gates=gates)

    return changes(hosts, scope, _places(project), None if remove else line_of, second_line=second_line)


def _obstacles(host: str, settings: Path) -> tuple[str, ...]:
    from hooks.install import obstacles  # noqa: PLC0415

    return obstacles(host, settings)


def _check(host: str, scopes: frozenset[Scope], project: Path) -> Check | None:
    from hooks.checks import opened  # noqa: PLC0415

    return opened(host, scopes, _places(project))


def _log(store: Path) -> LogReader:
    from audit.offline import OfflineLog  # noqa: PLC0415

    return OfflineLog(store)


def _witness(folder: Path) -> WitnessFolder:
    from audit.witness_server import WitnessFolder as Folder  # noqa: PLC0415

    return Folder(folder)


def _past_calls(store: Path, count: int) -> list[dict[str, object]]:
    from audit.history import calls  # noqa: PLC0415

    return calls(store, count)


if __name__ == "__main__":
    main()
