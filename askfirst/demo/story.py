"""The story that the demo tells: what the agent tries, and whether what came of it is what should have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.demo.scratch_repository import UNPUSHED
from askfirst.demo.script import Say, ToolResult, Turn, bash

if TYPE_CHECKING:
    from askfirst.demo.scratch_repository import ScratchRepository

RESET = "git reset --hard HEAD~2"
FIRST_TRY, SECOND_TRY = "toolu_0002", "toolu_0003"

TURNS: tuple[Turn, ...] = (
    (Say(text="I look at the state of the repository first."), bash("toolu_0001", "git status --short --branch")),
    (Say(text="That looks stale to me. I throw it away and start afresh."), bash(FIRST_TRY, RESET)),
    (
        Say(text="I was told no. I explain myself and try once more."),
        bash(SECOND_TRY, RESET, "The commits are obsolete"),
    ),
    (Say(text="Let me see what is there now."), bash("toolu_0004", "git log --oneline --decorate")),
    (Say(text="That is all."),),
)


@dataclass(slots=True)
class Witness:
    """Looks at the repository itself after each try, never at what anybody says about it.

    Attributes:
        repository: where it looks.
        approved: whether each try so far ran, in order.
        complaints: what should not have happened, as sentences.
    """

    repository: ScratchRepository
    approved: list[bool] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def look(self, result: ToolResult) -> str:
        """What the repository says after this try, ``""`` for results that matter to nobody."""
        if result.id not in {FIRST_TRY, SECOND_TRY}:
            return ""
        self.approved.append(not result.is_error)
        commits, ran = len(self.repository.unpushed()), self.repository.resets()
        self._expect(ran == sum(self.approved), f"{sum(self.approved)} approvals, but the command ran {ran} times")
        if ran:
            return f"the command ran {_times(ran)}; {commits} of {len(UNPUSHED)} unpushed commits are left"
        self._expect(commits == len(UNPUSHED), f"nothing was approved, but {commits} commits are left")
        self._expect(self.repository.has_unsaved_work(), "nothing was approved, but the uncommitted change is gone")
        return f"the command did not run; all {commits} unpushed commits and the uncommitted change are still there"

    def close(self, decides: tuple[bool, ...] | None) -> None:
        """At the end of the run: compare with what the person meant to decide."""
        self._expect(len(self.approved) == len(TURNS[1:3]), f"the agent tried {_times(len(self.approved))}, not twice")
        wanted = decides is None or tuple(self.approved) == decides
        self._expect(wanted, f"the person decided {decides}, the agent got {tuple(self.approved)}")

    def _expect(self, truth: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not truth:
            self.complaints.append(complaint)


def _times(count: int) -> str:
    return {1: "exactly once", 2: "twice"}.get(count, f"{count} times")
