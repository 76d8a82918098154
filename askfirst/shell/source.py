"""Shell text made fit for the parser, with a way back to the text that the host sent.

One linear pass, no backtracking, no recursion, does what tree-sitter-bash gets wrong (0.25.1):

- a backslash before a newline is taken out (it would split a word in two);
- the bodies of here-documents are cut out, each operator becomes a redirection from a placeholder file;
- ``<<<word`` becomes a redirection from a marked word, ``<>`` a marked target;
- the end of every quote, substitution and parenthesis is noted, so that nothing has to be searched twice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from askfirst.shell.command import HOLE
from askfirst.shell.limits import MAX_OPEN, MAX_SPECIAL, LimitError

HEREDOC, HEREDOC_END = "\ue000", "\ue001"
"""``<\\ue0000\\ue001`` reads here-document number 0."""
HERESTRING = "\ue002"
READ_WRITE = "\ue003"
NETWORK, DECODED = "\ue010", "\ue011"
"""Behind a ``HOLE``: the unknown text was downloaded, or came out of a decoder. Only seen inside the engine."""
_STRANGE = re.compile("[\ue000-\ue00f\ud800-\udfff]")
_MARKS = re.compile(f"[{HOLE}\ue010\ue011]")
_DELIMITER = re.compile(r"<<(-?)[ \t]*((?:\\.|'[^']*'|\"[^\"]*\"|[^\s;&|<>()'\"\\`])+)")
_ANSI_C = re.compile(r"\$'(?:[^'\\]|\\.)*'?", re.DOTALL)
_PLAIN = re.compile(r"(?:[^\\'\"`$()<>#\n}\]ce]|(?<=[A-Za-z0-9_./=-])[ce])+")
_CASE_POSITION = re.compile(r"(?:^|[;&|({\n`]|\b(?:do|then|else|if|while|until))\s*$")
_CONTINUATION = re.compile(r"(\\\\)|\\\n")
_BOUNDARY = frozenset(" \t\n\r;&|()<>`")


@dataclass(frozen=True, slots=True)
class Heredoc:
    """The body of a here-document; ``quoted``: the shell expands nothing in it."""

    body: str
    quoted: bool


@dataclass(slots=True)
class Source:
    """Prepared shell text.

    Attributes:
        code: what the parser reads.
        ends: index of an opening character in ``code`` -> index behind the closing one.
        heredocs: bodies, by the number in the placeholder.
        closed: false when a quote, substitution or parenthesis is not closed.
    """

    code: str = ""
    ends: dict[int, int] = field(default_factory=dict)
    heredocs: list[Heredoc] = field(default_factory=list)
    closed: bool = True
    breaks: list[int] = field(default_factory=lambda: [0])
    shifts: list[int] = field(default_factory=lambda: [0])

    def original(self, index: int) -> int:
        """The offset in the prepared text's original that ``index`` in ``code`` came from."""
        return index + self.shifts[bisect_right(self.breaks, index) - 1]


@dataclass(slots=True)
class _Frame:
    """An open construct: c(ommands), d(ouble quotes), h(ere-document), b(races of a parameter), a(rithmetic)."""

    mode: str
    closer: str
    start: int
    cases: int = 0


def prepare(text: str, *, heredoc: bool = False, inner: bool = False) -> Source:
    """The prepared form of ``text``, whatever it holds.

    Args:
        text: a script, or with ``heredoc`` the body of a here-document whose substitutions are to be found.
        heredoc: quotes are plain characters.
        inner: the text is a result of our own expansion, so holes in it are ours.

    Raises:
        LimitError: too much is open at once in it.
    """
    if not text.isascii():
        text = _STRANGE.sub("\ufffd", text if inner else _MARKS.sub("\ufffd", text))
    return _Pass(text, "h" if heredoc else "c").run()


