"""A remote coding agent's chat bot whose destructive commands ask first: ``/clone``, ``/reset``, ``/deploy``.

A recipe to copy from, and a program to try: ``python docs/recipes/remote_coding_bot.py WORKSPACE`` talks on the
terminal. What can be done again is done; the rest is behind ``require_approval``.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import AlreadyUsed, Cancelled, Denied, HumanLayer, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable


class Bot:
    """One chat over one workspace.

    Args:
        workspace: where repositories are cloned to.
        gate: asks people; its contact channels are named ``default`` and ``critical``.
        deploy: brings a commit to an environment.
    """

    def __init__(self, workspace: Path, gate: HumanLayer, deploy: Callable[[str, str], str]) -> None:
        self._workspace = workspace
        self._history: list[str] = []
        self._deploy = deploy

        @gate.require_approval(
            action="clone --force",
            impact=lambda folder: f"{folder} is deleted first: {_what_is_only_there(Path(folder))}",
            rollback_plan="none: what was not pushed is gone",
        )
        def clone_over(url: str, folder: str) -> str:
            """Clone a repository over a folder that is there."""
            return _clone(url, folder)

        @gate.require_approval(
            action="reset session",
            reason=lambda messages: f"/reset was typed after {messages} messages",
            rollback_plan="none: the session's memory is deleted",
        )
        def forget(messages: int) -> str:
            self._history.clear()
            return f"Forgot {messages} messages."

        @gate.require_approval(
            action="deploy",
            contact_channel="critical",
            timeout=3600,
            on_timeout="reject",
            impact="customers see the new version at once",
            rollback_plan="deploy the commit that runs now",
        )
        def to_production(environment: str, commit: str) -> str:
            """Deploy to production."""
            return deploy(environment, commit)

        self._clone_over, self._forget, self._to_production = clone_over, forget, to_production

    def handle(self, text: str) -> str:
        """The answer to one message of the chat."""
        self._history.append(text)
        try:
            return self._run(shlex.split(text))
        except (Denied, TimedOut, Cancelled, AlreadyUsed) as refusal:
            return f"Not done. {refusal}"
        except subprocess.CalledProcessError as error:
            return f"That failed: {error.stderr.strip()[-300:]}"
        except ValueError as error:
            return f"I cannot read that: {error}"

    def _run(self, words: list[str]) -> str:
        match words:
            case ["/clone", *options, url] if set(options) <= {"--force"}:
                return self._cloned(url, force=bool(options))
            case ["/reset"]:
                return self._forget(len(self._history) - 1) if len(self._history) > 1 else "There is nothing to reset."
            case ["/deploy", environment, commit]:
                return (self._to_production if environment == "production" else self._deploy)(environment, commit)
            case _:
                return "I know /clone [--force] URL, /reset and /deploy ENVIRONMENT COMMIT."

    def _cloned(self, url: str, *, force: bool) -> str:
        folder = self._workspace / Path(url).stem
        if not folder.exists():
            return _clone(url, str(folder))
        if not force:
            return f"{folder.name} is there already; /clone --force replaces it."
        return self._clone_over(url, str(folder))


def _clone(url: str, folder: str) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    _git("clone", "--quiet", "--", url, folder)
    return f"Cloned {Path(folder).name}."


def _what_is_only_there(folder: Path) -> str:
    """What would be lost with a clone, in words for a person."""
    try:
        changed = len(_git("-C", str(folder), "status", "--porcelain").splitlines())
        unpushed = len(_git("-C", str(folder), "rev-list", "--all", "--not", "--remotes").splitlines())
    except subprocess.CalledProcessError:
        return "it is no repository, so nothing of it is anywhere else"
    return f"{changed} changed files and {unpushed} commits that were never pushed"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Talk on the terminal."""
    gate = HumanLayer(contact_channels={"default": "web:inbox", "critical": "web:inbox"})
    bot = Bot(Path(sys.argv[1]), gate, lambda environment, commit: f"Deployed {commit} to {environment}.")
    for line in sys.stdin:
        sys.stdout.write(bot.handle(line.strip()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
