"""What counts as a secret in a text: patterns, and a cheap test that tells which of them could match at all.

The patterns are those of detect-secrets (for the tokens of vendors; entropy and keyword guesses, which fit source code,
are left out), and ours for what command lines hold (``audit.command_secrets``).

Beside each pattern stand its marks: pieces of text of which one is in everything that the pattern matches. Most texts
hold no mark of any, and looking for all marks takes a tenth of the time of searching for all patterns. A pattern that
is not known here exactly as it is, e.g. of a newer detect-secrets, has no marks and is always searched for.
``tests/audit/test_secret_rules.py`` proves the marks from the patterns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

from audit.command_secrets import COMMANDS
from audit.secret_rule import Rule, Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_SECRET: Final = frozenset({"Public IP (ipv4)"})
_NAMED: Final = "key pass pw secret token"
"""One of these is in each name that is searched for."""
_SET: Final = r"""(?:(?<=\W)|(?<=^))(?:\[|)(?:"|\'|)"""
_TO: Final = r"""(?:"|\'|)(?:\]|)(?: *)(?:=|:|:=|=>| +|::)(?: *)(?:"|\'|)"""
_END: Final = r"""(?:"|\'|)"""
_WORD: Final = "(?:key|pwd|pw|password|pass|token)"
_FULL_WORD: Final = "(?:key|pwd|password|pass|token)"
_COS: Final = "(?:ibm)?[-_]?cos[-_]?(?:hmac)?"
_IBM: Final = "ibm(?:_|-|)cloud(?:_|-|)iam|cloud(?:_|-|)iam|ibm(?:_|-|)cloud|ibm(?:_|-|)iam|ibm|iam|cloud|"
_ANY_CASE: Final = re.IGNORECASE
_THEIRS: Final = (
    ("A3T ABIA ACCA AKIA ASIA", "", 0, r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"),
    (_NAMED, "", _ANY_CASE, rf"aws.{{0,20}}?{_WORD}.{{0,20}}?[\'\"]([0-9a-zA-Z/+]{{40}})[\'\"]"),
    ("AKC", "", 0, r"""(?:\s|=|:|"|^)AKC[a-zA-Z0-9]{10,}(?:\s|"|$)"""),
    ("AP", "", 0, r"""(?:\s|=|:|"|^)AP[\dABCDEF][a-zA-Z0-9]{8,}(?:\s|"|$)"""),
    ("key", "", 0, r"AccountKey=[a-zA-Z0-9+\/=]{88}"),
    ("@", "", 0, r"://[^:/\?\#\[\]@!\$\&'\(\)\*\+,;=\s]+:([^:/\?\#\[\]@!\$\&'\(\)\*\+,;=\s]+)@"),
    (_NAMED, "", _ANY_CASE, rf"{_SET}(?:cloudant|cl|clou)(?:_|-|)(?:api|){_WORD}{_TO}([0-9a-f]{{64}}){_END}"),
    (_NAMED, "", _ANY_CASE, rf"{_SET}(?:cloudant|cl|clou)(?:_|-|)(?:api|){_WORD}{_TO}([a-z]{{24}}){_END}"),
    ("@", "", _ANY_CASE, r"(?:https?\:\/\/)[\w\-]+\:([0-9a-f]{64})\@[\w\-]+\.cloudant\.com"),
    ("@", "", _ANY_CASE, r"(?:https?\:\/\/)[\w\-]+\:([a-z]{24})\@[\w\-]+\.cloudant\.com"),
    (".", "", 0, r"[MNO][a-zA-Z\d_-]{23,25}\.[a-zA-Z\d_-]{6}\.[a-zA-Z\d_-]{27}"),
    ("_", "", 0, r"(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9_]{36}"),
    ("gl", "", 0, r"(glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("GR1348941", "", 0, r"GR1348941[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("gl", "", 0, r"glcbt-([0-9a-fA-F]{2}_)?[A-Za-z0-9_\-]{20,50}(?!\w)"),
    ("gl", "", 0, r"glimt-[A-Za-z0-9_\-]{25}(?!\w)"),
    ("gl", "", 0, r"glptt-[A-Za-z0-9_\-]{40}(?!\w)"),
    ("gl", "", 0, r"glagent-[A-Za-z0-9_\-]{50,1024}(?!\w)"),
    ("gl", "", 0, r"gloas-[A-Za-z0-9_\-]{64}(?!\w)"),
    (
        "secret",
        "",
        _ANY_CASE,
        rf"{_SET}(?:{_COS}|)(?:_|-|)(?:secret[-_]?(?:access)?[-_]?key){_TO}([a-f0-9]{{48}}(?![a-f0-9])){_END}",
    ),
    (
        _NAMED,
        "",
        _ANY_CASE,
        rf"{_SET}(?:{_IBM})(?:_|-|)(?:api|)(?:_|-|){_FULL_WORD}{_TO}([a-zA-Z0-9_\-]{{44}}(?![a-zA-Z0-9_\-])){_END}",
    ),
    ("eyJ", "", 0, r"eyJ[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*?"),
    ("-u", "", 0, r"[0-9a-z]{32}-us[0-9]{1,2}"),
    ("token", "", 0, r"\/\/.+\/:_authToken=\s*((npm_.+)|([A-Fa-f0-9-]{36})).*"),
    ("T3BlbkFJ", "", 0, r"sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    ("", "private", 0, "BEGIN DSA PRIVATE KEY"),
    ("", "private", 0, "BEGIN EC PRIVATE KEY"),
    ("", "private", 0, "BEGIN OPENSSH PRIVATE KEY"),
    ("", "private", 0, "BEGIN PGP PRIVATE KEY BLOCK"),
    ("", "private", 0, "BEGIN PRIVATE KEY"),
    ("", "private", 0, "BEGIN RSA PRIVATE KEY"),
    ("", "private", 0, "BEGIN SSH2 ENCRYPTED PRIVATE KEY"),
    ("key", "", 0, "PuTTY-User-Key-File-2"),
    ("AgEIcHlwaS5vcmc", "", 0, r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9-_]{70,}"),
    ("AgENdGVzdC5weXBpLm9yZw", "", 0, r"pypi-AgENdGVzdC5weXBpLm9yZw[A-Za-z0-9-_]{70,}"),
    ("SG.", "", 0, r"SG\.[a-zA-Z0-9_-]{22}\.[a-zA-Z0-9_-]{43}"),
    ("xox", "", _ANY_CASE, r"xox(?:a|b|p|o|s|r)-(?:\d+-)+[a-z0-9]+"),
    (
        "",
        "hooks",
        _ANY_CASE | re.VERBOSE,
        r"https://hooks\.slack\.com/services/T[a-zA-Z0-9_]+/B[a-zA-Z0-9_]+/[a-zA-Z0-9_]+",
    ),
    (
        _NAMED,
        "",
        _ANY_CASE,
        rf"{_SET}(?:softlayer|sl)(?:_|-|)(?:api|)(?:_|-|){_FULL_WORD}{_TO}([a-z0-9]{{64}}){_END}",
    ),
    ("", "soap", _ANY_CASE, r"(?:http|https)://api.softlayer.com/soap/(?:v3|v3.1)/([a-z0-9]{64})"),
    ("sq0csp-", "", 0, r"sq0csp-[0-9A-Za-z\\\-_]{43}"),
    ("_", "", 0, r"(?:r|s)k_live_[0-9a-zA-Z]{24}"),
    (":", "", 0, r"\d{8,10}:[0-9A-Za-z_-]{35}"),
    ("AC", "", 0, r"AC[a-z0-9]{32}"),
    ("SK", "", 0, r"SK[a-z0-9]{32}"),
)
"""Marks, words, flags, pattern as detect-secrets 1.5 has it."""
_SIGNS_OF: Final = {
    re.compile(text, flags): (tuple(marks.split()), tuple(words.split())) for marks, words, flags, text in _THEIRS
}
_TO_AT_ONCE: Final = r"""(?:"|\'|)(?:\]|)(?: *(?::=|=>|::|=|:) *| +)(?:"|\'|)"""
"""What ``_TO`` matches, which tries every way to share spaces out among three: minutes for some thousand."""

_PREFIXES: Final = re.compile(r"\A\((?=\w+\|)|(?<=glcbt-)\(")
"""A group that is how a token begins, e.g. ``(ghp|gho)_…``; the secret is not this alone."""


def rule_of(name: str, pattern: re.Pattern[str]) -> Rule:
    """The rule for a pattern of detect-secrets; without marks and words if exactly this one is not known here."""
    signs = _SIGNS_OF.get(pattern)
    text = _PREFIXES.sub("(?:", pattern.pattern)
    if signs is None:
        return Rule(name, re.compile(text, pattern.flags))
    return Rule(name, re.compile(text.replace(_TO, _TO_AT_ONCE), pattern.flags), *signs)


def _rules() -> Iterator[Rule]:
    yield from COMMANDS
    plugins: dict[str, type] = get_mapping_from_secret_type_to_class()
    for name, plugin in sorted(plugins.items()):
        if issubclass(plugin, RegexBasedDetector) and name not in _NOT_SECRET:
            for compiled in plugin.denylist:  # type: ignore[attr-defined]  # a property there, a list in every plugin
                yield rule_of(name.lower(), compiled)


RULES: Final = Rules(_rules())
