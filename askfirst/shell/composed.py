"""Texts that programs make of literal words and unknown ones, a ``HOLE`` for each: ``sed 's/^/rm -rf /' list``.

What reaches a shell in this way is a command line whose words are known up to the names in it, so it can be judged.
Only where literal words stand in front: a text that begins with something unknown says nothing.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

from askfirst.shell.command import HOLE

_SED: Final = re.compile(r"s([/|,#:@!])(\^|\^?\(?\\?\(?\.[*+]\\?\)?\)?\$?)\1((?:(?!\1).)*+)\1[gI]*+")
"""A substitution that puts words in front of a line, or around the whole of it."""
_REFERENCE: Final = re.compile(r"\\[0-9]|(?<!\\)&")
_AWK_PRINT: Final = re.compile(r"\bprintf?\b[\s(]*+([^;}]*+)")
_AWK_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_JQ_STRING: Final = re.compile(r'\s*+(?:[^"|]*+\|\s*+)*+"((?:[^"\\]|\\.)*+)"\s*+')
_JQ_VALUE: Final = re.compile(r"\\\([^()]*+\)")
_SQL_STRING: Final = re.compile(r"'((?:[^']|'')*+)'")
_SQL_HEAD: Final = re.compile(r"\s*+(?:drop|truncate|delete|alter|update|grant|revoke|kill|optimize)\b", re.IGNORECASE)
_SQL_OPTIONS: Final = re.compile(r"-[A-Za-z]*[ceqQ]|--(?:command|execute|query)")
_BEGINS: Final = re.compile(r"\s*+[A-Za-z_./]")

COMPOSERS: Final = frozenset(
    "sed gsed awk gawk mawk nawk jq psql mysql mariadb sqlite3 clickhouse-client sqlcmd duckdb cockroach".split()
)
"""Programs that ``composed`` knows."""


def composed(name: str, args: list[str]) -> str:
    """What the program prints as far as its own words say, ``""`` when they do not."""
    if name.endswith("sed"):
        made = _of_sed(args)
    elif name.endswith("awk"):
        made = _of_awk(args)
    elif name == "jq":
        made = _of_jq(args)
    else:
        return _of_sql(args)
    return made if _BEGINS.match(made) else ""


def _of_sed(args: list[str]) -> str:
    scripts = [text for text in args if not text.startswith("-")][:1]
    match = _SED.fullmatch(scripts[0]) if scripts and "-i" not in args else None
    if match is None:
        return ""
    text = _REFERENCE.sub(HOLE, match[3])
    return text + (HOLE if match[2] == "^" else "") + "\n"


def _of_awk(args: list[str]) -> str:
    program = next((text for text in args if "print" in text), "")
    lines = [_pieces(match[1]) for match in _AWK_PRINT.finditer(program)]
    return "".join(f"{line}\n" for line in lines)


def _pieces(expression: str) -> str:
    """The strings of an awk expression; what stands between them is not known."""
    made, at = "", 0
    for match in _AWK_STRING.finditer(expression):
        made += (HOLE if expression[at : match.start()].strip(" ,") else "") + match[1]
        at = match.end()
    return made + (HOLE if expression[at:].strip(" )") else "")


def _of_jq(args: list[str]) -> str:
    match = next((match for text in args if (match := _JQ_STRING.fullmatch(text))), None)
    return f"{_JQ_VALUE.sub(HOLE, match[1])}\n" if match else ""


def _of_sql(args: list[str]) -> str:
    """Statements that a query builds: ``select 'drop table ' || name || ';'``."""
    queries = [after for before, after in itertools.pairwise(args) if _SQL_OPTIONS.fullmatch(before)]
    for query in [*queries, *args[1:2]]:
        strings = _SQL_STRING.findall(query)
        at = next((at for at, text in enumerate(strings) if _SQL_HEAD.match(text)), None)
        if at is not None:
            return HOLE.join(strings[at:]) + "\n"
    return ""
