"""What has to hold at GitHub, at the moment of the decision, for a comment, a review or a press to count.

Everything is looked up anew; what a delivery said is no evidence. The first thing that does not hold is the doubt.
Where GitHub cannot be asked nothing counts (``ChannelError``), and it is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.inbound import Decision, Reference, Undo
from askfirst.request import Verdict
from channels.github import wire
from channels.github.cards import made_at
from channels.github.conversations import comment_path, reviews_of
from channels.github.deliveries import comment_says, review_says
from channels.github.place import SCHEME, conversation_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from askfirst.inbound import Inbound, Origin
    from channels.github.cards import Cards, Posted
    from channels.github.client import GitHub
    from channels.github.config import GithubConfig
    from channels.github.conversations import Conversations
    from channels.github.place import Conversation
    from channels.github.requests import Requests
    from channels.github.standing import Standing

_Act = Decision | Undo


class _Doubt(Exception):  # noqa: N818  # never leaves this module
    """It must not count, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A comment or a review as it stands now.

    Attributes:
        at: when it was written, by GitHub's clock, whole seconds.
        commit_id: what a review looked at, ``""`` for a comment.
    """

    user: wire.User
    at: datetime
    node_id: str
    says: Inbound | None
    commit_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetting:
    """Checks one thing after the other.

    Args:
        own_id: of the account that writes for us.
    """

    github: GitHub
    config: GithubConfig
    conversations: Conversations
    cards: Cards
    standing: Standing
    requests: Requests
    own_id: Callable[[], int]

    async def vet(self, inbound: Inbound) -> Inbound:
        """See ``askfirst.ports.Listener``.

        Raises:
            ChannelError: it cannot be found out now.
        """
        if not isinstance(inbound, Decision | Undo) or inbound.doubt:
            return inbound
        try:
            return await self._vetted(inbound)
        except _Doubt as doubt:
            return replace(inbound, doubt=str(doubt))

    async def _vetted(self, act: _Act) -> _Act:
        conversation = conversation_of(act.origin.recipient)
        kind, _, number = act.origin.message.partition(":")
        self._require_asked_here(conversation)
        await self._require_another_account(act.origin, conversation)
        if kind == "check_run":
            assert isinstance(act, Decision)  # nothing else is pressed
            await self._require_own_check(act, conversation, number)
            return act
        if kind == "reaction":
            assert isinstance(act, Decision)
            await self._require_card(act.reference, conversation, None, act)
            await self._require_standing(act.origin, conversation)
            return act
        written = await self._written(kind, number, conversation)
        await self._require_genuine(act, written, conversation)
        reference = await self._resolved(act, conversation)
        if not _only_stops(act):
            posted = await self._require_card(reference, conversation, written, act)
            if written.commit_id and written.commit_id != posted.marker.head:
                raise _Doubt("your review is of another commit than the one that this request was shown at")
        await self._require_standing(act.origin, conversation)
        return replace(act, reference=reference, assurance=self._assurance(act))

    # -- who ------------------------------------------------------------------------------------------------------

    def _require_asked_here(self, conversation: Conversation) -> None:
        if not self.config.may_ask_in(conversation.repository):
            raise _Doubt("nothing is asked in this repository")

    async def _require_another_account(self, origin: Origin, conversation: Conversation) -> None:
        """Neither the account that writes for us, nor the author whose agent asks."""
        if origin.identity == f"{SCHEME}:{self.own_id()}":
            raise _Doubt("the account that asks for Askfirst cannot decide")
        if self.config.author_may_decide:
            return
        issue = await self.github.get(wire.Issue, f"{conversation.repository.path}/issues/{conversation.number}")
        is_author = issue.user is not None and origin.identity == f"{SCHEME}:{issue.user.id}"
        if issue.pull_request is not None and is_author:
            raise _Doubt("the author of the pull request is whose agent asks; somebody else has to decide")

    async def _require_standing(self, origin: Origin, conversation: Conversation) -> None:
        if problem := await self.standing.problem(origin, conversation):
            raise _Doubt(problem)

    def _assurance(self, act: Decision | Undo) -> int:
        """Where the author may decide, their agent could write it, too."""
        return 0 if self.config.author_may_decide else act.assurance

    # -- what was written -----------------------------------------------------------------------------------------

    async def _written(self, kind: str, number: str, conversation: Conversation) -> _Written:
        if kind == "review":
            return await self._review(number, conversation)
        comment = await self.github.find(wire.Comment, comment_path(conversation, int(number)))
        if comment is None:
            raise _Doubt("your comment is gone")
        if not comment.issue_url.endswith(f"/issues/{conversation.number}"):
            raise _Doubt("your comment stands in another conversation")
        if comment.created_at != comment.updated_at:
            raise _Doubt("your comment was edited, and only what is written at once counts: write a new one")
        if comment.performed_via_github_app is not None:
            raise _Doubt("your comment was written by an app in your name")
        return _Written(
            user=_known(comment.user),
            at=comment.created_at,
            node_id=comment.node_id,
            says=comment_says(comment, conversation),
        )

    async def _review(self, number: str, conversation: Conversation) -> _Written:
        review = await self.github.find(wire.Review, f"{reviews_of(conversation)}/{number}")
        if review is None or review.submitted_at is None or review.state.lower() == "dismissed":
            raise _Doubt("your review is gone")
        return _Written(
            user=_known(review.user),
            at=review.submitted_at,
            node_id=review.node_id,
            says=review_says(review, conversation),
            commit_id=review.commit_id or "none",
        )

    async def _require_genuine(self, act: _Act, written: _Written, conversation: Conversation) -> None:
        """By a person, never edited, saying now what it was heard to say, by the same account."""
        if written.user.type != "User":
            raise _Doubt(f"only people decide, and {written.user.login} is a {written.user.type}")
        if not _is_same(act, written.says):
            raise _Doubt("it does not say what it was heard to say")
        edits = await self.cards.edits(str(conversation.repository), written.node_id)
        if edits.is_edited:
            raise _Doubt("it was edited, and only what is written at once counts: write a new one")
        if edits.is_by_mail:
            raise _Doubt("it came by e-mail, and whoever has the reply address can send that: decide on the page")
        if edits.is_hidden:
            raise _Doubt("it was hidden by a moderator")

    # -- what it is about -----------------------------------------------------------------------------------------

    async def _resolved(self, act: Decision | Undo, conversation: Conversation) -> Reference:
        """The reference; a review without a code means the only card that waits here."""
        if act.reference.code or act.reference.request_id:
            return act.reference
        waiting = await self.requests.waiting(conversation)
        if len(waiting) != 1:
            how_many = "several requests wait" if waiting else "no request waits"
            raise _Doubt(f"{how_many} here, so a review without a code names none")
        return Reference(code=waiting[0])

    async def _require_card(
        self, reference: Reference, conversation: Conversation, written: _Written | None, act: Decision | Undo
    ) -> Posted:
        """Our card for this version, unaltered since before it was decided on, whole, at the same head.

        What ran may have moved the head; that keeps nobody from taking it back.
        """
        posted = await self._card(reference, conversation)
        if not posted.marker.whole:
            raise _Doubt("it is too long to be shown here in full, so it cannot be approved here")
        edits = await self.cards.edits(str(conversation.repository), posted.comment.node_id)
        if not edits.is_complete:
            raise _Doubt("our message was edited too often to tell what you saw; decide elsewhere")
        if written is not None and written.at < posted.comment.created_at:
            raise _Doubt("it was written before our message that it answers; read that one and write a new comment")
        if written is not None and edits.ours_since is not None and written.at <= edits.ours_since:
            raise _Doubt("somebody had altered our message when you wrote this; read it again and write a new comment")
        if isinstance(act, Undo) or not posted.marker.head:
            return posted
        if (await self.conversations.pull(conversation)).head.sha != posted.marker.head:
            raise _Doubt("the pull request has new commits since this was asked")
        return posted

    async def _card(self, reference: Reference, conversation: Conversation) -> Posted:
        request_id = reference.request_id or await self.requests.named(reference.code)
        ours = await self.cards.ours(conversation, made_at(request_id)) if request_id else []
        cards = [each for each in ours if each.marker.is_card and _means(reference, each)]
        if not cards:
            raise _Doubt("there is no message of ours with this code in this conversation")
        card = cards[-1]
        parts = [each for each in ours if (each.marker.req, each.marker.rev) == (card.marker.req, card.marker.rev)]
        if not all(self.cards.is_unaltered(each) for each in [card, *parts]):
            raise _Doubt("our message was altered by somebody; it is mended now, read it again and write a new comment")
        if card.marker.whole and len({each.marker.part for each in parts}) < card.marker.parts:
            raise _Doubt("a part of our message was deleted, so it was not seen in full")
        return card

    async def _require_own_check(self, act: Decision, conversation: Conversation, number: str) -> None:
        """The check run is ours, as only our App can make it, and stands at the head."""
        run = await self.github.find(wire.CheckRun, f"{conversation.repository.path}/check-runs/{number}")
        own_app = self.config.app.id if self.config.app else 0
        if run is None or run.app is None or run.app.id != own_app:
            raise _Doubt("this check is not ours")
        expected = f"{act.reference.request_id}:{act.reference.version}:{act.reference.action_digest}"
        if (run.external_id or "").rpartition(":")[0] != expected:
            raise _Doubt("this check is about another request")
        if (await self.conversations.pull(conversation)).head.sha != run.head_sha:
            raise _Doubt("the pull request has new commits since this was asked")
        await self._require_card(act.reference, conversation, None, act)
        await self._require_standing(act.origin, conversation)


def _known(user: wire.User | None) -> wire.User:
    if user is None:
        raise _Doubt("the account that wrote this is gone")
    return user


def _only_stops(act: Decision | Undo) -> bool:
    """Whether nothing can run because of it, so that it needs no look at what was shown."""
    return isinstance(act, Decision) and act.verdict in {Verdict.DENY, Verdict.NEEDS_INFO}


def _means(reference: Reference, posted: Posted) -> bool:
    marker = posted.marker
    if reference.request_id:
        fits = marker.digest.startswith(reference.action_digest) and reference.version in {0, marker.rev}
        return marker.req == reference.request_id and fits
    return marker.code == reference.code


def _is_same(act: _Act, says: Inbound | None) -> bool:
    """Whether what stands there now is what was heard; only the name of the account may be another."""
    if not isinstance(says, type(act)):
        return False
    return replace(says, origin=replace(says.origin, name=act.origin.name)) == act
