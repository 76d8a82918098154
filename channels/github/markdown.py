"""Text that is not ours as Markdown: shown as it is, as code. There nothing is a link, a mention, a tag or a picture.

Our own words are the only prose of a comment. From: https://github.github.com/gfm/ §4.5 (fences), §6.3 (code spans).
"""

from __future__ import annotations

import re

_RUNS = re.compile("`+")
_LANGUAGES = frozenset({"bash", "diff", "json", "text"})


def span(text: str) -> str:
    """One line of foreign text as a code span; line ends are shown as ``⏎``, since a blank line would end it."""
    plain = text.replace("\r", "").replace("\n", " ⏎ ").strip() or " "
    ticks = "`" * (_longest_run(plain) + 1)
    edge = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{ticks}{edge}{plain}{edge}{ticks}"


def fence(text: str, language: str = "text") -> str:
    """Foreign text of any lines in a fence that is longer than every run of backticks inside."""
    assert language in _LANGUAGES, language
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)
