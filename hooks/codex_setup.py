"""Our hooks in Codex's ``config.toml``, trusted, and the terminals turned off that no hook sees.

Everything is in one file, because Codex runs no hook of a person's that is not trusted by its hash in that very file,
and says nothing about it. Measured with 0.169.0 (``hooks/list`` of its app server shows the same hashes, and trust):

- The key of a hook is ``PATH:EVENT:GROUP:HANDLER`` with positions from 0. Ours come last; when they go, the keys of
  other people's hooks behind them move up.
- The hash is SHA-256 over the compact JSON of event, matcher and handler, keys sorted, defaults filled in.
- A model that opens a shell in a terminal (``tty``) can type into it, and no hook is asked: ``unified_exec_tty`` is
  turned off. What it was before stands in a comment, and comes back.

From: https://developers.openai.com/codex/hooks; ``command_hook_hash`` in codex-rs/hooks/src/engine/discovery.rs
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from askfirst.errors import InputError
from hooks.codex import Codex
from hooks.codex_switches import held, released
from hooks.hook_entries import MARK
from hooks.setup import LONG_S
from hooks.toml_sections import Section, joined, split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hooks.setup import HookLine, Places, Scope

    Table = Mapping[str, object]

EVENTS = {"PreToolUse": "pre_tool_use", "PostToolUse": "post_tool_use"}
"""Our events, and what they are called in keys."""
MATCHER = "*"
TERMINALS = "unified_exec_tty"
PERSONAL = {TERMINALS: False}
MANAGED = {TERMINALS: False, "hooks": True}
"""Switches that are held; without the second one a person's file turns managed hooks off (measured)."""
REQUIREMENTS = "requirements.toml"


class Placed(NamedTuple):
    """A handler in the file."""

    event: str
    key: str
    group: Table
    handler: Table

    @property
    def is_ours(self) -> bool:
        """Whether we have put it there."""
        return MARK in str(self.handler.get("command", ""))


class CodexSetup:
    """The person's ``config.toml``, or the machine's ``requirements.toml``, whose hooks need no trust."""

    name = Codex.name
    title = "Codex CLI"
    programs: tuple[str, ...] = ("codex",)
    scopes: tuple[Scope, ...] = ("user", "managed")
    timeout_s = LONG_S

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """``config.toml`` in ``CODEX_HOME``, or the machine's file."""
        if scope == "managed":
            return (places.root / "etc" / "codex" / REQUIREMENTS,)
        return (places.folder("CODEX_HOME", ".codex") / "config.toml",)

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The configuration with our hooks, trusted, and without terminals; or as it was."""
        config = _parsed(before, path)
        try:
            after = _without_ours(before, config, path)
            if hook is not None:
                after = _with_ours(after, _parsed(after, path), path, hook)
            is_safe = _foreign(_parsed(after, path), path) == _foreign(config, path)
        except InputError:
            is_safe = False
        if not is_safe:
            raise InputError(f"{path} cannot be edited safely as it is written; write its hooks as [[tables]]")
        return after

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """Hooks turned off, terminals, and hooks of ours that are not trusted as they stand."""
        config = _parsed(text, path)
        features, state = _table(config, "features"), _table(_table(config, "hooks"), "state")
        found = []
        if features.get("hooks") is False:
            found.append(f"{path} has features.hooks = false, so no hook runs")
        if path.name == REQUIREMENTS and features.get("hooks") is not True:
            found.append(f"{path} does not hold features.hooks, so other files turn its hooks off")
        if features.get(TERMINALS) is not False:
            found.append(f"{path} allows terminals (features.{TERMINALS}); no hook sees what is typed into one")
        for each in _handlers(config, path) if path.name != REQUIREMENTS else ():
            entry = state.get(each.key)
            trust = entry if isinstance(entry, dict) else {}
            if each.is_ours and trust.get("trusted_hash") != hook_hash(each.event, each.group, each.handler):
                found.append(f"{path}: our hook for {each.event} is not trusted as it stands, so Codex does not run it")
            if each.is_ours and trust.get("enabled") is False:
                found.append(f"{path}: our hook for {each.event} is disabled")
        return tuple(found)


def hook_hash(event: str, group: Table, handler: Table) -> str:
    """What Codex has to find as ``trusted_hash`` of a command.

    Args:
        event: e.g. ``PreToolUse``.
        group: of the handler; only its matcher counts.
        handler: the command.
    """
    command = {
        "type": "command",
        "command": handler.get("command"),
        "timeout": handler.get("timeout", 600),
        "async": handler.get("async", False),
    }
    identity: dict[str, object] = {"event_name": _label(event), "hooks": [command]}
    if "matcher" in group:
        identity["matcher"] = group["matcher"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _label(event: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event).lower()


def _parsed(text: str, path: Path) -> Table:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not TOML ({error}); mend it first, Codex does not start with it") from error


def _table(parent: Table, name: str) -> Table:
    found = parent.get(name, {})
    if not isinstance(found, dict):
        raise InputError(f"{name} is no table; mend config.toml", field=name)
    return found


def _handlers(config: Table, path: Path) -> list[Placed]:
    """Every handler of the file, in order."""
    return [
        Placed(event, f"{path}:{_label(event)}:{at}:{number}", group, handler)
        for event, groups in _table(config, "hooks").items()
        if event != "state"
        for at, group in enumerate(_tables(groups, event))
        for number, handler in enumerate(_tables(group.get("hooks", []), event))
    ]


def _tables(value: object, event: str) -> list[Table]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InputError(f"hooks.{event} is no list of tables; mend config.toml", field=f"hooks.{event}")
    return value


def _foreign(config: Table, path: Path) -> object:
    """All that is not ours, with each handler's trust beside it: an edit must leave it as it is."""
    hooks, features = _table(config, "hooks"), _table(config, "features")
    state = _table(hooks, "state")
    handlers = _handlers(config, path)
    known = {each.key for each in handlers}
    return (
        {key: value for key, value in config.items() if key not in {"hooks", "features"}},
        {key: value for key, value in features.items() if key not in _switches(path)},
        [
            (each.event, each.group.get("matcher"), each.handler, state.get(each.key))
            for each in handlers
            if not each.is_ours
        ],
        {key: value for key, value in state.items() if key not in known},
    )


