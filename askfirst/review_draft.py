"""A review as a channel hands it over, before the engine has said whether it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # a dataclass's annotation
from dataclasses import dataclass

from askfirst.request import Request, RequestState, Review, Verdict

_SAID = ("verdict", "text", "stop", "to")
"""What makes one review of a person another than the next, whether or not it counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    """What a channel hands over once it knows who acts: see ``askfirst.request.Review`` for the members.

    Attributes:
        edit: with an approval: arguments to run instead of those that were asked for.
        doubt: why it must not count whoever made it, ``""`` for nothing; it is recorded with these words.
        machine: the machine that the token it was made with is for, ``""`` for none.
        may_ask: whether that token may ask, too.
    """

    decision_id: str
    request_id: str
    version: int
    action_digest: str
    person: str
    channel: str
    verdict: Verdict
    assurance: int
    text: str = ""
    by_program: bool = False
    scope: str = ""
    stop: bool = False
    to: str = ""
    edit: Mapping[str, object] | None = None
    doubt: str = ""
    machine: str = ""
    may_ask: bool = False

    def is_on_its_own(self, request: Request) -> bool:
        """Whether the request may be of the very token that it is made with.

        One that may ask can have amended or joined whatever else was asked from its machine; of what the hooks there
        have asked nobody knows with which token.
        """
        is_there = self.machine != "" and self.machine == request.action.machine
        return is_there and (self.may_ask or not request.caller)

    def is_another(self, kept: Review, versions: Sequence[Request]) -> bool:
        """Whether it says something else than the review that is kept under its id.

        Args:
            kept: under that id.
            versions: the newest version of the request, then those before.
        """
        if any(getattr(kept, name) != getattr(self, name) for name in _SAID):
            return True
        if not kept.counted:  # nobody hears of it that it is done
            return False
        if self.scope != kept.scope and (kept.scope or versions[0].state is not RequestState.EXPIRED):
            return True  # late, an approval is for once whatever was chosen
        if self.edit is None:
            return (kept.version, kept.action_digest) != (self.version, self.action_digest)
        made = next((each.action.arguments for each in versions if each.version == kept.version), None)
        return made != self.edit or kept.version - self.version not in {0, 1}  # 1: the version that the edit made


def review_of(draft: ReviewDraft, now_ms: int) -> Review:
    """The review that this makes at this moment; it does not count yet."""
    return Review(
        decision_id=draft.decision_id,
        request_id=draft.request_id,
        version=draft.version,
        action_digest=draft.action_digest,
        person=draft.person,
        channel=draft.channel,
        verdict=draft.verdict,
        text=draft.text,
        assurance=draft.assurance,
        at_ms=now_ms,
        by_program=draft.by_program,
        scope=draft.scope,
        stop=draft.stop,
        to=draft.to,
    )
