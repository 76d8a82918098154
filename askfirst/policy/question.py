"""What a policy is asked: a call, what it would do, who asks, where and when. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from askfirst.call import ToolCall
    from askfirst.effects import Classification
    from askfirst.host import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call would run, as the disk stands; all of it ``""`` where nobody could look.

    Attributes:
        project: top of the work tree or the folder itself, symlinks resolved.
        repository: ``owner/name`` of the remote ``origin``, or the folder's name when it has none.
        branch: the checked-out branch, ``""`` when detached or outside a repository.
        default_branch: the remote's default branch.
        protected: the branch is known to be protected, e.g. by its forge.
        real: path as the call names it, made absolute -> the same with every symlink resolved.
    """

    project: str = ""
    repository: str = ""
    branch: str = ""
    default_branch: str = ""
    protected: bool = False
    real: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One call before the policy.

    Attributes:
        call: what would be run.
        classification: what it would do, by our own analysis.
        agent: host, session, subagent and model, all the host's word.
        at: now, aware.
        place: repository and paths.
        claim: what the agent says; it can only make the ruling stricter.
        requires_approval: the requester itself wants a person to decide.
    """

    call: ToolCall
    classification: Classification
    agent: Agent
    at: datetime
    place: Place = field(default_factory=Place)
    claim: Claim = field(default_factory=Claim)
    requires_approval: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the time of a question needs a timezone")
