"""Where an action would run, looked up on the disk: the part of its digest that the agent does not say.

Read-only, and no program of the repository is run: HEAD is read from the files of ``.git``.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import git

from askfirst.request import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.call import ToolCall
    from askfirst.host import Agent

UNREADABLE = "unreadable"


def resolve(call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
    """The complete action of a call as the disk stands now; of one on another machine, as that one says."""
    if call.sight is not None:
        return Action(
            tool=call.tool,
            arguments=call.acting_arguments,
            cwd=call.sight.cwd,
            host=agent.host,
            session=agent.session,
            head=call.sight.head,
            files={path: call.sight.files.get(path, UNREADABLE) for path in sorted(set(scripts))},
            machine=call.sight.machine,
        )
    cwd = os.path.realpath(call.cwd) if call.cwd else ""
    return Action(
        tool=call.tool,
        arguments=call.acting_arguments,
        cwd=cwd,
        host=agent.host,
        session=agent.session,
        head=head_of(cwd),
        files={path: _sha256(Path(path)) for path in sorted(set(scripts))},
    )


def head_of(cwd: str) -> str:
    """Commit id of HEAD, ``""`` outside a repository or before its first commit."""
    if not cwd:
        return ""
    try:
        with git.Repo(cwd, search_parent_directories=True) as repository:
            head = repository.head  # its commit is not looked up: that would start a git process, while a hook waits
            return head.dereference_recursive(repository, head.path)
    except (git.GitError, ValueError, OSError):
        return ""


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return UNREADABLE
