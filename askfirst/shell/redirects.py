"""Redirections: what standard input becomes, and where standard output goes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Redirect, Word
from askfirst.shell.limits import MAX_REDIRECTS, LimitError
from askfirst.shell.source import HEREDOC, HEREDOC_END, HERESTRING, READ_WRITE, prepare
from askfirst.shell.streams import NOTHING, text_stream

if TYPE_CHECKING:
    from askfirst.shell.command import Stream
    from askfirst.shell.evaluate import Evaluator
    from askfirst.shell.expand import Expander
    from askfirst.shell.job import Job, Scope
    from askfirst.shell.state import State
    from askfirst.shell.syntax import Redirection

_SOCKET = re.compile(r"/dev/(?:tcp|udp)/([^/]++)/([^/]++)")
"""A connection that bash opens: what is written there is sent as ``nc`` sends it."""
_WRITES = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})


def resolve(
    evaluator: Evaluator, redirections: tuple[Redirection, ...], scope: Scope
) -> tuple[tuple[Redirect, ...], Stream]:
    """The redirections with expanded targets, here-documents left out, and what standard input then is."""
    stdin = scope.stdin
    if not redirections:
        return (), stdin
    if len(redirections) > MAX_REDIRECTS:
        raise LimitError(f"one command has more than {MAX_REDIRECTS} redirections")
    out: list[Redirect] = []
    expander = evaluator.expander(scope)
    for one in redirections:
        start, end = one.target
        raw = scope.source.code[start:end]
        if raw.startswith((HEREDOC, HERESTRING)) and one.operator == "<":
            stdin = _opened(one.fd, _literal(evaluator, raw, start, end, scope, expander), stdin, scope.state)
        elif raw.startswith(READ_WRITE):
            out.append(Redirect(operator="<>", target=expander.word((start + 1, end)), fd=max(one.fd, 0)))
        else:
            target = expander.word(one.target)
            fd = one.fd if one.fd >= 0 else 0 if one.operator.startswith("<") else 1
            out.append(Redirect(operator=one.operator, target=target, fd=fd))
            if one.operator == "<":
                stdin = _opened(fd, evaluator.files.content(target, scope.state), stdin, scope.state)
            elif one.operator == "<&" and fd == 0:
                stdin = scope.state.files.get(f"/dev/fd/{target.text}", stdin)
    return tuple(out), stdin


def _opened(fd: int, content: Stream, stdin: Stream, state: State) -> Stream:
    """What standard input is after this content was opened as ``fd`` for reading."""
    if fd <= 0:
        return content
    state.files[f"/dev/fd/{fd}"] = content
    return stdin


def _literal(  # the parts of one redirection
    evaluator: Evaluator, raw: str, start: int, end: int, scope: Scope, expander: Expander
) -> Stream:
    """The text of a here-string or here-document."""
    if raw.startswith(HERESTRING):
        word = expander.word((start + 1, end))
        if word.content_of:
            return evaluator.files.content(Word(text=word.content_of), scope.state)
        return text_stream(word.text + "\n")
    number = raw[1 : raw.index(HEREDOC_END)] if HEREDOC_END in raw else ""
    if not number.isdecimal() or int(number) >= len(scope.source.heredocs):
        return text_stream(HOLE)
    heredoc = scope.source.heredocs[int(number)]
    if heredoc.quoted or not any(char in heredoc.body for char in "$`\\"):
        return text_stream(heredoc.body)
    inner = prepare(heredoc.body, heredoc=True, inner=True)
    place = replace(scope.place, base=None, span=(scope.locate((start - 1, end))[0], scope.locate((end, end + 1))[0]))
    body = evaluator.expander(replace(scope, source=inner, place=place)).text((0, len(inner.code)), quoted=True)
    return text_stream(body)


def send(evaluator: Evaluator, job: Job, stream: Stream) -> Stream:
    """Put what the job printed where its redirections send it; what is left for the pipe."""
    for one in job.redirects:
        if one.operator not in _WRITES or one.fd != 1:
            continue
        if one.operator == ">&" and (one.target.text.isdecimal() or one.target.text == "-"):
            continue
        if stream.kind != "none" and (peer := _SOCKET.fullmatch(one.target.text)):
            words = [Word(text=text, shown=text, span=one.target.span) for text in ("nc", peer[1], peer[2])]
            evaluator.emit(replace(job, argv=words, stdin=stream, env={}, redirects=()), runs=False)
        evaluator.files.store(one.target, stream, job.state, append=one.operator.endswith(">>"))
        stream = NOTHING
    return stream
