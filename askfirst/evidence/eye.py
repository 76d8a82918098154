"""What a source may look with: the disk and git, read-only, within its own time.

Each source of evidence gets an eye of its own, so that a slow one takes no time from the others.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from askfirst.disk import Disk
from askfirst.evidence.values import Gap
from askfirst.git_facts import GitFacts
from askfirst.git_reader import Deadline, GitReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from askfirst.call import ToolCall
    from askfirst.effects import Classification, Effect
    from askfirst.evidence.values import Exhibit

LIMIT_S: Final = 2.0
"""How long one source may take, seconds."""
_MAX_OUTPUT_BYTES: Final = 64 << 20
"""Output of one look at a repository: a million names."""


class Eye:
    """Looks at this machine for one source.

    Args:
        limit_s: seconds for everything together; they begin with the first look.
        environ: the broker's environment; git gets its path, home and XDG folder.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.deadline = Deadline(limit_s) if clock is None else Deadline(limit_s, clock)
        self.reader = GitReader(self.deadline, environ, max_output_bytes=_MAX_OUTPUT_BYTES)
        self.git = GitFacts(self.reader)
        self.disk = Disk(budget_s=limit_s, environ=environ)
        self.environ = environ


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One call and what the analysis found in it."""

    call: ToolCall
    found: Classification


@dataclass(slots=True)
class Found:
    """What one source has found so far: exhibits, and the state that they rest on by name."""

    exhibits: list[Exhibit] = field(default_factory=list)
    state: dict[str, str] = field(default_factory=dict)

    def gap(self, about: str, reason: str, *, failed: bool = True) -> None:
        """Say that something is not known."""
        self.exhibits.append(Gap(about=about, reason=reason, failed=failed))


def fingerprint(parts: Iterable[bytes]) -> str:
    """A short hash over what a state rests on."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


class Source(Protocol):
    """One kind of evidence; ``askfirst.evidence.sources`` has the ones there are."""

    @property
    def about(self) -> str:
        """What it answers, for the gap when it does not."""
        ...

    @property
    def is_stateful(self) -> bool:
        """Whether it is asked again before a grant is redeemed."""
        ...

    def concerns(self, subject: Subject) -> bool:
        """Whether there is anything in a call that it could look at."""
        ...

    def covers(self, effect: Effect) -> bool:
        """Whether this source says something about such an effect."""
        ...

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """Add what is found to ``found``, which is kept even when the time is up before it returns.

        Called in a thread. Changes nothing and runs nothing of a repository's own.
        """
        ...
