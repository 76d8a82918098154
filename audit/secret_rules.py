"""What counts as a secret in a text: patterns, and a cheap test that tells which of them could match at all.

The patterns are those of detect-secrets (for the tokens of vendors; entropy and keyword guesses, which fit source code,
are left out), and ours for what command lines hold: options, assignments, headers, ``user:password``.

Beside each pattern stand its marks: pieces of text of which one is in everything that the pattern matches. Most texts
hold no mark of any, and looking for all marks takes a tenth of the time of searching for all patterns. A pattern that
is not known here exactly as it is, e.g. of a newer detect-secrets, has no marks and is always searched for.
``tests/audit/test_secret_rules.py`` proves the marks from the patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES_OF_SECRETS: Final = (
    r"(?:passwords?|passwd|passphrase|secrets?|tokens?|api[-_]?keys?|access[-_]?keys?|private[-_]?key"
    r"|(?<=[_-])(?:pass|pwd)(?!\w))"
)
"""A pattern of what members, options and variables are called that hold a secret."""

_NOT_SECRET: Final = frozenset({"Public IP (ipv4)"})
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

_NAMED: Final = "key pass pw secret token"
"""One of these is in whatever ``NAMES_OF_SECRETS`` matches."""
_OURS: Final = (
    (
        "option",
        _NAMED,
        rf"(?i)(?<![\w-])--?(?:[\w-]*[-_])?{NAMES_OF_SECRETS}(?![-_](?:stdin|file|path|env|name))[\w-]*(?:=|\s+)(?!-){_VALUE}",
    ),
    (
        "assignment",  # begins only before all of the dots: from each of them, some thousand take seconds
        _NAMED,
        rf"""(?i)(?<![\w.-])[\w.-]*{NAMES_OF_SECRETS}(?![-_](?:file|path|name))\w*["']?\s*[:=]\s*{_VALUE}""",
    ),
    ("header", "authorization", r"""(?i)\bauthorization["']?\s*[:=]\s*["']?(?:\w+\s+)?+([^\s"'$`]+)"""),
    ("password", "-u", r"""(?<![\w-])(?:-u|--user|--proxy-user)[\s=]*["']?[^\s:"'$]+:([^\s"'$`]+)"""),
    ("password", "mysql mariadb", r"""\b(?:mysql|mariadb)[\w-]*\b[^|;&\n]{0,200}?\s-p([^\s"'$`]+)"""),
    ("password", "pass", rf"""\bsshpass\s+-p\s*{_VALUE}"""),
    (
        "password",
        "redis-cli login twine mongo openssl ldap zip sqlcmd bcp pass",
        rf"(?:{_SHORT_OPTIONS})\s*(?!-){_VALUE}",
    ),
    ("password", "sudo stdin pass", rf"\b(?:echo|printf)\s+(?:-\w+\s+)*{_VALUE}\s*\|\s*(?:{_READERS})"),
    (
        "cookie",
        "cookie",
        r"""(?i)(?:\bcookie:\s*|--cookie[=\s]+["']?)([^\s"'$`;=]+=[^\s"'$`;]+(?:;\s*[^\s"'$`;=]+=[^\s"'$`;]+)*)""",
    ),
    ("password", "@", r"""://[^\s:/@"'$]*:([^\s/@"'$]+)@"""),
    (
        "token",
        "sk- at_ ghp_ gho_ ghu_ ghs_ ghr_ gl hf_ xox AIza ya29. npm_ pypi- dop_v1_ : hvs. Q~",
        rf"\b({_TOKENS})(?![\w-])",
    ),
    ("private key", "BEGIN", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"),
)
"""Name, marks, pattern."""