class _Pass:
    """The one pass over a text."""

    def __init__(self, text: str, mode: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.source = Source()
        self.stack = [_Frame(mode, "", 0)]
        self.pending: list[tuple[str, bool, int]] = []
        self.word_start = True

    def run(self) -> Source:
        text, end = self.text, len(self.text)
        special = 0
        while self.at < end:
            char = text[self.at]
            match = _PLAIN.match(text, self.at)
            if match:
                self.word_start = match.group()[-1] in _BOUNDARY
                self._copy(match.end())
                continue
            special += 1
            if special > MAX_SPECIAL:
                raise LimitError("it has too many special characters")
            if not self._step(char):
                self._copy(self.at + 1)
                self.word_start = char in _BOUNDARY
        for frame in self.stack[1:]:
            self.source.ends.setdefault(frame.start, self.size)
            self.source.closed = False
        self.source.code = "".join(self.out)
        return self.source

    def _copy(self, end: int) -> None:
        self._emit(self.text[self.at : end], end)

    def _emit(self, piece: str, end: int) -> None:
        """Write ``piece`` for the text up to ``end``; note where offsets begin to differ."""
        self.out.append(piece)
        self.size += len(piece)
        self.at = end
        shift = end - self.size
        if shift != self.source.shifts[-1]:
            self.source.breaks.append(self.size)
            self.source.shifts.append(shift)

    def _step(self, char: str) -> bool:
        """Handle a character that may open, close or change something; whether it was taken."""
        frame = self.stack[-1]
        if char == "\\":
            return self._backslash()
        if char == frame.closer:
            return self._close(frame)
        if char == '"' and frame.mode != "h":
            return self._open("d", '"', 1)
        if char == "`":
            return self._open("c", "`", 1)
        if char == "$":
            return self._dollar()
        if char == "'" and not self._in_quotes():
            return self._single()
        return frame.mode in "ca" and self._command_step(char, frame)

    def _command_step(self, char: str, frame: _Frame) -> bool:
        if char == "(":
            arithmetic = frame.mode == "a" or self.text.startswith("((", self.at)
            return self._open("a" if arithmetic else "c", ")", 1)
        if char in "ce":
            return self._word(frame)
        if frame.mode == "a":
            return False
        if char == "<":
            return self._less()
        if char == ">" and self.text.startswith(">(", self.at):
            return self._open("c", ")", 2)
        if char == "#" and self.word_start:
            end = self.text.find("\n", self.at)
            self._copy(len(self.text) if end < 0 else end)
            return True
        if char == "\n":
            return self._newline()
        return False

    def _in_quotes(self) -> bool:
        """Whether single quotes are plain: in double quotes and arithmetic, also in a ``${`` there."""
        mode = next((frame.mode for frame in reversed(self.stack) if frame.mode != "b"), "c")
        return mode in "dha"

    def _open(self, mode: str, closer: str, length: int) -> bool:
        if len(self.stack) > MAX_OPEN:
            raise LimitError("too many quotes and parentheses are open in it")
        self.stack.append(_Frame(mode, closer, self.size))
        self._copy(self.at + length)
        self.word_start = True
        return True

    def _close(self, frame: _Frame) -> bool:
        if frame.cases and frame.closer == ")":
            return False  # the end of a pattern of `case`, not of the substitution around it
        self._copy(self.at + 1)
        self.stack.pop()
        self.source.ends[frame.start] = self.size
        self.word_start = frame.closer == ")"
        return True

    def _backslash(self) -> bool:
        if self.text.startswith("\\\n", self.at):
            self._emit("", self.at + 2)
            return True
        self._copy(min(self.at + 2, len(self.text)))
        self.word_start = False
        return True

    def _dollar(self) -> bool:
        following = self.text[self.at + 1 : self.at + 3]
        if following == "((":
            self.stack.append(_Frame("a", ")", self.size))
            self._copy(self.at + 2)
            return True
        if following.startswith("("):
            return self._open("c", ")", 2)
        if following.startswith("{"):
            return self._open("b", "}", 2)
        if following.startswith("["):
            return self._open("a", "]", 2)
        if following.startswith("'") and not self._in_quotes():
            match = _ANSI_C.match(self.text, self.at)
            end = match.end() if match else self.at + 1
            self.source.ends[self.size] = self.size + end - self.at
            self._copy(end)
            self.word_start = False
            return True
        return False

    def _single(self) -> bool:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.source.closed = False
        stop = len(self.text) if end < 0 else end + 1
        self.source.ends[self.size] = self.size + stop - self.at
        self._copy(stop)
        self.word_start = False
        return True

    def _word(self, frame: _Frame) -> bool:
        """Count ``case`` and ``esac`` inside parentheses, where ``)`` may end a pattern."""
        word = self.text[self.at : self.at + 4]
        boundary = self.word_start and self.text[self.at + 4 : self.at + 5] in {"", *_BOUNDARY}
        if frame.closer != ")" or not boundary or word not in {"case", "esac"}:
            return False
        if word == "esac":
            frame.cases = max(0, frame.cases - 1)
        elif _CASE_POSITION.search(self.text[max(0, self.at - 12) : self.at]):
            frame.cases += 1
        return False

    def _less(self) -> bool:
        text, at = self.text, self.at
        if text.startswith("<<<", at):
            end = at + 3
            while end < len(text) and text[end] in " \t":
                end += 1
            self._emit("<" + HERESTRING, end)
        elif text.startswith("<(", at):
            return self._open("c", ")", 2)
        elif text.startswith("<>", at):
            self._emit("<" + READ_WRITE, at + 2)
        elif match := _DELIMITER.match(text, at):
            quoted = bool(re.search(r"[\\'\"]", match[2]))
            delimiter = re.sub(r"\\(.)|['\"]", r"\1", match[2])
            self.pending.append((delimiter, quoted, len(match[1])))
            number = len(self.source.heredocs)
            self.source.heredocs.append(Heredoc("", quoted))
            self._emit(f"<{HEREDOC}{number}{HEREDOC_END}", match.end())
        else:
            return False
        self.word_start = False
        return True

    def _newline(self) -> bool:
        self._copy(self.at + 1)
        self.word_start = True
        first = len(self.source.heredocs) - len(self.pending)
        for number, (delimiter, quoted, tabs) in enumerate(self.pending, first):
            body, end = _body(self.text, self.at, delimiter, strip_tabs=bool(tabs))
            if not quoted:
                body = _CONTINUATION.sub(lambda match: match[1] or "", body)
            self.source.heredocs[number] = Heredoc(body, quoted)
            self._emit("", end)
        self.pending.clear()
        return True


def _body(text: str, start: int, delimiter: str, *, strip_tabs: bool) -> tuple[str, int]:
    """The body of a here-document that begins at ``start``, and the offset behind its last line."""
    tabs = r"\t*" if strip_tabs else ""
    last = re.compile(rf"^{tabs}{re.escape(delimiter)}\r?$\n?|^{tabs}{re.escape(delimiter)}(?=[ \t]*\))", re.MULTILINE)
    match = last.search(text, start)
    body, end = (text[start:], len(text)) if match is None else (text[start : match.start()], match.end())
    return (re.sub(r"^\t+", "", body, flags=re.MULTILINE) if strip_tabs else body), end
