"""Our own comments in a conversation: found by their markers, believed by their signature and their author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError
from channels.github import wire
from channels.github.conversations import comments_of
from channels.github.marker import Marker, is_unaltered, read_marker

if TYPE_CHECKING:
    from collections.abc import Callable

    from channels.github.client import GitHub
    from channels.github.place import Conversation

_ULID = {letter: value for value, letter in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
_SKEW = timedelta(minutes=5)
_EDITS = """
query($id: ID!) {
  node(id: $id) {
    ... on Comment { lastEditedAt includesCreatedEdit createdViaEmail editor { ...who } }
    ... on UpdatableComment { viewerCannotUpdateReasons }
    ... on Minimizable { isMinimized }
    ... on IssueComment { userContentEdits(last: 100) { totalCount nodes { editedAt editor { ...who } } } }
  }
}
fragment who on Actor { login ... on User { databaseId } ... on Bot { databaseId } }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A comment of ours, as GitHub has it now."""

    comment: wire.Comment
    marker: Marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What GraphQL knows of a comment's or a review's edits, which REST does not.

    Attributes:
        is_edited: the text is not what was written first.
        is_by_mail: it was sent by e-mail: whoever has the reply address could have.
        is_hidden: a moderator has hidden it.
        ours_since: since when our own text stands there again after somebody else's edit; None: nobody else's.
    """

    is_edited: bool
    is_by_mail: bool
    is_hidden: bool
    ours_since: datetime | None = None
    is_complete: bool = True


class Cards:
    """Looks for our comments.

    Args:
        github: the API.
        secret: signs markers.
        own_id: of the account that writes for us.
    """

    def __init__(self, github: GitHub, secret: bytes, own_id: Callable[[], int]) -> None:
        self._github = github
        self._secret = secret
        self._own_id = own_id

    async def ours(self, conversation: Conversation, since: datetime) -> list[Posted]:
        """Comments by us that were changed since then and have a marker, oldest first; altered ones among them."""
        query = {"since": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        found = await self._github.pages(wire.Comment, comments_of(conversation), query)
        own_id, posted = self._own_id(), []
        for each in found:
            marker = read_marker(each.text)
            if marker is not None and each.user is not None and each.user.id == own_id:
                posted.append(Posted(comment=each, marker=marker))
        return posted

    def is_unaltered(self, posted: Posted) -> bool:
        """Whether it is as we wrote it."""
        return is_unaltered(posted.comment.text, self._secret)

    async def edits(self, owner: str, node_id: str) -> Edits:
        """What GraphQL knows of the edits of a comment or a review.

        Raises:
            ChannelError: it knows no such thing (any more).
        """
        data = await self._github.graphql(owner, _EDITS, {"id": node_id})
        node = data.get("node")
        if not isinstance(node, dict) or "lastEditedAt" not in node:
            raise ChannelError("GitHub knows no such comment any more")
        history = node.get("userContentEdits") or {}
        entries = [each for each in history.get("nodes") or [] if isinstance(each, dict)]
        return Edits(
            is_edited=node["lastEditedAt"] is not None
            or node.get("includesCreatedEdit") is not False
            or node.get("editor") is not None,
            is_by_mail=node.get("createdViaEmail") is not False,
            is_hidden=node.get("isMinimized") is True,
            ours_since=self._ours_since(entries),
            is_complete=history.get("totalCount", 0) <= len(entries),
        )

    def _ours_since(self, entries: list[dict[str, Any]]) -> datetime | None:
        moments = sorted(
            ((datetime.fromisoformat(each["editedAt"]), _editor(each) == self._own_id()) for each in entries),
            key=lambda moment: moment[0],
        )
        foreign = [at for at, is_own in moments if not is_own]
        if not foreign:
            return None
        return next((at for at, is_own in moments if is_own and at > foreign[-1]), datetime.max.replace(tzinfo=UTC))


def made_at(request_id: str) -> datetime:
    """When a request was made, by its ULID, a little earlier for clocks that differ."""
    value = 0
    for letter in request_id[:10]:
        value = value * 32 + _ULID[letter]
    return datetime.fromtimestamp(value / 1000, UTC) - _SKEW


def _editor(entry: dict[str, Any]) -> int:
    editor = entry.get("editor")
    number = editor.get("databaseId") if isinstance(editor, dict) else None
    return number if isinstance(number, int) else 0
