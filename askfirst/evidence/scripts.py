"""Evidence about scripts: their text, so that people read what runs and not its name, and the effects found inside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import BODY_MAX_CHARS, LISTED_MAX, Script, text_of
from askfirst.facts import UNKNOWN

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.evidence.eye import Eye, Found, Subject

_READ_MAX_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class ScriptSource:
    """Every script file that a call runs. Its hash is part of the action already."""

    about: str = "the text of the scripts"
    is_stateful: bool = False

    def concerns(self, subject: Subject) -> bool:
        """Whether a file's text runs."""
        return bool(subject.found.scripts)

    def covers(self, effect: Effect) -> bool:
        """Whether it was found in something that runs something else."""
        return bool(effect.via)

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """One exhibit a script."""
        inside = tuple(text_of(f"{each.loss} ({each.rule})") for each in subject.found.effects if each.via)
        for path in subject.found.scripts[:LISTED_MAX]:
            content = eye.disk.read_script(path, _READ_MAX_BYTES)
            if content is UNKNOWN or content is None:
                found.gap(f"the text of {text_of(path)}", "it cannot be read, or is too large")
                continue
            text = text_of(content, BODY_MAX_CHARS)
            found.exhibits.append(
                Script(
                    path=text_of(path),
                    text=text,
                    size_bytes=len(content),
                    cut=len(content) > BODY_MAX_CHARS,
                    sha256=hashlib.sha256(content).hexdigest(),
                    effects=inside[:LISTED_MAX],
                )
            )
        if len(subject.found.scripts) > LISTED_MAX:
            found.gap(f"the text of {len(subject.found.scripts) - LISTED_MAX} more scripts", "there are too many")
