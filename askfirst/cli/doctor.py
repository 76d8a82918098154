"""``askfirst doctor``: proves the gate of every agent on this machine, and says what would make it stronger."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import askfirst
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, connected, console, print_json, sentences, stderr
from askfirst.diagnosis import Arrangement, Finding, Grade, Level, is_healthy, level_of
from askfirst.errors import Error, InputError
from askfirst.examine import examined_broker, examined_files, is_elsewhere, now_ms
from askfirst.paths import SERVICE_SOCKET, config_file, service_paths, state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts, Scope
    from askfirst.paths import StatePaths

_STYLES = {Grade.OK: "green", Grade.NOTE: "cyan", Grade.WARN: "yellow", Grade.FAIL: "red"}
_SCOPES: tuple[Scope, ...] = ("user", "project", "managed")


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command()
    def doctor(
        host: Annotated[list[str] | None, typer.Option("--host", help="An agent; once for each.")] = None,
        canary: Annotated[
            bool, typer.Option("--canary/--no-canary", help="Drive each agent's program once and see it blocked.")
        ] = True,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Look at everything that the gate rests on, and prove that it blocks."""
        with sentences():
            paths = _paths(state_dir)
            hosts = tuple(host or parts.hosts_here(Path.cwd()))
            broker, findings = _broker(paths)
            paths = replace(paths, is_relayed="remote" in broker)
            findings += examined_files(paths, config_file(), own_uid=os.getuid())
            scopes = {each: _host(parts, each, paths, findings, canary=canary) for each in hosts}
            found = Arrangement(
                scopes=scopes,
                broker_uid=broker.get("uid"),
                own_uid=os.getuid(),
                is_remote=is_elsewhere(broker, own_uid=os.getuid()),
                terminal_decisions=bool(broker.get("terminal_decisions")),
            )
            level = level_of(found, findings)
            _show(findings, level, as_json=as_json)
            if not is_healthy(findings, level):
                raise typer.Exit(EXIT_NO)


def _paths(state_dir: Path | None) -> StatePaths:
    """Of the machine's broker, where there is one and nothing else was named."""
    is_named = state_dir is not None or "ASKFIRST_STATE_DIR" in os.environ
    return state_paths(state_dir) if is_named or not SERVICE_SOCKET.is_socket() else service_paths()


def _broker(paths: StatePaths) -> tuple[dict[str, Any], list[Finding]]:
    try:
        with closing(connected(paths)) as client:
            found = client.call("GET", "/v1/diagnosis")
            found |= {"terminal_decisions": client.call("GET", "/healthz")["terminal_decisions"]}
    except Error as error:
        return {}, [Finding(area="broker", grade=Grade.FAIL, text=str(error), fix="askfirst serve, in a terminal")]
    return found, list(examined_broker(found, askfirst.__version__, now_ms=now_ms(), own_uid=os.getuid()))


def _host(parts: Parts, host: str, paths: StatePaths, findings: list[Finding], *, canary: bool) -> frozenset[Scope]:
    """The scopes that have our hooks; what was found on the way is added to the findings."""
    scopes: set[Scope] = set()
    for scope in _SCOPES:
        try:
            changes = parts.changes([host], scope, Path.cwd(), paths)
        except InputError as error:
            if error.field == "host":
                raise
            continue  # it has no such scope, or the file cannot be read: the host ignores it as well
        for change in changes:
            if not parts.fingerprint(host, change.path):
                continue
            scopes.add(scope)
            text = f"hooks in {change.path}"
            if change.is_needed:
                fix = f"{'sudo ' if scope == 'managed' else ''}askfirst install --host {host} --scope {scope}"
                text = f"the hooks in {change.path} are not those of this release and state folder"
                findings.append(Finding(area=host, grade=Grade.WARN, text=text, fix=fix))
            else:
                findings.append(Finding(area=host, grade=Grade.OK, text=text))
            findings += [Finding(area=host, grade=Grade.FAIL, text=each) for each in parts.obstacles(host, change.path)]
    if not scopes:
        findings.append(
            Finding(area=host, grade=Grade.FAIL, text="not connected", fix=f"askfirst install --host {host}")
        )
        return frozenset()
    findings += _further(parts, host, frozenset(scopes), canary=canary)
    return frozenset(scopes)


def _further(parts: Parts, host: str, scopes: frozenset[Scope], *, canary: bool) -> list[Finding]:
    check = parts.check(host, scopes, Path.cwd())
    if check is None:
        text = "judged by its settings only: its program is not on PATH, or there is no canary for it yet"
        return [Finding(area=host, grade=Grade.NOTE, text=text)]
    found = list(check.overrides())
    if canary:
        with stderr.status(f"flying a canary past {host}"):
            found.append(check.canary())
    return found


def _show(findings: list[Finding], level: Level, *, as_json: bool) -> None:
    if as_json:
        rows = [{"area": f.area, "grade": f.grade.value, "text": f.text, "fix": f.fix} for f in findings]
        print_json({"level": level.name, "improve": level.improve, "findings": rows})
        return
    width = max((len(each.area) for each in findings), default=0)
    for each in findings:
        console.print(f"{each.grade.value:>4}", style=_STYLES[each.grade], end="  ")
        console.print(f"{each.area:<{width}}  {each.text}", markup=False, soft_wrap=True)
        if each.fix:
            console.print(f"{'':>{width + 6}}  → {each.fix}", markup=False, soft_wrap=True)
    name = "the gate does not hold" if level.name == "none" else f"level {level.name}"
    console.print(f"\n{name}; to improve it: {level.improve}", markup=False, soft_wrap=True)
