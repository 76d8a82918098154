"""GraphQL: a comment or a review by its node id, with what REST does not tell of its edits.

Only the one shape of query that is needed is answered: ``node(id: $id)``; the answer holds every field that GitHub has
of it under the names that were asked for.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from askfirst.testing.github.door import Answer
from askfirst.testing.github.shapes import stamp
from askfirst.testing.github.world import Comment

if TYPE_CHECKING:
    from starlette.requests import Request

    from askfirst.testing.github.door import Caller
    from askfirst.testing.github.world import Account, Review, World

_FIELDS = re.compile(r"\b([a-z][A-Za-z]+)\b")


class GraphQL:
    """The handler of ``POST /graphql``."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def respond(self, request: Request, _caller: Caller) -> Answer:
        """Answer one query."""
        asked = await request.json()
        query, variables = asked.get("query", ""), asked.get("variables", {})
        if "node(id: $id)" not in query:
            return Answer({"errors": [{"message": "this fake answers node(id: $id) alone"}]}, raw=False)
        node = self._node(variables.get("id", ""))
        if node is None:
            message = f"Could not resolve to a node with the global id of '{variables.get('id', '')}'"
            error = {"type": "NOT_FOUND", "path": ["node"], "message": message}
            return Answer({"data": {"node": None}, "errors": [error]})
        names = set(_FIELDS.findall(query))
        return Answer({"data": {"node": {name: each for name, each in node.items() if name in names}}})

    def _node(self, node_id: str) -> dict[str, Any] | None:
        try:
            kind, number = json.loads(base64.b64decode(node_id))
        except ValueError:
            return None
        for repo in self._world.repositories.values():
            found: Comment | Review | None
            found = repo.comments.get(number) if kind == "IssueComment" else repo.reviews.get(number)
            if found is not None:
                return _described(found)
        return None


def _described(found: Comment | Review) -> dict[str, Any]:
    last = found.edits[-1] if found.edits else None
    made: dict[str, Any] = {
        "lastEditedAt": stamp(last.at_ms) if last else None,
        "editor": _actor(last.editor) if last else None,
        "includesCreatedEdit": bool(last),
        "createdViaEmail": isinstance(found, Comment) and found.by_mail,
        "isMinimized": isinstance(found, Comment) and found.hidden,
    }
    first = [{"editedAt": stamp(found.at_ms), "editor": _actor(found.user)}] if last else []
    nodes = [{"editedAt": stamp(each.at_ms), "editor": _actor(each.editor)} for each in reversed(found.edits)] + first
    made["userContentEdits"] = {"totalCount": len(nodes), "nodes": nodes[:100]}
    return made


def _actor(account: Account) -> dict[str, Any]:
    return {"login": account.login.removesuffix("[bot]"), "databaseId": account.id}