def _with_ours(text: str, config: Table, path: Path, hook: HookLine) -> str:
    hooks, features = _table(config, "hooks"), _table(config, "features")
    for name, value in _switches(path).items():
        text = held(text, name, value=value, current=features.get(name))
    sections = split(text)
    for event in EVENTS:
        key = f"{path}:{_label(event)}:{len(_tables(hooks.get(event, []), event))}:0"
        handler = {"type": "command", "command": hook.line, "timeout": hook.timeout_s}
        digest = hook_hash(event, {"matcher": MATCHER}, handler)
        sections += split(
            f'\n[[hooks.{event}]]\nmatcher = "{MATCHER}"\n\n[[hooks.{event}.hooks]]\ntype = "command"\n'
            f"command = {_quoted(hook.line)}\ntimeout = {hook.timeout_s}\n"
        )
        if path.name != REQUIREMENTS:
            sections += split(f'\n[hooks.state.{_quoted(key)}]\ntrusted_hash = "{digest}"\n')
    return joined(sections)


def _without_ours(text: str, config: Table, path: Path) -> str:
    """Takes our sections out, and moves the trust of other people's hooks to their new places."""
    handlers = _handlers(config, path)
    ours = {each.key for each in handlers if each.is_ours}
    if ours:
        kept = [each for each in split(text) if not _is_trust(each, ours)]
        text = joined(_moved(_cut(kept), handlers, path))
    for name, value in reversed(list(_switches(path).items())):
        text = released(text, name, value=value)
    return text


def _switches(path: Path) -> Mapping[str, bool]:
    return MANAGED if path.name == REQUIREMENTS else PERSONAL


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_trust(section: Section, keys: set[str]) -> bool:
    return section.header in {f"[hooks.state.{_quoted(key)}]" for key in keys}


def _cut(sections: list[Section]) -> list[Section]:
    """The sections without our handlers, and without the groups that they leave empty."""
    kept: list[Section] = []
    for at, section in enumerate(sections):
        is_handler = section.header.startswith("[[hooks.") and section.header.endswith(".hooks]]")
        if not (is_handler and MARK in section.text):
            kept.append(section)
            continue
        group = section.header.removesuffix(".hooks]]") + "]]"
        follows = at + 1 < len(sections) and sections[at + 1].header == section.header
        if kept and kept[-1].header == group and not follows:
            kept.pop()
    return kept


def _moved(sections: list[Section], handlers: list[Placed], path: Path) -> list[Section]:
    after = _handlers(_parsed(joined(sections), path), path)
    others = [each for each in handlers if not each.is_ours]
    headers = {
        f"[hooks.state.{_quoted(old.key)}]": f"[hooks.state.{_quoted(new.key)}]"
        for old, new in zip(others, after, strict=False)
        if old.key != new.key
    }
    return [
        replace(each, text=each.text.replace(each.header, headers[each.header], 1)) if each.header in headers else each
        for each in sections
    ]
