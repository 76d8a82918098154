"""Tells a secret from what stands in its place: references, file names, switches, numbers, types.

A command that holds ``--password "$PW"`` or ``token_ttl=3600`` holds no secret, and a log that hides such words tells
less. In doubt a word after the name of a secret is one.
"""

from __future__ import annotations

import re
from typing import Final

QUOTED: Final = r"""(?:\\+"(?!\s)((?:[^"\\\n]|\\(?!["\\]))++)\\*"|"(?!\s)((?:[^"\\\n]|\\.)++)"|'(?!\s)([^'\n]++)')"""
"""A pattern of a quoted value: in quotes that are escaped, as in JSON in a shell's string; double; single."""
VALUE: Final = (
    rf"""(?:{QUOTED}|(?![\w.]+[(\[]|\.[*+]|\[\^|\\[SWswd])["']?((?:[^\s"'`<>|&;(){{}},\\]|\\[^\s"'nrt])++))"""
)
"""A pattern of a value: quoted, or up to what ends a word; no call, and no regular expression."""
SHORTEST_CHARS: Final = 3
_REFERENCE: Final = re.compile(
    r"""(?ix)
    \$(?![1256y]\$ | 2[abxy]\$ | apr1\$ | argon2)      # a variable, and not a hash as crypt(3) has it
    | %\w+% | \{[{%] | < | !(?:vault|secret|env|ref|sub|include)\b
    | (?:op|vault|file|env|fd|ssm|sm|keyring|keychain|ref\+\w+|https?)://
    | (?:env|file|fd|secretref|arn|vault|ssm|keyvault):
    | (?:id|env|type|source|src|name|\w+secret\w*)= | projects/[^/]+/secrets/
    | (?:self|this|os|env|environ|config|conf|args|opts|options|process|settings|var|vars|local|data|module|req|request
        |params|props|state|ctx|context|user|values|secrets|github|inputs|each|random_\w+|aws_\w+|azurerm_\w+
        |google_\w+)\.[a-z_]
    """
)
"""How what is not the secret itself begins."""
_FILE: Final = re.compile(
    r"""(?ix)
    @?(?:~|\.{1,2})?[/\\][\w.@/\\~+-]* | @?[a-z]:[/\\].*
    | @?[\w./\\@-]+\.(?:txt|json|jsonc|ya?ml|toml|ini|cfg|conf|env|properties|xml|csv|tsv|log|md|html?|pem|key|crt|cer
        |pub|ppk|p12|pfx|jks|keystore|keytab|kdbx|gpg|asc|enc|age|sig|py|js|jsx|ts|tsx|go|rb|rs|sh|php|java|c|h|cpp|sql|tf
        |tfvars|template|example|sample|dist|bak|tmp|tar|gz|zip|lock|pw|cred|secret|db)
    """
)
_EXPRESSION: Final = re.compile(r"\$[({]|`|\{\{|\\[SWsw][*+]|\.\*|\[\^")
"""What makes a longer text a pattern or a template."""
_SWITCH: Final = re.compile(
    r"""(?ix)
    true|false|yes|no|on|off|none|null|nil|undefined|auto|default|required|optional|enabled?|disabled?|stdin|prompt|ask
    |never|always|change_?me|and|or|is|was|are|be|for|from|the|in|to|with|see|it|via|by|when|if|must|should|as|env|file|string|str|bytes?|bool(?:ean)?|int(?:eger)?|number|text|any|object|varchar|unique|not
    |[-+]?\d{1,5}(?:\.\d+)*(?:[smhdwy]|ms|[kmg]i?b?)?|\d+(?:\.\d+){2,}
    |(.)\1*|\.{3}.*|your[-_ ].*|-.*
    """
)
"""Switches, short numbers, spans of time, types, and what holds a value's place."""
_VARIABLE: Final = re.compile(r"\$\w+")
_BESIDE_A_VARIABLE: Final = re.compile(r"[^A-Za-z_./:\s-]")
_WITHIN_A_WORD: Final = re.compile(r"[A-Za-z0-9]\$(?!(?:[A-Z_][A-Z0-9_]*+|[a-z_][a-z0-9_]*+)(?!\w))\w")
"""A ``$`` of the value itself, most likely: no variable is called so, and nobody writes one right behind a letter."""
_NAMES_OF_GROUPS: Final = frozenset("root users staff wheel nogroup nobody www-data docker daemon".split())
_DIGEST: Final = re.compile(
    r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}|(?:sha\d+[:-])?(?:[0-9a-f]{40}|[0-9a-f]{64})"
)
"""A UUID, a key's id, and a hash of git, of a file or of an image."""
_RUN: Final = re.compile(r"[A-Za-z0-9+]{12,}")
_TURN: Final = re.compile(r"[A-Za-z][0-9]|[0-9][A-Za-z]")
_TURNS: Final = 3
_MIXED: Final = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=(?:.*[0-9]){3}).{16}")
_MADE_MIN_CHARS: Final = 16


def is_literal(value: str) -> bool:
    """Whether this may be the secret itself."""
    if len(value) < SHORTEST_CHARS or _EXPRESSION.search(value):
        return False
    if _REFERENCE.match(value) or _FILE.fullmatch(value) or _SWITCH.fullmatch(value):
        return is_made(value) and value[0] in "/+"  # base64 may look like a path
    rest, variables = _VARIABLE.subn("", value)
    if not variables or value[0] == "$":
        return True
    return bool(_BESIDE_A_VARIABLE.search(rest)) or bool(_WITHIN_A_WORD.search(value))


def is_made(value: str) -> bool:
    """Whether this looks as a machine makes keys: long, of letters and digits without order, and no digest or UUID."""
    if len(value) < _MADE_MIN_CHARS or _DIGEST.fullmatch(value) or _EXPRESSION.search(value) or value[0] == "$":
        return False
    return any(len(_TURN.findall(run)) >= _TURNS or _MIXED.match(run) for run in _RUN.findall(value))


def is_password_of_user(value: str) -> bool:
    """Whether this may be the password in ``user:password``, and not the group in ``user:group``."""
    return value not in _NAMES_OF_GROUPS and is_literal(value)
