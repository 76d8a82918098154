r"""Text made visible (I9): what a screen would hide, reorder or fake is shown as ``\\u{HEX}``."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    r"""The text with every character that a screen would hide, reorder or fake written as ``\\u{HEX}``.

    Newline and tab stay. Categories Cc, Cf, Cs, Co, Cn, Zl, Zp and every white space but the plain blank are escaped
    (https://www.unicode.org/reports/tr36/, Trojan Source CVE-2021-42574).
    """
    return "".join(each if _plain(each) else f"\\u{{{ord(each):X}}}" for each in text)


def _plain(char: str) -> bool:
    if char in "\n\t ":
        return True
    category = unicodedata.category(char)
    return category[0] not in "CZ"
