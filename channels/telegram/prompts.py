"""What we ask people to write in a reply, in fixed words: from these a reply is understood, without anything stored.

Nothing of an agent's ever stands in a prompt, so no agent can make a card or message look like one: a reply counts
for what the whole text of the message that it answers is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

CODE = r"[0-9A-HJKMNP-TV-Z]{6}-[0-9a-f]{8}"


class Prompt(StrEnum):
    """What the reply is."""

    CODE = "code"
    REASON = "reason"
    QUESTION = "question"
    ANSWER = "answer"


_WORDS = {
    Prompt.CODE: "To approve {}, reply to this message with its code, or with the part behind the hyphen.",
    Prompt.REASON: "To deny {}, reply to this message with the reason.",
    Prompt.QUESTION: "To ask the agent about {}, reply to this message with your question.",
    Prompt.ANSWER: "To answer {}, reply to this message with your answer.",
}
PLACEHOLDERS = {
    Prompt.CODE: "the code, as the card shows it",
    Prompt.REASON: "the reason",
    Prompt.QUESTION: "your question to the agent",
    Prompt.ANSWER: "your answer",
}
CHOOSER = "What are these words for? Nothing is decided by them yet."
_PATTERNS = {
    prompt: re.compile(re.escape(words).replace(r"\{\}", f"({CODE})"), re.ASCII) for prompt, words in _WORDS.items()
}
_FOOT = re.compile(rf"({CODE})(?: · v[0-9]+)? · (?:log [0-9]+:[0-9a-f]+|no log)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What our message was that somebody replied to: a prompt or, with ``prompt`` None, a card."""

    code: str
    prompt: Prompt | None


def prompt_text(prompt: Prompt, code: str) -> str:
    """The words for a request with this code."""
    return _WORDS[prompt].format(code)


def answered(text: str) -> Answered | None:
    """What a message of ours with this text is, None where it is neither a prompt nor a card."""
    for prompt, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(text):
            return Answered(code=found[1], prompt=prompt)
    foot = _FOOT.fullmatch(text.rpartition("\n")[2])
    return Answered(code=foot[1], prompt=None) if foot else None