_SET: Final = r"""(?:(?<=\W)|(?<=^))(?:\[|)(?:"|\'|)"""
_TO: Final = r"""(?:"|\'|)(?:\]|)(?: *)(?:=|:|:=|=>| +|::)(?: *)(?:"|\'|)"""
_END: Final = r"""(?:"|\'|)"""
_WORD: Final = "(?:key|pwd|pw|password|pass|token)"
_FULL_WORD: Final = "(?:key|pwd|password|pass|token)"
_COS: Final = "(?:ibm)?[-_]?cos[-_]?(?:hmac)?"
_IBM: Final = "ibm(?:_|-|)cloud(?:_|-|)iam|cloud(?:_|-|)iam|ibm(?:_|-|)cloud|ibm(?:_|-|)iam|ibm|iam|cloud|"
_ANY_CASE: Final = re.IGNORECASE
_THEIRS: Final = (
    ("A3T ABIA ACCA AKIA ASIA", 0, r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"),
    (_NAMED, _ANY_CASE, rf"aws.{{0,20}}?{_WORD}.{{0,20}}?[\'\"]([0-9a-zA-Z/+]{{40}})[\'\"]"),
    ("AKC", 0, r"""(?:\s|=|:|"|^)AKC[a-zA-Z0-9]{10,}(?:\s|"|$)"""),
    ("AP", 0, r"""(?:\s|=|:|"|^)AP[\dABCDEF][a-zA-Z0-9]{8,}(?:\s|"|$)"""),
    ("key", 0, r"AccountKey=[a-zA-Z0-9+\/=]{88}"),
    ("@", 0, r"://[^:/\?\#\[\]@!\$\&'\(\)\*\+,;=\s]+:([^:/\?\#\[\]@!\$\&'\(\)\*\+,;=\s]+)@"),
    (_NAMED, _ANY_CASE, rf"{_SET}(?:cloudant|cl|clou)(?:_|-|)(?:api|){_WORD}{_TO}([0-9a-f]{{64}}){_END}"),
    (_NAMED, _ANY_CASE, rf"{_SET}(?:cloudant|cl|clou)(?:_|-|)(?:api|){_WORD}{_TO}([a-z]{{24}}){_END}"),
    ("@", _ANY_CASE, r"(?:https?\:\/\/)[\w\-]+\:([0-9a-f]{64})\@[\w\-]+\.cloudant\.com"),
    ("@", _ANY_CASE, r"(?:https?\:\/\/)[\w\-]+\:([a-z]{24})\@[\w\-]+\.cloudant\.com"),
    (".", 0, r"[MNO][a-zA-Z\d_-]{23,25}\.[a-zA-Z\d_-]{6}\.[a-zA-Z\d_-]{27}"),
    ("ghp_ gho_ ghu_ ghs_ ghr_", 0, r"(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9_]{36}"),
    ("gl", 0, r"(glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("GR1348941", 0, r"GR1348941[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("gl", 0, r"glcbt-([0-9a-fA-F]{2}_)?[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("gl", 0, r"glimt-[A-Za-z0-9_\-]{25}(?!\w)"),
    ("gl", 0, r"glptt-[A-Za-z0-9_\-]{40}(?!\w)"),
    ("gl", 0, r"glagent-[A-Za-z0-9_\-]{50,1024}(?!\w)"),
    ("gl", 0, r"gloas-[A-Za-z0-9_\-]{64}(?!\w)"),
    (
        "secret",
        _ANY_CASE,
        rf"{_SET}(?:{_COS}|)(?:_|-|)(?:secret[-_]?(?:access)?[-_]?key){_TO}([a-f0-9]{{48}}(?![a-f0-9])){_END}",
    ),
    (
        _NAMED,
        _ANY_CASE,
        rf"{_SET}(?:{_IBM})(?:_|-|)(?:api|)(?:_|-|){_FULL_WORD}{_TO}([a-zA-Z0-9_\-]{{44}}(?![a-zA-Z0-9_\-])){_END}",
    ),
    ("eyJ", 0, r"eyJ[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*?"),
    ("-us", 0, r"[0-9a-z]{32}-us[0-9]{1,2}"),
    ("token", 0, r"\/\/.+\/:_authToken=\s*((npm_.+)|([A-Fa-f0-9-]{36})).*"),
    ("sk-", 0, r"sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    ("BEGIN", 0, "BEGIN DSA PRIVATE KEY"),
    ("BEGIN", 0, "BEGIN EC PRIVATE KEY"),
    ("BEGIN", 0, "BEGIN OPENSSH PRIVATE KEY"),
    ("BEGIN", 0, "BEGIN PGP PRIVATE KEY BLOCK"),
    ("BEGIN", 0, "BEGIN PRIVATE KEY"),
    ("BEGIN", 0, "BEGIN RSA PRIVATE KEY"),
    ("BEGIN", 0, "BEGIN SSH2 ENCRYPTED PRIVATE KEY"),
    ("key", 0, "PuTTY-User-Key-File-2"),
    ("pypi-", 0, r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9-_]{70,}"),
    ("pypi-", 0, r"pypi-AgENdGVzdC5weXBpLm9yZw[A-Za-z0-9-_]{70,}"),
    ("SG.", 0, r"SG\.[a-zA-Z0-9_-]{22}\.[a-zA-Z0-9_-]{43}"),
    ("xox", _ANY_CASE, r"xox(?:a|b|p|o|s|r)-(?:\d+-)+[a-z0-9]+"),
    (":", _ANY_CASE | re.VERBOSE, r"https://hooks\.slack\.com/services/T[a-zA-Z0-9_]+/B[a-zA-Z0-9_]+/[a-zA-Z0-9_]+"),
    (
        _NAMED,
        _ANY_CASE,
        rf"{_SET}(?:softlayer|sl)(?:_|-|)(?:api|)(?:_|-|){_FULL_WORD}{_TO}([a-z0-9]{{64}}){_END}",
    ),
    (":", _ANY_CASE, r"(?:http|https)://api.softlayer.com/soap/(?:v3|v3.1)/([a-z0-9]{64})"),
    ("sq0csp-", 0, r"sq0csp-[0-9A-Za-z\\\-_]{43}"),
    ("k_live_", 0, r"(?:r|s)k_live_[0-9a-zA-Z]{24}"),
    (":", 0, r"\d{8,10}:[0-9A-Za-z_-]{35}"),
    ("AC", 0, r"AC[a-z0-9]{32}"),
    ("SK", 0, r"SK[a-z0-9]{32}"),
)
"""Marks, flags, pattern as detect-secrets 1.5 has it."""
_MARKS_OF: Final = {re.compile(text, flags): tuple(marks.split()) for marks, flags, text in _THEIRS}
_TO_AT_ONCE: Final = r"""(?:"|\'|)(?:\]|)(?: *(?::=|=>|::|=|:) *| +)(?:"|\'|)"""
"""What ``_TO`` matches, which tries every way to share spaces out among three: minutes for some thousand."""

_FOLDED: Final = str.maketrans("\u017f\u0131\u0130\u212a", "siik")
"""What patterns that ignore case take for ASCII letters, too.

From: https://docs.python.org/3/library/re.html#re.IGNORECASE.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A kind of secret.

    Attributes:
        name: what stands in the secret's place.
        pattern: what to search for; the secret is its first group that matched, or all of it.
        marks: one of them stands in everything that it matches. One in small letters is meant in any case. None: not
            known, so that the pattern is always searched for.
    """

    name: str
    pattern: re.Pattern[str]
    marks: tuple[str, ...] = ()


class Rules:
    """Rules, laid out by their marks."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.all: Final = tuple(rules)
        self._unmarked = tuple(rule for rule in self.all if not rule.marks)
        self._marked: dict[str, list[Rule]] = {}
        for rule in self.all:
            for mark in rule.marks:
                self._marked.setdefault(mark, []).append(rule)
        self._small = tuple(mark for mark in self._marked if mark == mark.lower())
        self._capital = tuple(mark for mark in self._marked if mark != mark.lower())
        self._with = lru_cache(maxsize=1024)(self._with_marks)

    def for_text(self, text: str) -> Sequence[Rule]:
        """Those that could match in the text: all others cannot."""
        folded = (text if text.isascii() else text.translate(_FOLDED)).lower()
        found = [mark for mark in self._small if mark in folded]
        if not text.islower():
            found += [mark for mark in self._capital if mark in text]
        return self._with(tuple(found)) if found else self._unmarked

    def _with_marks(self, found: tuple[str, ...]) -> Sequence[Rule]:
        called = {rule for mark in found for rule in self._marked[mark]}
        return (*self._unmarked, *called)


def rule_of(name: str, pattern: re.Pattern[str]) -> Rule:
    """The rule for a pattern of detect-secrets; without marks, and as it is, if exactly this one is not known here."""
    marks = _MARKS_OF.get(pattern, ())
    if marks and _TO in pattern.pattern:
        pattern = re.compile(pattern.pattern.replace(_TO, _TO_AT_ONCE), pattern.flags)
    return Rule(name, pattern, marks)


def _rules() -> Iterator[Rule]:
    for name, marks, pattern in _OURS:
        yield Rule(name, re.compile(pattern), tuple(marks.split()))
    plugins: dict[str, type] = get_mapping_from_secret_type_to_class()
    for name, plugin in sorted(plugins.items()):
        if issubclass(plugin, RegexBasedDetector) and name not in _NOT_SECRET:
            for compiled in plugin.denylist:  # type: ignore[attr-defined]  # a property there, a list in every plugin
                yield rule_of(name.lower(), compiled)


RULES: Final = Rules(_rules())
