"""Rule packs from their TOML files, strictly: what is not in the schema is refused.

The packs come with the program, so a pack that cannot be used is a bug of ours or of whoever changed the file; either
way nothing may run on half the rules, and the whole load fails.
"""

from __future__ import annotations

import difflib
import string
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from askfirst.effects import EffectKind, Risk
from askfirst.errors import ConfigError
from askfirst.rules.patterns import ANY_DEPTH, END
from askfirst.rules.schema import Pack, Program, Rule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_T = TypeVar("_T")

_MATCHING: Final = (
    "subcommand",
    "operands",
    "any_operand",
    "not_operand",
    "options_any",
    "options_all",
    "options_none",
    "stdin",
)
_PROGRAM_KEYS: Final = ("aliases", "value_options", "help_options", "dry_run", "harmless", "runs", "passes_on")
_RULE_KEYS: Final = (
    "id",
    "kind",
    "risk",
    "reversible",
    "loss",
    "suggestion",
    "program",
    *_MATCHING,
    "handler",
    "gate",
    "allow",
)
VALUES: Final = frozenset({"program", "subcommand", "operands", *(f"operand{number}" for number in range(1, 10))})
"""What the braces of a data rule may name."""


def sources() -> dict[str, str]:
    """The text of every pack that comes with the program, by the name of its file."""
    folder = Path(__file__).parent / "packs"
    return {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.toml"))}


def packs(texts: Mapping[str, str]) -> tuple[Pack, ...]:
    """The packs in these texts, by file name.

    Raises:
        ConfigError: one of them breaks the schema, or two rules share an id.
    """
    found = tuple(pack(text, name.removesuffix(".toml")) for name, text in texts.items())
    require_consistent(found)
    return found


def pack(text: str, name: str) -> Pack:
    """The pack in this TOML text, which must call itself ``name``.

    Raises:
        ConfigError: it is no TOML or breaks the schema; the message names the file, the place and what was expected.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}.toml: {error}") from error
    top = _Table(document, f"{name}.toml", ("pack", "programs", "rules"))
    head = _Table(top.get("pack", dict, {}), f"{name}.toml [pack]", ("id", "title", "enabled"))
    if head.get("id", str) != name:
        raise ConfigError(f"{name}.toml: the pack calls itself {head.get('id', str)!r}, expected {name!r}")
    programs = top.get("programs", dict, {})
    return Pack(
        id=name,
        title=head.get("title", str),
        enabled=head.get("enabled", bool, True),
        programs=tuple(_program(key, value, f"{name}.toml [programs.{key}]") for key, value in programs.items()),
        rules=tuple(_rule(value, name) for value in top.get("rules", list, [])),
    )


def require_consistent(found: Iterable[Pack]) -> None:
    """Refuse packs that contradict each other.

    Raises:
        ConfigError: a rule id occurs twice, or a rule names a program that no pack declares.
    """
    found = tuple(found)
    declared = {program.name for pack in found for program in pack.programs}
    seen: set[str] = set()
    for rule in (rule for pack in found for rule in pack.rules):
        if rule.id in seen:
            raise ConfigError(f"{rule.pack}.toml: rule {rule.id!r} occurs twice, expected a unique id")
        seen.add(rule.id)
        if not rule.handler and rule.program not in declared:
            raise ConfigError(
                f"{rule.pack}.toml: rule {rule.id!r} names the program {rule.program!r}, which no pack declares"
                f"{nearest(rule.program, declared)}"
            )


def nearest(name: str, known: Collection[str]) -> str:
    """``"; did you mean 'x'?"``, or nothing when no known name is near."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Table:
    """A TOML table whose keys and types are checked where they are read."""

    def __init__(self, value: object, where: str, keys: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: found {type(value).__name__}, expected a table")
        for key in value:
            if key not in keys:
                raise ConfigError(f"{where}: unknown key {key!r}{nearest(key, keys)}")
        self._value: Mapping[str, object] = value
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def get(self, key: str, kind: type[_T], default: _T | None = None) -> _T:
        """The value of the right type; ConfigError when it is missing without a default."""
        value = self._value.get(key, default)
        if not isinstance(value, kind):
            found = "nothing" if value is None else f"{value!r}"
            raise ConfigError(f"{self.where}: {key} is {found}, expected {kind.__name__}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        values = self.get(key, list, [])
        for value in values:
            if not isinstance(value, str) or not value:
                raise ConfigError(f"{self.where}: {key} holds {value!r}, expected texts")
        return tuple(values)

    def paths(self, key: str) -> tuple[str, ...]:
        """A list of subcommand paths; ``**`` stands only first, ``<end>`` only last, both alone."""
        for source in self.texts(key):
            words = source.split()
            inner = words[words[0] == ANY_DEPTH : len(words) - (words[-1] == END)] if words else [END]
            if any(ANY_DEPTH in word or END in word for word in inner):
                raise ConfigError(
                    f"{self.where}: {key} holds {source!r}, expected {ANY_DEPTH} only as the first word"
                    f" and {END} only as the last"
                )
        return self.texts(key)


def _program(name: str, value: object, where: str) -> Program:
    table = _Table(value, where, _PROGRAM_KEYS)
    plain = Program(name=name)
    return Program(
        name=name,
        aliases=table.texts("aliases"),
        value_options=frozenset(table.texts("value_options")),
        help_options=frozenset(table.texts("help_options")) if "help_options" in table else plain.help_options,
        dry_run=frozenset(table.texts("dry_run")),
        harmless=table.paths("harmless"),
        runs=table.get("runs", bool, False),
        passes_on=table.paths("passes_on"),
    )


def _rule(value: object, pack: str) -> Rule:
    table = _Table(value, f"{pack}.toml [[rules]]", _RULE_KEYS)
    rule_id = table.get("id", str)
    table.where = f"{pack}.toml {rule_id}"
    if not rule_id.startswith(f"{pack}."):
        raise ConfigError(f"{table.where}: the id does not begin with {pack + '.'!r}")
    rule = Rule(
        id=rule_id,
        pack=pack,
        kind=_kind(table),
        risk=_risk(table),
        reversible=table.get("reversible", bool, False),
        loss=table.get("loss", str),
        suggestion=table.get("suggestion", str, ""),
        program=table.get("program", str, ""),
        handler=table.get("handler", bool, False),
        gate=table.texts("gate"),
        allow=table.texts("allow"),
        subcommand=table.paths("subcommand"),
        **{key: table.texts(key) for key in _MATCHING if key != "subcommand"},
    )
    _require_complete(rule, table)
    return rule


def _kind(table: _Table) -> EffectKind:
    label = table.get("kind", str)
    try:
        return EffectKind(label)
    except ValueError:
        raise ConfigError(
            f"{table.where}: unknown kind {label!r}{nearest(label, [kind.value for kind in EffectKind])}"
        ) from None


def _risk(table: _Table) -> Risk:
    try:
        return Risk.of(table.get("risk", str))
    except ValueError as error:
        raise ConfigError(f"{table.where}: {error}") from None


def _require_complete(rule: Rule, table: _Table) -> None:
    """Refuse a rule that could never fire, or whose words cannot be filled in."""
    if rule.handler and any(key in table for key in ("program", *_MATCHING)):
        raise ConfigError(f"{table.where}: a rule with handler = true has no matching fields")
    if not rule.handler and not rule.program:
        raise ConfigError(f"{table.where}: program is missing, and handler is not true")
    for template in (rule.loss, rule.suggestion):
        for name in fields(template, table.where):
            if not rule.handler and name not in VALUES:
                raise ConfigError(f"{table.where}: unknown value {name!r} in braces{nearest(name, VALUES)}")


def fields(template: str, where: str) -> frozenset[str]:
    """The names in the braces of a template.

    Raises:
        ConfigError: the braces do not match, or hold more than a name.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"{where}: {template!r}: {error}") from None
    names = frozenset(name for _, name, _, _ in parsed if name is not None)
    if any(spec or conversion for _, _, spec, conversion in parsed) or not all(map(str.isidentifier, names)):
        raise ConfigError(f"{where}: {template!r} holds more than names in its braces")
    return names
