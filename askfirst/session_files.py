"""What a session has written, by its file tools or its shell, so that a script which it runs afterwards can be read.

Bounded: the oldest sessions, and the oldest files of a session, are forgotten; what is forgotten is read from the disk.
"""

from __future__ import annotations

import posixpath
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.call import ToolCall

_SESSIONS_MAX = 64
_FILES_MAX = 128
_FILE_MAX_CHARS = 262_144


class SessionFiles:
    """Paths and texts by session; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, OrderedDict[str, str]] = OrderedDict()
        self._made: OrderedDict[str, OrderedDict[str, str]] = OrderedDict()

    @staticmethod
    def path_of(call: ToolCall) -> str:
        """The file that a file tool's call is about, absolute; ``""`` when it names none."""
        path = call.arguments.get("file_path") or call.arguments.get("notebook_path")
        return posixpath.normpath(posixpath.join(call.cwd, path)) if isinstance(path, str) and path else ""

    def remember(self, call: ToolCall, *, existed: bool) -> None:
        """Note what a ``Write`` would put where; an ``Edit`` changes what is known, or makes it unknown.

        Args:
            call: of a file tool.
            existed: whether the file was there before; one that was not is the session's own.
        """
        path = self.path_of(call)
        if call.session and path:
            self.write(call.session, path, _after(call, self.of(call.session).get(path)), existed=existed)

    def write(self, session: str, path: str, text: str | None, *, existed: bool) -> None:
        """Note that a session writes this text, or one that is not known (None), to an absolute path."""
        with self._lock:
            if not existed:
                made = self._made.setdefault(session, OrderedDict())
                made[path] = ""
                _drop(made, _FILES_MAX)
                _drop(self._made, _SESSIONS_MAX)
            files = self._sessions.setdefault(session, OrderedDict())
            self._sessions.move_to_end(session)
            files.pop(path, None)
            if text is not None and len(text) <= _FILE_MAX_CHARS:
                files[path] = text
            _drop(files, _FILES_MAX)
            _drop(self._sessions, _SESSIONS_MAX)

    def of(self, session: str) -> Mapping[str, str]:
        """Absolute path -> text of what this session wrote."""
        with self._lock:
            return dict(self._sessions.get(session, {}))

    def made_by(self, session: str) -> frozenset[str]:
        """Files that were not there before this session wrote them, absolute."""
        with self._lock:
            return frozenset(self._made.get(session, ()))


def _after(call: ToolCall, before: str | None) -> str | None:
    content = call.arguments.get("content")
    if call.tool == "Write":
        return content if isinstance(content, str) else None
    old, new = call.arguments.get("old_string"), call.arguments.get("new_string")
    if call.tool == "Edit" and before is not None and isinstance(old, str) and isinstance(new, str):
        return before.replace(old, new, -1 if call.arguments.get("replace_all") is True else 1)
    return None


def _drop(kept: OrderedDict[str, str] | OrderedDict[str, OrderedDict[str, str]], limit: int) -> None:
    while len(kept) > limit:
        kept.popitem(last=False)
