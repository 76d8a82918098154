r"""Text made visible (I9): what a screen would hide, reorder or fake is shown as ``\\u{HEX}``."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U0001d159"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters and marks that have no ink: the Default_Ignorable_Code_Points that are in none of the categories below, and
the blank of braille and of music.

From: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
"""


def visible(text: str) -> str:
    r"""The text with every character that a screen would hide, reorder or fake written as ``\\u{HEX}``.

    Newline and tab stay. Categories Cc, Cf, Cs, Co, Cn, Zl, Zp, every white space but the plain blank and what has no
    ink are escaped (https://www.unicode.org/reports/tr36/, Trojan Source CVE-2021-42574).
    """
    return "".join(each if _plain(each) else f"\\u{{{ord(each):X}}}" for each in text)


def visible_line(text: str) -> str:
    r"""The same on one line, a newline written as ``\\u{A}``: no text of others begins a line that looks like ours."""
    return visible(text).replace("\n", "\\u{A}")


def _plain(char: str) -> bool:
    if char in "\n\t ":
        return True
    return unicodedata.category(char)[0] not in "CZ" and char not in _UNSEEN
