"""Takes secrets out of what is logged, before it is hashed: what enters the log cannot be called back.

The rules are those of detect-secrets (its patterns for the tokens of vendors; entropy and keyword guesses, which fit
source code, are left out), and ours for what command lines hold: options, assignments, headers, ``user:password``.

The exact input stays what a reviewer sees and what a decision is bound to: in the entry by its digest, beside it as an
erasable payload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

from askfirst.audit_port import EntryType, Private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.audit_port import Entry, Value

_WINDOW_CHARS: Final = 4096
"""Some patterns take quadratic time on a hostile text, so that a long one is searched piece by piece."""
_OVERLAP_CHARS: Final = 512
_SHORT_CHARS: Final = 6
_NOT_SECRET: Final = frozenset({"Public IP (ipv4)"})
_OURS_ALONE: Final = frozenset({EntryType.LOG_FOUNDED, EntryType.LOG_KEY_ROTATED, EntryType.LOG_CHECKPOINT_WITNESSED})
"""Entries that hold keys and hashes, public by purpose, and no word of anybody else."""
_OUR_IDS: Final = frozenset({"act", "decision_id", "grant", "policy_sha256", "rule", "verdict"})
"""Members that hold ids and digests that we made; each is new, so that searching them would cost each time."""
_HEX = re.compile(r"[0-9a-f]+\Z")

_WORDS: Final = (
    r"(?:passwords?|passwd|passphrase|secrets?|tokens?|api[-_]?keys?|access[-_]?keys?|private[-_]?key"
    r"|(?<=[_-])(?:pass|pwd)(?!\w))"
)
_VALUE: Final = r"""(?:"([^"$`]+)"|'([^']+)'|([^\s"'$`<>|&;(){},]+))"""
_TOKENS: Final = (
    r"sk-[a-zA-Z]{2,10}-[\w-]{16,}|github_pat_\w{22,}|gh[pousr]_\w{30,}|glpat-[\w-]{20,}|hf_\w{30,}|xox[a-z]-[\w-]{10,}"
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|npm_\w{36}|pypi-[\w-]{16,}|dop_v1_[0-9a-f]{64}|(?:bot)?\d{8,10}:[\w-]{33,35}"
    r"|dckr_[op]at_[\w-]{20,}|hvs\.[\w-]{20,}|\w{3}\dQ~[\w.~-]{31,40}"
)
"""Tokens of vendors that are younger than the detector's release, or that it knows in an older form."""
_REST: Final = r"\b[^|;&\n]{0,200}?\s"
_SHORT_OPTIONS: Final = "|".join(
    (
        rf"\bredis-cli{_REST}-a",
        rf"\b(?:docker|podman|helm|az|oras|skopeo)\s+(?:registry\s+)?login{_REST}-p",
        rf"\btwine{_REST}-p",
        rf"(?<![\w/.-])mongo(?:sh|dump|restore|export|import)?{_REST}-p",
        rf"\bopenssl{_REST}(?:-k(?=\s)|-pass\w*\s+pass:)",
        rf"\bldap\w+{_REST}-w",
        rf"\b(?:zip|sqlcmd|bcp){_REST}-P",
        r"\bhtpasswd\s+(?:-\w+\s+)*-\w*b\w*\s+\S+\s+\S+",
    )
)
"""What stands before a password where a program has a short option for it. From: their manual pages."""
_READERS: Final = r"sudo\s[^|;&\n]*?-\w*S|[^|;&\n]*?--(?:password-)?stdin\b|[^|;&\n]*?\bchpasswd\b"
"""Programs that read a password from a pipe."""
_OURS: Final = (
    (
        "option",
        rf"(?i)(?<![\w-])--?(?:[\w-]*[-_])?{_WORDS}(?![-_](?:stdin|file|path|env|name))[\w-]*(?:=|\s+)(?!-){_VALUE}",
    ),
    ("assignment", rf"""(?i)(?<![\w-])[\w.-]*{_WORDS}(?![-_](?:file|path|name))\w*["']?\s*[:=]\s*{_VALUE}"""),
    ("header", r"""(?i)\bauthorization["']?\s*[:=]\s*["']?(?:\w+\s+)?+([^\s"'$`]+)"""),
    ("password", r"""(?<![\w-])(?:-u|--user|--proxy-user)[\s=]*["']?[^\s:"'$]+:([^\s"'$`]+)"""),
    ("password", r"""\b(?:mysql|mariadb)[\w-]*\b[^|;&\n]{0,200}?\s-p([^\s"'$`]+)"""),
    ("password", rf"""\bsshpass\s+-p\s*{_VALUE}"""),
    ("password", rf"(?:{_SHORT_OPTIONS})\s*(?!-){_VALUE}"),
    ("password", rf"\b(?:echo|printf)\s+(?:-\w+\s+)*{_VALUE}\s*\|\s*(?:{_READERS})"),
    (
        "cookie",
        r"""(?i)(?:\bcookie:\s*|--cookie[=\s]+["']?)([^\s"'$`;=]+=[^\s"'$`;]+(?:;\s*[^\s"'$`;=]+=[^\s"'$`;]+)*)""",
    ),
    ("password", r"""://[^\s:/@"'$]*:([^\s/@"'$]+)@"""),
    ("token", rf"\b({_TOKENS})(?![\w-])"),
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"),
)


