"""Claude Code's further checks: versions and settings that defeat hooks, and the canary with the real program."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.canary import REFUSED, new_canary
from askfirst.demo.claude_client import Session, run
from askfirst.demo.process_group import ProgramError
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.diagnosis import Finding, Grade
from askfirst.errors import InputError
from hooks import hook_entries
from hooks.install import fingerprint, read_settings
from hooks.install_claude import ClaudeCodeSetup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooks.hook_entries import Settings
    from hooks.host_check import Installed
    from hooks.setup import Scope

FULL = (2, 1, 295)
"""From here on ``onFailure`` blocks, and managed hooks hold with ``--bare``."""
OLDEST = (2, 1, 89)
_VERSION_S = 20.0
_CANARY_S = 90.0
_CALL = "toolu_canary"
_PERSONAL: tuple[Scope, ...] = ("user", "project")
_NOT_COPIED = (
    "hooks",
    "env",
    "apiKeyHelper",
    "statusLine",
    "model",
    "awsAuthRefresh",
    "forceLoginMethod",
    "permissions",
)


class ClaudeCodeCheck:
    """See the module's docstring."""

    name = ClaudeCodeSetup.name

    def overrides(self, installed: Installed) -> list[Finding]:
        """Versions that ignore ``onFailure``, and what in other files or the environment switches our hooks off."""
        return [*self._version(installed), *self._switches(installed)]

    def canary(self, installed: Installed) -> Finding:
        """The program runs with the person's settings, but for other people's hooks, in a folder of its own."""
        settings = _copied(installed)
        try:
            with tempfile.TemporaryDirectory(prefix="askfirst-canary-") as folder:
                return self._drive(installed.program, settings, Path(folder))
        except (ProgramError, OSError) as error:
            return self._finding(Grade.FAIL, f"the canary could not be run: {error}", "")

    def _drive(self, program: Path, settings: Settings, folder: Path) -> Finding:
        name = new_canary()
        project, home = folder / "project", folder / "home"
        project.mkdir()
        turns = ((Say(text="Canary."), bash(_CALL, f"touch {name}")), (Say(text="Done."),))
        with ScriptedModel(turns) as model:
            session = Session(
                executable=program,
                project=project,
                home=home,
                model_url=model.url,
                settings={**settings, "permissions": {"allow": ["Bash"]}},
                timeout_s=_CANARY_S,
            )
            end = run(session)
            told = {each.id: each for each in model.results()}.get(_CALL)
        if (project / name).exists():
            return self._finding(
                Grade.FAIL, "the canary ran: its hooks do not gate it", "askfirst install --host claude-code"
            )
        if told is None:
            words = end.stderr.strip().splitlines()
            why = words[-1][:300] if words else f"exit code {end.exit_code}"
            return self._finding(Grade.FAIL, f"the canary was never tried: {why}", "")
        if REFUSED in told.text:
            return self._finding(Grade.OK, "the canary was refused by the gate, driven by the real program", "")
        text = f"the canary did not run, but not by the gate's word: {told.text[:200]!r}"
        return self._finding(Grade.WARN, text, "askfirst serve, in a terminal, to see why")

    def _version(self, installed: Installed) -> list[Finding]:
        try:
            done = subprocess.run(
                [installed.program, "--version"], capture_output=True, text=True, timeout=_VERSION_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return [self._finding(Grade.WARN, f"its version cannot be read: {error}", "")]
        found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
        version = tuple(map(int, found.groups())) if found else ()
        shown = ".".join(map(str, version)) or repr(done.stdout[:80])
        fix = "claude update"
        if version >= FULL:
            return [self._finding(Grade.OK, f"version {shown}", "")]
        if version >= OLDEST:
            text = f"version {shown} ignores onFailure: a hook that the program itself gives up lets the command run"
            return [self._finding(Grade.WARN, text, fix)]
        return [self._finding(Grade.FAIL, f"version {shown} is older than any that the gate was tried with", fix)]

    def _switches(self, installed: Installed) -> Iterator[Finding]:
        places = installed.places
        own = "managed" in installed.scopes
        grade = Grade.NOTE if own else Grade.FAIL
        for path in (places.project / ".claude" / "settings.json", places.project / ".claude" / "settings.local.json"):
            if _is_set(path, "disableAllHooks"):
                text = f"{path} has disableAllHooks" + (", which managed hooks do not heed" if own else "")
                yield self._finding(grade, text, "" if own else f"take it out of {path}")
        [managed] = ClaudeCodeSetup().files("managed", places)
        if not own and _is_set(managed, "allowManagedHooksOnly"):
            text = f"{managed} allows managed hooks only, so yours do not run"
            yield self._finding(Grade.FAIL, text, "sudo askfirst install --scope managed")
        if not own and places.environ.get("CLAUDE_CODE_SIMPLE") == "1":
            yield self._finding(Grade.FAIL, "CLAUDE_CODE_SIMPLE=1 switches hooks off", "unset CLAUDE_CODE_SIMPLE")
        if not own:
            text = "--bare, --safe-mode and a repository's disableAllHooks switch user-level hooks off"
            yield self._finding(Grade.NOTE, text, "sudo askfirst install --scope managed")

    def _finding(self, grade: Grade, text: str, fix: str) -> Finding:
        return Finding(area=self.name, grade=grade, text=text, fix=fix)


def _copied(installed: Installed) -> Settings:
    """The person's settings with our hooks and what may switch them off; nobody else's hooks, keys or programs."""
    setup = ClaudeCodeSetup()
    result: Settings = {}
    files = [path for scope in _PERSONAL for path in setup.files(scope, installed.places)]
    for path in (*files, installed.places.project / ".claude" / "settings.local.json"):
        try:
            settings = hook_entries.parsed(read_settings(path), path)
        except InputError:
            continue  # the host ignores such a file; its finding is made elsewhere
        result |= {key: value for key, value in settings.items() if key not in _NOT_COPIED}
        if fingerprint(setup.name, path):
            result["hooks"] = hook_entries.ours(settings)
    return result


def _is_set(path: Path, key: str) -> bool:
    try:
        settings = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(settings, dict) and bool(settings.get(key))
