"""Takes secrets out of what is logged, before it is hashed: what enters the log cannot be called back.

What a secret looks like is in ``audit.secret_rules``.

The exact input stays what a reviewer sees and what a decision is bound to: in the entry by its digest, beside it as an
erasable payload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from askfirst.audit_port import EntryType, Private
from audit.secret_names import NAMES_OF_SECRETS
from audit.secret_rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.audit_port import Actor, Entry, Value
    from audit.secret_rule import Rule, Rules

_WINDOW_CHARS: Final = 4096
"""Some patterns take quadratic time on a hostile text, so that a long one is searched piece by piece."""
_OVERLAP_CHARS: Final = 512
LONGEST_CHARS: Final = 16_384
"""What begins in one piece is followed so far; a private key of 8,192 bits has 6,400."""
_SHORT_CHARS: Final = 6
_REMEMBERED_CHARS: Final = 1024
"""Names and commands come again; of whole files the memory would fill."""
_OURS_ALONE: Final = frozenset({EntryType.LOG_FOUNDED, EntryType.LOG_KEY_ROTATED, EntryType.LOG_CHECKPOINT_WITNESSED})
"""Entries that hold keys and hashes, public by purpose, and no word of anybody else."""
_OUR_IDS: Final = frozenset({"act", "grant", "policy_sha256", "rule", "verdict"})
"""Members that hold ids and digests that we made; each is new, so that searching them would cost each time."""
_PUT: Final = "[redacted: "
_TAKEN: Final = re.compile(r"\[redacted: [^\]\n]{1,60}\]")
"""What stands in the place of a secret; it is left as it is, so that redacting twice is redacting once."""
_ATOMS: Final = (int, float, Private)
_HEX: Final = re.compile(r"[0-9a-f]+\Z")
_SECRET_NAME: Final = re.compile(rf"(?i){NAMES_OF_SECRETS}\Z")


def redacted(text: str) -> str:
    """The text with each secret that is recognised replaced, e.g. by ``[redacted: github token]``."""
    return _remembered(text) if len(text) <= _REMEMBERED_CHARS else without_secrets(text, RULES)


@lru_cache(maxsize=4096)
def _remembered(text: str) -> str:
    if len(text) < _SHORT_CHARS or _HEX.match(text):
        return text
    return without_secrets(text, RULES)


def without_secrets(text: str, rules: Rules) -> str:
    """The text without what these rules find."""
    spans = _spans(text, rules)
    if spans and _PUT in text:
        taken = [found.span() for found in _TAKEN.finditer(text)]
        spans = [span for span in spans if not any(start < span[1] and span[0] < end for start, end in taken)]
    if not spans:
        return text
    parts, at = list[str](), 0
    for start, end, name in sorted(spans):
        if start >= at:
            parts += [text[at:start], f"{_PUT}{name}]"]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _spans(text: str, rules: Rules) -> list[tuple[int, int, str]]:
    """Start, end and name of each secret; they may overlap."""
    spans: list[tuple[int, int, str]] = []  # a call of an alias would take a tenth of the time of the search
    for offset in range(0, len(text), _WINDOW_CHARS - _OVERLAP_CHARS):
        window = text[offset : offset + _WINDOW_CHARS]
        for rule in rules.for_text(window):
            if rule.pattern.search(window):  # hardly ever, and cheaper than to iterate over nothing
                spans += ((start, end, rule.name) for start, end in _found(rule, text, offset, window))
    return spans


def _found(rule: Rule, text: str, offset: int, window: str) -> Iterator[tuple[int, int]]:
    """The rule's secrets in the window; what reaches its end goes on in the text, as keys do."""
    for match in rule.pattern.finditer(window):
        yield from ((offset + start, offset + end) for start, end in rule.secrets(match))
        if match.end() == len(window) and offset + len(window) < len(text):
            at = offset + match.start()
            whole = rule.pattern.match(text, at, at + LONGEST_CHARS)
            yield from rule.secrets(whole) if whole else ()


def redact_value(value: Value) -> Value:
    """The value with secrets taken out of every text in it; payloads that stand apart stay as they are."""
    if isinstance(value, str):
        return redacted(value)
    if value is None or isinstance(value, _ATOMS):
        return value
    if isinstance(value, Mapping):
        return _members(value)
    if isinstance(value, tuple):  # stays one, so that an entry without secrets equals what came in
        return tuple([redact_value(item) for item in value])
    if isinstance(value, list):
        return [redact_value(item) for item in value]
    return value


def redact_entry(entry: Entry) -> Entry:
    """The entry without secrets in its texts."""
    if entry.type in _OURS_ALONE:
        return entry
    changed: dict[str, Mapping[str, Value] | Actor] = {}
    if entry.actor.type == "agent" and (named := redacted(entry.actor.id)) != entry.actor.id:
        changed["actor"] = replace(entry.actor, id=named)  # a session's id is what its client says
    for name in ("agent", "action", "decision", "links", "data"):
        before: Mapping[str, Value] = getattr(entry, name)
        if before and (after := _members(before)) is not before:
            changed[name] = after
    return replace(entry, **changed) if changed else entry  # type: ignore[arg-type]  # the names above


def _members(members: Mapping[str, Value]) -> Mapping[str, Value]:
    """The same members where none holds a secret; ids of our own making are left alone.

    One whose name says that it is secret loses its whole text.
    """
    changed: dict[str, Value] = {}
    for name, item in members.items():
        if name in _OUR_IDS:
            continue
        after: Value
        if isinstance(item, str):
            after = "[redacted: assignment]" if item and _is_secret(name) else redacted(item)
        else:
            after = redact_value(item)
        if after is not item and after != item:
            changed[name] = after
    return {**members, **changed} if changed else members


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None
