"""Who calls: host, session and place, so that the hook of the same session finds the grant of its own action.

A host says it in the environment of the server that it starts, or in ``_meta`` of each call. All of it is the host's
word. A caller whose session is not known is looked for among what hooks have seen (``askfirst.sightings``), else known
by its folder, so that it finds its requests again when it restarts.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CHARS = 200
UNKNOWN = "mcp"
"""The host of a caller that nobody knows."""
_SESSIONS = (("CLAUDE_CODE_SESSION_ID", "claude-code"), ("GEMINI_SESSION_ID", "gemini"))
_FOLDERS = ("CLAUDE_PROJECT_DIR", "GEMINI_PROJECT_DIR")


class Caller(NamedTuple):
    """One client.

    Attributes:
        host: registry name of its host, ``mcp`` when unknown.
        session: the host's session id.
        cwd: where its commands run unless they say otherwise, ``""`` when unknown.
        model: as far as the host says, else ``""``.
    """

    host: str
    session: str
    cwd: str = ""
    model: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether the client did not say for which session it calls."""
        return self.host == UNKNOWN


def from_environment(environ: Mapping[str, str]) -> Caller:
    """The host that started this process."""
    cwd = next((environ[name] for name in _FOLDERS if environ.get(name)), "") or os.getcwd()  # noqa: PTH109  # pathlib costs a start
    for variable, host in _SESSIONS:
        if environ.get(variable):
            return Caller(host, environ[variable][:MAX_CHARS], cwd)
    return Caller(UNKNOWN, f"folder-{hashlib.sha256(os.fsencode(cwd)).hexdigest()[:16]}", cwd)


def from_meta(known: Caller, meta: Mapping[str, Any]) -> Caller:
    """The same caller as this call's ``_meta`` describes it. From: Codex 0.169, ``x-codex-turn-metadata``."""
    turn = meta.get("x-codex-turn-metadata")
    if not isinstance(turn, dict) or not isinstance(turn.get("session_id"), str):
        return known
    model = turn.get("model")
    named = model[:MAX_CHARS] if isinstance(model, str) else ""
    return Caller("codex", turn["session_id"][:MAX_CHARS], known.cwd, named)
