"""Text that is not ours as Markdown: shown as it is, as code. There nothing is a link, a mention, a tag or a picture.

Our own words are the only prose of a comment. From: https://github.github.com/gfm/ §4.4 (indented code), §4.5 (fences),
§6.3 (code spans). GitHub's engine, cmark-gfm, counts backticks only so far: of a fence to 255, of a span to 80; what
comes near is written another way, since a text with more of them would else end its own fence.
"""

from __future__ import annotations

import re

_RUNS = re.compile("`+")
_TILDES = re.compile("~+")
_LANGUAGES = frozenset({"bash", "diff", "json", "text"})
_FENCE_MAX = 200
_SPAN_MAX = 40


def span(text: str) -> str:
    """One line of foreign text as a code span; line ends are shown as ``⏎``, since a blank line would end it."""
    plain = text.replace("\r", "").replace("\n", " ⏎ ").strip() or " "
    plain = _RUNS.sub(_counted, plain)
    ticks = "`" * (_longest(_RUNS, plain) + 1)
    edge = " " if plain[0] == "`" or plain[-1] == "`" else ""
    return f"{ticks}{edge}{plain}{edge}{ticks}"


def fence(text: str, language: str = "text") -> str:
    """Foreign text of any lines in a fence that is longer than every run of its own character inside."""
    assert language in _LANGUAGES, language
    for runs, sign in ((_RUNS, "`"), (_TILDES, "~")):
        length = max(3, _longest(runs, text) + 1)
        if length <= _FENCE_MAX:
            return f"{sign * length}{language}\n{text}\n{sign * length}"
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _counted(run: re.Match[str]) -> str:
    return run[0] if len(run[0]) <= _SPAN_MAX else f"`[{len(run[0])} times]"


def _longest(runs: re.Pattern[str], text: str) -> int:
    return max((len(run) for run in runs.findall(text)), default=0)
