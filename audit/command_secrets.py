"""What secrets look like on command lines, by shape: after a name, in a program's place for one, by themselves.

- A value after the name of a secret (``--password V``, ``X_TOKEN=V``, ``"apiKey": "V"``).
- A value that looks made by a machine after a name that says less (``SENDGRID_KEY=V``, ``?sig=V``).
- A value where a program takes one (``redis-cli -a V``), see ``audit.program_secrets``.
- Tokens that tell by themselves.

No pattern may take more than linear time for what it reads; ``tests/audit/test_hostile_texts.py`` tries each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from audit.program_secrets import program_rules
from audit.secret_names import NAMED, NAMES_OF_SECRETS, REST_OF_NAME, TELLS_OF, VAGUE
from audit.secret_rule import Rule
from audit.secret_values import VALUE, is_literal, is_made, is_password_of_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SETS: Final = (
    r"""(?:\\*["'])?\]?(?:\s*(?:=>|:=|=(?!=)|:(?!:))(?:[^\S\n]*|\s*(?=\\*["']))"""
    r"""|(?<=["'])\s*,\s*(?=\\*["'])|(?<=["']\])\s+(?=["']))"""
)
"""What stands between a name and its value: of a member, a variable, an argument, a key in brackets."""
_TOKENS: Final = (
    r"sk-[a-zA-Z]{2,10}-[\w-]{16,}|glpat-[\w-]{20,}|xox[a-z]-[\w-]{10,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|pypi-[\w-]{16,}"
    r"|hvs\.[\w-]{20,}|\w{3}\dQ~[\w.~-]{31,40}|AGE-SECRET-KEY-1[0-9A-Z]{40,}|tskey-[\w-]{12,}|GOCSPX-[\w-]{20,}"
    r"|(?:PMAK|NRAK)-[\w-]{20,}"
)
"""Tokens of vendors that are younger than the detector's release, or that it knows in an older form."""
_TOKENS_OF_PARTS: Final = (
    r"github_pat_\w{22,}|gh[pousr]_\w{30,}|hf_\w{30,}|npm_\w{36}|dop_v1_[0-9a-f]{64}|dckr_[op]at_[\w-]{20,}"
)
"""As above, those whose parts are set apart by low lines."""
_ANY_VENDOR: Final = r"\b(?:[a-zA-Z]{1,10}+\d?_(?:[a-z]{1,8}+_)?[A-Za-z0-9]{24,}+)(?![\w-])"
"""The form that most vendors give their tokens by now: who, what for, and what is made."""

_NO_SWITCH: Final = r"(?!-?(?:disabled|no)-)"
"""What begins so says that there is no secret (``--disabled-password``, ``--no-password``); what follows is none."""

_OURS: Final[tuple[tuple[str, str, str, str, Callable[[str], bool] | None], ...]] = (
    (
        "option",
        NAMED,
        "",
        (
            rf"(?i)-(?<![\w-][\w-]){_NO_SWITCH}[\w.-]*{NAMES_OF_SECRETS}(?={REST_OF_NAME}[\w-]{{0,64}}+\s)"
            rf"{TELLS_OF}{REST_OF_NAME}[\w-]{{0,64}}+\s+(?!-){VALUE}"
        ),
        is_literal,
    ),
    (
        "assignment",
        NAMED,
        "",
        rf"(?i){NAMES_OF_SECRETS}(?={REST_OF_NAME}{_SETS}){TELLS_OF}{REST_OF_NAME}{_SETS}{VALUE}",
        is_literal,
    ),
    ("assignment", f"{NAMED} auth sig sess", "", rf"(?i){VAGUE}[\w-]{{0,64}}+(?:{_SETS}|(?<=key)\s+){VALUE}", is_made),
    ("assignment", "", "appid", rf"(?i)\bappid={VALUE}", is_made),
    (
        "header",
        "",
        "authorization",
        r"""(?i)\bauthorization(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?:\w+\s+)?+([^\s"'`\\]+)""",
        is_literal,
    ),
    (
        "password",
        "-u -a",
        "creds",
        (
            r"""-(?<![^\s\"'(=]-)(?:(?:u|-user|-proxy-user|-auth|auth|a)[\s=]{0,16}|-(?:[a-z]{1,16}-)?creds[\s=]{1,16})["']?"""
            rf"""(?P<user>[^\s:"'$/@%=]{{1,128}}):(?!(?P=user)\b){VALUE}"""
        ),
        is_password_of_user,
    ),
    ("password", "-u", "", rf"""-(?<![^\s\"'(=]-)(?:U|-user)[\s=]{{0,16}}["']?[\w\\.-]{{1,128}}%{VALUE}""", is_literal),
    ("password", "", "lftp", r"""\blftp\s[^|;&\n]{0,80}?-u\s*["']?[^\s,"']+,([^\s"'$]+)""", is_literal),
    (
        "cookie",
        "",
        "cookie",
        r"""(?i)(?:\bcookie:\s*|--cookie[=\s]+["']?)([^\s"'$`;=]+=[^\s"'$`;]+(?:;\s*[^\s"'$`;=]+=[^\s"'$`;]+)*)""",
        None,
    ),
    ("cookie", "-b", "", r"""(?<=\s)-b\s*["']?([^\s"'$`;=/]+=[^\s"'$`;]{8,})""", is_literal),
    ("password", "@", "", r"""://[^\s:/@"'$]*:([^\s/@"'$]+)@""", is_literal),
    ("password", "@", "", r"""https?://([^\s:/@"'$]{16,})@""", is_made),
    (
        "token",
        "xox AIza Q~",
        "sk glpat ya29 pypi hvs age tskey gocspx pmak nrak",
        rf"\b({_TOKENS})(?![\w-])",
        None,
    ),
    ("token", "_", "", rf"\b({_TOKENS_OF_PARTS})(?![\w-])", None),
    ("token", ":", "", r"\b(?:bot)?\d{8,10}:[\w-]{33,35}(?![\w-])", None),
    ("token", "_", "", _ANY_VENDOR, is_made),
    (
        "private key",
        "",
        "begin",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
        None,
    ),
)
"""Name, marks, words, pattern, what tells a secret."""


def _rules() -> Iterator[Rule]:
    for name, marks, words, pattern, is_secret in _OURS:
        yield Rule(name, re.compile(pattern), tuple(marks.split()), tuple(words.split()), is_secret=is_secret)
    yield from program_rules()


COMMANDS: Final = tuple(_rules())
