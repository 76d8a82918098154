"""Webhook deliveries: signed as GitHub signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from askfirst.testing.github import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.testing.github.world import Account, Repository, World


@dataclass(frozen=True)
class Hook:
    """A webhook of all repositories."""

    secret: bytes

    def delivery(
        self,
        world: World,
        event: str,
        action: str,
        repository: Repository,
        sender: Account,
        more: Mapping[str, Any],
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of one delivery."""
        payload = {
            "action": action,
            "repository": shapes.repository(repository),
            "sender": shapes.account(sender),
            **_parts(world, repository, more),
        }
        body = json.dumps(payload).encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "GitHub-Hookshot/044aadd",
            "x-github-delivery": str(uuid.uuid4()),
            "x-github-event": event,
            "x-hub-signature-256": f"sha256={hmac.new(self.secret, body, hashlib.sha256).hexdigest()}",
        }
        return headers, body


def _parts(world: World, repository: Repository, more: Mapping[str, Any]) -> dict[str, Any]:
    parts = dict(more)
    if "comment" in parts:
        comment = parts["comment"]
        parts["issue"] = shapes.issue(repository, repository.threads[comment.number])
        parts["comment"] = shapes.comment(world, repository, comment)
    if "review" in parts:
        review = parts["review"]
        parts["pull_request"] = shapes.pull(repository, repository.threads[review.number])
        parts["review"] = {**shapes.review(repository, review), "state": review.state.lower()}
    if "check_run" in parts:
        parts["check_run"] = {key: each for key, each in parts["check_run"].items() if key != "actions"}
    return parts
