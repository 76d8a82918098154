"""The doctor's checks of the hosts that ``hooks.headless`` can run: the version, and the canary with the real program.

The program runs in an empty home with a copy of what is ours in the person's settings, so that nobody's keys, servers
and habits are touched; what is in the copy decides whether our hook runs there as it does here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.canary import REFUSED, new_canary
from askfirst.demo.claude_client import kept
from askfirst.demo.process_group import Finished, ProgramError, run_group
from askfirst.demo.script import Say
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.diagnosis import Finding, Grade
from hooks import hook_entries
from hooks.headless import CLIENTS, Run
from hooks.install import read_settings, setup_of
from hooks.setup import Places
from hooks.support import TABLE
from hooks.toml_sections import joined, split

if TYPE_CHECKING:
    from hooks.host_check import Installed

_VERSION_S = 30.0
_CALL = "call_canary"
_SWITCHES = frozenset({"version", "disableAllHooks", "hooksConfig"})
_TOLD_NOTHING = frozenset({"cline"})
"""Hosts that end the run on a denial, so that no model hears of it."""


class HeadlessCheck:
    """See the module's docstring."""

    def __init__(self, name: str) -> None:
        self.name = name

    def overrides(self, installed: Installed) -> list[Finding]:
        """Whether the gate was tried with this version."""
        tried = next(row.version for row in TABLE if row.name == self.name)
        try:
            done = subprocess.run(
                [installed.program, "--version"], capture_output=True, text=True, timeout=_VERSION_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return [self._finding(Grade.WARN, f"its version cannot be read: {error}")]
        found = re.search(r"\d+\.\d+\.\d+", done.stdout)
        version = found[0] if found else repr(done.stdout[:80])
        if version == tried:
            return [self._finding(Grade.OK, f"version {version}")]
        return [self._finding(Grade.NOTE, f"version {version}; the gate was tried with {tried}")]

    def canary(self, installed: Installed) -> Finding:
        """Drive the real program with our hooks as they are installed, and see the canary refused."""
        try:
            with tempfile.TemporaryDirectory(prefix="askfirst-canary-") as folder:
                return self._drive(installed, Path(folder))
        except (ProgramError, OSError) as error:
            return self._finding(Grade.FAIL, f"the canary could not be run: {error}")

    def _drive(self, installed: Installed, folder: Path) -> Finding:
        name, client = new_canary(), CLIENTS[self.name]
        places = Places(home=folder / "home", project=folder / "project")
        for each in (places.home, places.project, folder / "scratch"):
            each.mkdir()
        self._copy(installed, places)
        turns = ((Say(text="Canary."), client.shell(_CALL, f"touch {name}")), (Say(text="Done."),))
        with ScriptedModel(turns) as model:
            run = Run(
                executable=installed.program,
                project=places.project,
                scratch=folder / "scratch",
                model_url=model.url,
                environ={**kept(os.environ), "HOME": str(places.home)},
            )
            ends = [run_group(program) for program in client.programs(run)]
            told = {each.id: each.text for each in model.results()}.get(_CALL)
            was_tried = any(request.turn is not None for request in model.requests)
        if (places.project / name).exists():
            fix = f"askfirst install --host {self.name}"
            return self._finding(Grade.FAIL, "the canary ran: its hooks do not gate it", fix)
        return self._judged(told, ends, was_tried=was_tried)

    def _judged(self, told: str | None, ends: list[Finished], *, was_tried: bool) -> Finding:
        if was_tried and (REFUSED in (told or "") or self.name in _TOLD_NOTHING):
            return self._finding(Grade.OK, "the canary was refused by the gate, driven by the real program")
        if told is None:
            words = ends[-1].stderr.strip().splitlines()
            why = words[-1][:300] if words else f"exit code {ends[-1].exit_code}"
            return self._finding(Grade.FAIL, f"the canary was never tried: {why}")
        text = f"the canary did not run, but not by the gate's word: {told[:200]!r}"
        return self._finding(Grade.WARN, text, "askfirst serve, in a terminal, to see why")

    def _copy(self, installed: Installed, places: Places) -> None:
        """What is ours, in the same files of another home and project."""
        setup = setup_of(self.name)
        for scope in installed.scopes - {"managed"}:
            for source, target in zip(setup.files(scope, installed.places), setup.files(scope, places), strict=True):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self._ours(source, target), encoding="utf-8")
                target.chmod(0o700)

    def _ours(self, source: Path, target: Path) -> str:
        text = read_settings(source)
        if source.suffix == ".toml":
            sections = [each for each in split(text) if each.header.startswith(("[features]", "[[hooks.", "[hooks."))]
            return joined(sections).replace(json.dumps(str(source))[1:-1], json.dumps(str(target))[1:-1])
        if source.suffix != ".json":
            return text
        settings = hook_entries.parsed(text, source)
        switches = {key: value for key, value in settings.items() if key in _SWITCHES}
        return hook_entries.rendered({**switches, "hooks": hook_entries.ours(settings)})

    def _finding(self, grade: Grade, text: str, fix: str = "") -> Finding:
        return Finding(area=self.name, grade=grade, text=text, fix=fix)