def _rules() -> Iterator[tuple[str, re.Pattern[str]]]:
    """What is searched for, under the name that stands in its place."""
    for name, pattern in _OURS:
        yield name, re.compile(pattern)
    plugins: dict[str, type] = get_mapping_from_secret_type_to_class()
    for name, plugin in sorted(plugins.items()):
        if issubclass(plugin, RegexBasedDetector) and name not in _NOT_SECRET:
            for compiled in plugin.denylist:  # type: ignore[attr-defined]  # a property there, a list in every plugin
                yield name.lower(), compiled


_RULES: Final = tuple(_rules())


@lru_cache(maxsize=4096)
def redacted(text: str) -> str:
    """The text with each secret that is recognised replaced, e.g. by ``[redacted: github token]``."""
    if len(text) < _SHORT_CHARS or _HEX.match(text):
        return text
    spans = sorted(_spans(text))
    if not spans:
        return text
    parts, at = list[str](), 0
    for start, end, name in spans:
        if start >= at:
            parts += [text[at:start], f"[redacted: {name}]"]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and name of each secret; they may overlap."""
    for offset in range(0, len(text), _WINDOW_CHARS - _OVERLAP_CHARS):
        window = text[offset : offset + _WINDOW_CHARS]
        for name, pattern in [rule for rule in _RULES if rule[1].search(window)]:  # hardly ever any
            for match in pattern.finditer(window):
                group = next((number for number in range(1, pattern.groups + 1) if match[number]), 0)
                start, end = match.span(group)
                if end > start:
                    yield offset + start, offset + end, name


def redact_value(value: Value) -> Value:
    """The value with secrets taken out of every text in it; payloads that stand apart stay as they are."""
    if isinstance(value, str):
        return redacted(value)
    if value is None or isinstance(value, int | float | Private):
        return value
    if isinstance(value, Mapping):
        return {name: _member(name, item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(item) for item in value]
    return value


def redact_entry(entry: Entry) -> Entry:
    """The entry without secrets in its texts."""
    if entry.type in _OURS_ALONE:
        return entry
    changed: dict[str, Mapping[str, Value]] = {}
    for name in ("agent", "action", "decision", "links", "data"):
        before: Mapping[str, Value] = getattr(entry, name)
        if before:
            after = {key: _member(key, item) for key, item in before.items()}
            if after != before:
                changed[name] = after
    return replace(entry, **changed) if changed else entry  # type: ignore[arg-type]  # the names above


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


_SECRET_NAME = re.compile(rf"(?i){_WORDS}\Z")


def _member(name: str, value: Value) -> Value:
    """A member whose name says that it is secret loses its whole text; ids of our own making are left alone."""
    if name in _OUR_IDS:
        return value
    if isinstance(value, str):
        return "[redacted: assignment]" if value and _is_secret(name) else redacted(value)
    return redact_value(value)
