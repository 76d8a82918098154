"""The recipes in a justfile and in a Taskfile (go-task), as the shell text they come to. Pure.

Neither format is read in full: headers, dependencies, variables and the lines of commands are told by their shape;
what a template computes is a ``HOLE``.
"""

from __future__ import annotations

import re

from askfirst.shell.command import HOLE

_MAX_TASKS = 256
_JUST_HEADER = re.compile(r"@?([A-Za-z_][\w-]*)((?:\s+[^:]*?)?)\s*:(?!=)\s*([^#]*)")
_JUST_VARIABLE = re.compile(r"(?:export\s+)?([A-Za-z_][\w-]*)\s*:=\s*[\"']([^\"']*)[\"']\s*")
_TEMPLATE = re.compile(r"\{\{\s*(\.?[\w-]*)[^}]*\}\}")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_TASK = re.compile(r"(?:- )?task:\s*([\w:.-]+)")
_OTHER_KEY = re.compile(r"(?!cmds?:|defer:|sh:)[a-z_]+:(?:\s|$)")
_TASK_COMMAND = re.compile(r"(?:-\s+)?(?:(?:cmd|defer|cmds|sh):\s*)?(.+)")


def just_recipes(text: str, names: list[str]) -> list[str]:
    """The shell texts that ``just names`` runs; the first recipe when none is named."""
    variables: dict[str, str] = {}
    needed: dict[str, list[str]] = {}
    bodies: dict[str, list[str]] = {}
    current = ""
    for line in text.replace("\\\n", " ").splitlines():
        if line[:1] in {" ", "\t"}:
            if current:
                bodies[current].append(line.strip())
            continue
        variable, header = _JUST_VARIABLE.fullmatch(line), _JUST_HEADER.fullmatch(line)
        if variable:
            variables[variable[1]] = variable[2]
        elif header:
            current = header[1]
            needed[current], bodies[current] = _WORD.findall(header[3]), []
    wanted = [name for name in names if name in bodies] or list(bodies)[:1]
    return [
        _filled(each, variables) for name in _with_needed(wanted, needed) for each in _scripts(bodies.get(name, []))
    ]


def _scripts(lines: list[str]) -> list[str]:
    """The lines one by one; with ``#!`` in front all as one script, where that is one for a shell."""
    if lines and lines[0].startswith("#!"):
        return ["\n".join(lines[1:])] if lines[0].rstrip().endswith("sh") else []
    return [line.lstrip("@-") for line in lines if not line.startswith("#")]


def _with_needed(names: list[str], needed: dict[str, list[str]]) -> list[str]:
    waiting, seen = list(names), dict[str, None]()
    while waiting and len(seen) < _MAX_TASKS:
        name = waiting.pop(0)
        if name not in seen:
            seen[name] = None
            waiting += needed.get(name, [])
    return list(seen)


def _filled(text: str, variables: dict[str, str]) -> str:
    return _TEMPLATE.sub(lambda match: variables.get(match[1].lstrip("."), HOLE), text)


def task_recipes(text: str, names: list[str]) -> list[str]:
    """The shell texts that ``task names`` runs; those of ``default`` when none is named."""
    needed: dict[str, list[str]] = {}
    bodies: dict[str, list[str]] = {}
    variables: dict[str, str] = {}
    current, depth, inside = "", 0, False
    for line in text.splitlines():
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped or stripped.startswith("#"):
            continue
        if not indent:
            inside, current, depth = stripped.startswith("tasks:"), "", 0
        elif inside and (not depth or indent == depth):
            depth, current = indent, stripped.partition(":")[0].strip("\"'")
            bodies[current], needed[current] = [], []
            _add(stripped.partition(":")[2].strip(), bodies[current], needed[current])
        elif inside and current:
            _add(stripped, bodies[current], needed[current])
        else:
            name, _, value = stripped.partition(":")
            variables[name] = value.strip().strip("\"'")
    wanted = [name for name in names if name in bodies] or [name for name in ("default",) if name in bodies]
    return [_filled(each, variables) for name in _with_needed(wanted, needed) for each in bodies.get(name, [])]


def _add(line: str, body: list[str], needed: list[str]) -> None:
    """One line of a task: a command, or the name of another task; keys of other kinds are no commands."""
    if match := _TASK.match(line):
        needed.append(match[1])
    elif line.startswith("deps:"):
        needed += _WORD.findall(line[5:])
    elif (
        not _OTHER_KEY.match(line)
        and line not in {"cmds:", "cmd:", "|", ">", "- |", "- >"}
        and (match := _TASK_COMMAND.fullmatch(line))
    ):
        text = match[1]
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
        body.append(text[1:-1] if quoted else text)
