"""Programs in compiled languages: what a source does that is built and run, as far as its text is known.

Compiling is harmless. The built file is remembered as a script of its language where the source was written in this
session, so that running it is read; what a project's own sources do when they are built is nobody's concern.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.shell.streams import UNKNOWN, text_stream
from askfirst.shell.unwrap_table import PROGRAM_OF_SOURCE

if TYPE_CHECKING:
    from askfirst.shell.command import Stream, Word
    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

_MAX_SOURCES: Final = 8
COMPILERS: Final = ("gcc", "g++", "cc", "c++", "clang", "clang++", "rustc", "javac", "csc", "mcs")
SOURCE_RUNNERS: Final = ("go", "java", "rust-script", "dotnet", "dotnet-script", "csharp", "tcc")
_RUN_WORDS: Final = frozenset({"run", "script", "exec"})


def compile_sources(job: Job, run: Execute) -> Stream | None:
    """``gcc x.c -o x``, ``rustc x.rs``, ``javac X.java``: remembers what the built files would do."""
    words = job.argv[1:]
    named = next((words[at + 1].text for at, word in enumerate(words[:-1]) if word.text == "-o"), "")
    built: dict[str, str] = {}
    for source in _sources(words):
        content = run.evaluator.files.content(source, job.state)
        path = job.state.path(named or _built(source.text))
        if content.kind == "text" and path is not None:
            before = built.get(path, f"#!{PROGRAM_OF_SOURCE[_ending(source)]}\n")
            built[path] = f"{before}{content.text}\n"
    job.state.files.update({path: text_stream(text) for path, text in built.items()})
    return None


def _built(source: str) -> str:
    """What a compiler calls its output when it is not told."""
    stem, ending = posixpath.splitext(source)
    if ending == ".java":
        return f"{posixpath.basename(stem)}.class"
    if ending == ".cs":
        return f"{posixpath.basename(stem)}.exe"
    return posixpath.basename(stem) if ending == ".rs" else "a.out"


def run_source(job: Job, run: Execute) -> Stream | None:
    """``go run a.go b.go``, ``java Main.java``, ``java Main``, ``dotnet run x.cs``."""
    name = posixpath.basename(job.argv[0].text)
    words = [word for word in job.argv[1:] if not word.text.startswith("-")]
    if name == "java":
        sources = _sources(words[:1]) or _class(job, words)
    elif name in {"go", "dotnet"}:
        sources = _sources(words[1:]) if words and words[0].text in _RUN_WORDS else []
    else:
        sources = _sources(words)
    if not sources:
        return None
    run.evaluator.emit(job, runs=True)
    shown = f"{name} {words[0].text}" if words[0].text in _RUN_WORDS else name
    for source in sources:
        program = PROGRAM_OF_SOURCE[_ending(source)]
        run.inner(job, [replace(job.argv[0], text=program, shown=shown), source], shown)
    return UNKNOWN


def _class(job: Job, words: list[Word]) -> list[Word]:
    """The class that ``java`` is given, where it was built in this line."""
    candidates = (replace(word, text=f"{word.text.rpartition('.')[2]}.class") for word in words[-1:] + words[:2])
    known = (word for word in candidates if (path := job.state.path(word.text)) and path in job.state.files)
    return list(dict.fromkeys(known))[:1]


def _ending(word: Word) -> str:
    return posixpath.splitext(word.text)[1]


def _sources(words: list[Word]) -> list[Word]:
    return [word for word in words if _ending(word) in PROGRAM_OF_SOURCE and not word.glob][:_MAX_SOURCES]
