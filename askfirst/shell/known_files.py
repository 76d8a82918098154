"""What is known to be in files: written by this command or earlier in the session, or small scripts on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Stream, Word
from askfirst.shell.limits import MAX_SCRIPT_BYTES
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate, text_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.facts import Facts
    from askfirst.shell.state import State

_DISCARDED = "/dev/null"


@dataclass(slots=True)
class KnownFiles:
    """The files of one analysis.

    Attributes:
        facts: reads what is on the disk.
        scripts: absolute paths of files whose text was read to be run.
        sinks: paths that stand for ``>(…)`` -> what runs the script with what is written.
    """

    facts: Facts
    scripts: dict[str, None] = field(default_factory=dict)
    sinks: dict[str, Callable[[Stream, State], None]] = field(default_factory=dict)

    def content(self, word: Word, state: State) -> Stream:
        """What reading the file gives."""
        path = self.key(word.text, state)
        if path is None or word.glob:
            return UNKNOWN
        return NOTHING if path == _DISCARDED else self.at(path, state)

    def key(self, text: str, state: State) -> str | None:
        """The absolute path, or the text itself where a part is unknown: ``$d/x`` twice is one file."""
        path = state.path(text)
        return text if path is None and HOLE in text and len(text) > len(HOLE) else path

    def at(self, path: str, state: State) -> Stream:
        """What is known to be at an absolute path; a ``file`` stream when it can only be on the disk."""
        return state.files.get(path, UNKNOWN if HOLE in path else Stream(kind="file", text=path))

    def read(self, stream: Stream) -> Stream:
        """A ``file`` stream as its text, when it is small and can be read."""
        if stream.kind != "file":
            return stream
        data = self.facts.read_script(stream.text, MAX_SCRIPT_BYTES)
        if not isinstance(data, bytes) or b"\0" in data:
            return stream
        self.scripts[stream.text] = None
        return text_stream(data.decode("utf-8", "replace").replace(HOLE, "\ufffd"))

    def store(self, word: Word, stream: Stream, state: State, *, append: bool = False) -> None:
        """The file gets this content."""
        sink = self.sinks.get(word.text)
        if sink is not None:
            sink(stream, state)
            return
        path = self.key(word.text, state)
        if path is None or path.startswith("/dev/"):
            return
        if append:
            before = self.at(path, state)
            stream = stream if before.kind == "file" or before is UNKNOWN else concatenate([before, stream])
        state.files[path] = Stream(kind="text") if stream.kind == "none" else stream

    def drain(self, words: list[Word], stream: Stream, state: State) -> None:
        """A program that got ``>(…)`` as an argument writes its output there."""
        for word in words:
            if word.text in self.sinks:
                self.store(word, stream, state)
