"""Tasks that a runner is told by name, where the name says what they do: ``bazel run //infra:destroy``, ``nx deploy``.

What a task comes to stands in files that are not read here (``askfirst.shell.programs`` reads those of make, npm,
just and go-task), so its name is all there is to go by: ``opaque.sounds_grave`` judges it as it does a script's.
Runners whose tasks are plain words have data rules instead (``deploy.task``, ``deploy.make``, ``deploy.npm-script``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from askfirst.shell.command import HOLE
from askfirst.shell.found import effect_of
from askfirst.shell.opaque import only_tells, sounds_grave

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command


class _Row(NamedTuple):
    """Where runners are told a task.

    Attributes:
        path: subcommands that may come first, each as its words; one of no words: none has to.
        options: options whose values are tasks, with ``,`` between them.
        operands: words behind the subcommand that are tasks.
        values: options that take the next word.
        label: what tells the place of the task ends in this letter.
        is_marked: words without the letter or a path are values of options, of which there are too many to list.
        is_file: a word that is a file is read, or is a program of its own, and is judged as such.
    """

    path: tuple[tuple[str, ...], ...] = ((),)
    options: frozenset[str] = frozenset()
    operands: int = 0
    values: frozenset[str] = frozenset()
    label: str = ""
    is_marked: bool = False
    is_file: bool = False


def _path(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(alternative.split()) for alternative in text.split("|"))


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EVERY: Final = 64
_PYTHON_VALUES: Final = _set(
    "--with --with-editable --with-requirements --python -p --group --extra --only-group --package --env-file --index"
    " --directory --project -e --env --environment -C -P"
)
_ROWS: Final = (
    (
        "bazel bazelisk ibazel buck buck2 plz please pants",
        _Row(_path("run"), operands=_EVERY, label=":", is_marked=True),
    ),
    ("nx", _Row(_path("run"), operands=1, label=":")),
    ("nx", _Row(_path("run-many|affected"), options=_set("-t --target --targets"))),
    ("nx", _Row(operands=1)),
    (
        "uv poetry pipenv pdm rye hatch pixi",
        _Row(_path("run|env run"), operands=1, values=_PYTHON_VALUES, is_file=True),
    ),
    ("bundle", _Row(_path("exec"), operands=1, is_file=True)),
    (
        "devbox lerna melos mise rtx",
        _Row(_path("run|r|tasks run|task run"), operands=1, values=_set("-C --cd -E --env -c --config -e")),
    ),
    ("composer", _Row(_path("run|run-script|"), operands=1, values=_set("-d --working-dir"))),
    ("mix bb rushx", _Row(operands=1, is_file=True)),
    ("mix", _Row(_path("run"), operands=1)),
    ("bb deno", _Row(_path("run|task"), operands=1, values=_set("-c --config --cwd"), is_file=True)),
    ("cargo", _Row(_path("make|xtask"), operands=1, values=_set("-p --profile -e --env --makefile"))),
    ("cargo", _Row(_path("run|r"), options=_set("--bin --example -p --package"))),
    ("go", _Row(_path("run"), operands=1, values=_set("-C -exec -mod -modfile -tags"))),
    ("swift cabal stack", _Row(_path("run|exec"), operands=1, values=_set("-c --package-path"), label=":")),
    ("dotnet", _Row(_path("run"), options=_set("--project"))),
    ("dotnet", _Row(_path("cake"), options=_set("--target -t"))),
    ("ninja samu", _Row(operands=_EVERY, values=_set("-C -f -j -k -l -d -t -w"))),
    ("cmake", _Row(options=_set("--target -t"))),
    ("tox nox", _Row(options=_set("-e -s --session --sessions"))),
    ("earthly", _Row(operands=_EVERY, label="+", is_marked=True)),
)
"""Programs, and where they are told a task. From: their manuals."""
_BY_NAME: Final = {
    name: tuple(row for names, row in _ROWS if name in names.split()) for names, _ in _ROWS for name in names.split()
}
TASK_RUNNERS: Final = frozenset(_BY_NAME)
"""Programs that ``task_effects`` knows."""
_PIECES: Final = re.compile(r"[a-z0-9]+")
_APPLIES: Final = tuple(f"{mark}apply" for mark in ".-_:")
"""Ends of tasks that change what runs somewhere: ``prod.apply`` of rules_k8s, ``tf-apply``."""
_PUSHED: Final = _set("container docker image images oci prod production registry")
_FILE: Final = re.compile(r".*/.*|.*\.(?:py|exs?|clj|sh|ts|js|mjs)", re.DOTALL)


def task_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of running a task that is called by a deed."""
    texts = [word.text for word in command.args]
    told = (name for row in _BY_NAME.get(command.program, ()) for name in _tasks(row, texts))
    name = next(filter(is_deed, told), "")
    if name and not only_tells(texts):
        yield effect_of(rules, "deploy.named-task", command, target=name)


def is_deed(task: str) -> bool:
    """Whether the task's name says that it deploys, publishes or destroys.

    A task *release* is most of the time a build with optimisation: what its name says beside that counts.
    """
    if HOLE in task:
        return False
    said = task.lower().replace("release", "")
    pieces = set(_PIECES.findall(said))
    return sounds_grave(said) or said.endswith(_APPLIES) or ("push" in pieces and not pieces.isdisjoint(_PUSHED))


def _tasks(row: _Row, texts: Sequence[str]) -> Iterator[str]:
    """The names of the tasks in the arguments, without what tells their place."""
    words = list(_words(row, texts))
    skipped = next((len(path) for path in row.path if tuple(words[: len(path)]) == path), None)
    if skipped is None:
        return
    if row.options:
        yield from (name for value in _values(row, texts) for name in re.split(r"[,;]", value))
        return
    for word in words[skipped : skipped + row.operands]:
        if row.is_marked and row.label not in word and "/" not in word:
            continue
        if not (row.is_file and _FILE.fullmatch(word)):
            place, mark, name = word.partition(row.label) if row.label else ("", "", word)
            yield name if mark or not row.label else place.rstrip("/")


def _words(row: _Row, texts: Iterable[str]) -> Iterator[str]:
    """The words that are no options and no values of such, up to ``--``."""
    waiting = iter(texts)
    for text in waiting:
        if text == "--":
            return
        if text in row.values or text in row.options:
            next(waiting, None)
        elif not text.startswith("-"):
            yield text


def _values(row: _Row, texts: Sequence[str]) -> Iterator[str]:
    """What the options of the row are given, also behind ``=`` or stuck to a letter."""
    for at, text in enumerate(texts):
        name, equals, value = text.partition("=")
        if name in row.options:
            yield value if equals else "".join(texts[at + 1 : at + 2])
        elif text[:2] in row.options and not text.startswith("--"):
            yield text[2:]
