"""A review as a channel hands it over, before the engine has said whether it counts."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # a dataclass's annotation
from dataclasses import dataclass

from askfirst.request import Request, Review, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    """What a channel hands over once it knows who acts: see ``askfirst.request.Review`` for the members.

    Attributes:
        edit: with an approval: arguments to run instead of those that were asked for.
        doubt: why it must not count whoever made it, ``""`` for nothing; it is recorded with these words.
        caller: the token that it was made with (``askfirst.access.Caller.id``), ``""`` for none.
        machine: the machine that this token is for.
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
    caller: str = ""
    machine: str = ""

    def is_on_its_own(self, request: Request) -> bool:
        """Whether it is made with the very token that the request was: by the API, or by the hooks of its machine."""
        if request.caller:
            return request.caller == self.caller
        return self.machine != "" and self.machine == request.action.machine


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
