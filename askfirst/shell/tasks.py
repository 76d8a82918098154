"""Task files: the scripts of ``package.json`` and the recipes of a Makefile, as the shell text they come to. Pure."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field

from askfirst.shell.command import HOLE

_MAX_TASKS = 512
_DRY = frozenset({"-n", "--dry-run", "--just-print", "--recon", "-q", "--question", "--help", "--version"})
_RULE = re.compile(r"([^\s#:=][^:=#]*?)\s*::?(?!=)\s*([^;#]*)(?:;(.*))?")
_DEFINITION = re.compile(r"(?:export\s+|override\s+)?([A-Za-z_][\w.-]*)\s*(?:\?|:{1,3}|\+)?=\s*(.*)")
_REFERENCE = re.compile(r"\$(?:\(([^()$]*)\)|\{([^{}$]*)\}|([A-Za-z@<^*?+%]))")
_SHELL_CALL = re.compile(r"\$\(shell ([^()]*)\)")


def package_scripts(text: str, name: str) -> list[str]:
    """What ``npm run name`` runs: the script with its ``pre`` and ``post``; nothing when there is none."""
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        return []
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict):
        return []
    found = (scripts.get(prefix + name) for prefix in ("pre", "", "post"))
    return [one for one in found if isinstance(one, str)]


@dataclass(slots=True)
class Makefile:
    """A Makefile, as far as its text tells.

    Attributes:
        variables: name -> value, unexpanded.
        rules: target -> prerequisites and recipe lines, in order.
        eager: commands that run while the file is read.
    """

    variables: dict[str, str] = field(default_factory=dict)
    rules: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)
    eager: list[str] = field(default_factory=list)

    def recipes(self, targets: list[str]) -> list[str]:
        """The shell lines that making these targets runs (the first target when none is named)."""
        waiting = list(targets) or [name for name in self.rules if not name.startswith(".")][:1]
        seen: dict[str, None] = {}
        lines = list(self.eager)
        while waiting and len(seen) < _MAX_TASKS:
            target = waiting.pop(0)
            if target in seen or target not in self.rules:
                continue
            seen[target] = None
            needed, recipe = self.rules[target]
            waiting += needed
            lines += [self.expanded(line, target) for line in recipe]
        return lines

    def every_recipe(self) -> list[str]:
        """The shell lines of all targets."""
        return self.recipes(list(self.rules))

    def expanded(self, line: str, target: str = "") -> str:
        """A recipe line with its variables; what make computes is a ``HOLE``."""
        text = line.lstrip("@-+ \t").replace("$$", "\x00")
        for _ in range(4):
            text, count = _REFERENCE.subn(lambda match: self._value(match, target), text)
            if not count:
                break
        return text.replace("\x00", "$")

    def _value(self, match: re.Match[str], target: str) -> str:
        name = match[1] or match[2] or match[3] or ""
        if name == "@":
            return target
        if name in {"MAKE", "SHELL", "RM", "CURDIR"} and name not in self.variables:
            return {"MAKE": "make", "SHELL": "sh", "RM": "rm -f", "CURDIR": "."}[name]
        return self.variables.get(name, HOLE)


@dataclass(frozen=True, slots=True)
class MakeCall:
    """The command line of make: files, folders, targets, ``NAME=value``, ``--eval`` texts, whether nothing is run."""

    files: list[str]
    folders: list[str]
    targets: list[str]
    variables: dict[str, str]
    evals: list[str]
    is_dry: bool


def read_make_call(texts: list[str]) -> MakeCall:
    """What the words behind ``make`` say."""
    pairs = list(itertools.pairwise(texts))
    files = [text.removeprefix("-f") for text in texts if text.startswith("-f") and text != "-f"]
    files += [after for text, after in pairs if text in {"-f", "--file", "--makefile"}]
    folders = [after for text, after in pairs if text in {"-C", "--directory"}]
    given = (text.partition("=") for text in texts if not text.startswith("-"))
    variables = {name: value for name, is_set, value in given if is_set}
    taken = {*files, *folders}
    return MakeCall(
        files=files,
        folders=folders,
        targets=[text for text in texts if not text.startswith("-") and "=" not in text and text not in taken],
        variables=variables,
        evals=[text.partition("=")[2] for text in texts if text.startswith("--eval=")],
        is_dry=not _DRY.isdisjoint(texts),
    )


def read_makefile(text: str, overrides: dict[str, str]) -> Makefile:
    """The rules and variables in a Makefile's text; ``overrides`` come from make's command line."""
    found = Makefile()
    targets: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        found.eager += _SHELL_CALL.findall(line)
        if line.startswith("\t"):
            for target in targets:
                found.rules[target][1].append(line.strip())
            continue
        definition = _DEFINITION.fullmatch(line.strip())
        rule = _RULE.fullmatch(line.rstrip())
        if definition:
            found.variables[definition[1]] = definition[2].partition(" #")[0].strip()
        elif rule:
            targets = rule[1].split()
            for target in targets:
                needed, recipe = found.rules.setdefault(target, ([], []))
                needed += rule[2].split()
                recipe += [rule[3].strip()] if rule[3] else []
    found.variables |= overrides
    return found
