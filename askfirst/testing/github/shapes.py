"""What the fake's answers look like: the smallest values of GitHub's schemas, with the fake's facts laid over them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askfirst.testing.github.world import Account, App, Comment, Repository, Review, Thread, World

API = "https://api.github.invalid"
"""Stands for the API's address, which the door puts in its place: clients follow the links in answers."""
_SHAPES: dict[str, Any] = json.loads(
    resources.files("askfirst.testing.github").joinpath("shapes.json").read_text(encoding="utf-8")
)


def shape(schema: str, /, **facts: Any) -> dict[str, Any]:
    """The smallest value of a schema, with these facts; a fact that is a dictionary is laid over its own member."""
    made: dict[str, Any] = copy.deepcopy(_SHAPES[schema])
    return _over(made, facts)


def stamp(at_ms: int) -> str:
    """A moment as GitHub writes it: whole seconds."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def account(each: Account, schema: str = "simple-user") -> dict[str, Any]:
    """An account."""
    return shape(schema, login=each.login, id=each.id, type=each.type, node_id=f"U_{each.id}")


def repository(each: Repository) -> dict[str, Any]:
    """A repository."""
    owner = {"login": each.owner}
    url = f"{API}/repos/{each.full_name}"
    return shape("full-repository", id=each.id, name=each.name, full_name=each.full_name, owner=owner, url=url)


def comment(world: World, repo: Repository, each: Comment) -> dict[str, Any]:
    """A comment; its author's association with the repository is for display only."""
    app = world.apps.get(each.app)
    made = shape(
        "issue-comment",
        id=each.id,
        node_id=each.node_id,
        body=each.body,
        user=account(each.user),
        created_at=stamp(each.at_ms),
        updated_at=stamp(each.updated_ms),
        url=f"{API}/repos/{repo.full_name}/issues/comments/{each.id}",
        issue_url=f"{API}/repos/{repo.full_name}/issues/{each.number}",
        html_url=f"https://github.com/{repo.full_name}/issues/{each.number}#issuecomment-{each.id}",
        author_association="MEMBER" if each.user.login in repo.roles else "NONE",
        performed_via_github_app=None,
    )
    if each.app:
        made["performed_via_github_app"] = integration(app, each.app)
    return made


def issue(repo: Repository, each: Thread) -> dict[str, Any]:
    """An issue, or a pull request seen as one."""
    made = shape(
        "issue",
        url=f"{API}/repos/{repo.full_name}/issues/{each.number}",
        id=repo.id * 1000 + each.number,
        number=each.number,
        title=each.title,
        state=each.state,
        user=account(each.author),
    )
    if each.is_pull:
        url = f"{API}/repos/{repo.full_name}/pulls/{each.number}"
        made["pull_request"] = {"url": url, "html_url": url, "diff_url": url, "patch_url": url}
    return made


def pull(repo: Repository, each: Thread, schema: str = "pull-request") -> dict[str, Any]:
    """A pull request."""
    place = f"{API}/repos/{repo.full_name}"
    return shape(
        schema,
        url=f"{place}/pulls/{each.number}",
        issue_url=f"{place}/issues/{each.number}",
        comments_url=f"{place}/issues/{each.number}/comments",
        id=repo.id * 1000 + each.number,
        number=each.number,
        title=each.title,
        state=each.state,
        user=account(each.author),
        head={"sha": each.head, "ref": each.branch, "label": f"{repo.owner}:{each.branch}"},
        base={"sha": each.base, "ref": "main", "label": f"{repo.owner}:main"},
    )


def review(repo: Repository, each: Review) -> dict[str, Any]:
    """A review."""
    return shape(
        "pull-request-review",
        id=each.id,
        node_id=each.node_id,
        user=account(each.user),
        body=each.body,
        state=each.state,
        commit_id=each.commit_id,
        submitted_at=stamp(each.at_ms),
        html_url=f"https://github.com/{repo.full_name}/pull/{each.number}#pullrequestreview-{each.id}",
    )


def reaction(number: int, by: Account, content: str, at_ms: int) -> dict[str, Any]:
    """A reaction."""
    return shape("reaction", id=number, user=account(by), content=content, created_at=stamp(at_ms))


def integration(app: App | None, number: int) -> dict[str, Any]:
    """A GitHub App."""
    slug = app.slug if app else "some-app"
    return shape("integration", id=number, slug=slug, name=slug)


def installation(app: App, owner: Account) -> dict[str, Any]:
    """Where an App is installed; the account has what accounts and enterprises have, as the description wants it."""
    enterprise = {"name": owner.login, "slug": owner.login, "created_at": None, "updated_at": None}
    facts = {"id": app.id * 10, "app_id": app.id, "app_slug": app.slug, "account": {**account(owner), **enterprise}}
    return shape("installation", **facts)


def _over(value: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    for name, fact in facts.items():
        nested = isinstance(fact, dict) and isinstance(value.get(name), dict)
        value[name] = _over(value[name], fact) if nested else fact
    return value
