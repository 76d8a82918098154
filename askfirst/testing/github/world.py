"""The state behind the fake: accounts, repositories, conversations, and what people do there."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from askfirst.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.clock import Clock
    from askfirst.testing.github.hooks import Hook

BODY_MAX = 65_536
ROLES = {"read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin"}
"""A role, and what the old field ``permission`` calls it."""


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass
class Account:
    """Somebody; a bot's login ends in ``[bot]``."""

    login: str
    id: int
    type: str = "User"


@dataclass
class Edit:
    """One change of a text."""

    at_ms: int
    editor: Account


@dataclass
class Comment:
    """A comment; ``edits`` is empty while it is as it was written."""

    id: int
    number: int
    user: Account
    body: str
    at_ms: int
    updated_ms: int
    edits: list[Edit] = field(default_factory=list)
    by_mail: bool = False
    hidden: bool = False
    app: int = 0
    reactions: list[tuple[int, Account, str, int]] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        """Its id in GraphQL."""
        return node_id("IssueComment", self.id)


@dataclass
class Review:
    """A review of a pull request."""

    id: int
    number: int
    user: Account
    body: str
    state: str
    commit_id: str
    at_ms: int
    edits: list[Edit] = field(default_factory=list)

    @property
    def node_id(self) -> str:
        """Its id in GraphQL."""
        return node_id("PullRequestReview", self.id)


@dataclass
class Thread:
    """An issue, or a pull request where it has a head."""

    number: int
    author: Account
    title: str
    state: str = "open"
    branch: str = ""
    head: str = ""
    base: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def is_pull(self) -> bool:
        """Whether it is a pull request."""
        return bool(self.head)


@dataclass
class Repository:
    """A repository."""

    id: int
    owner: str
    name: str
    roles: dict[str, str]
    threads: dict[int, Thread] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    check_runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    contents: dict[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """E.g. ``acme/api``."""
        return f"{self.owner}/{self.name}"


@dataclass
class App:
    """A GitHub App, installed everywhere."""

    id: int
    slug: str
    public_key: str


class World:
    """Everything, and what people do.

    Attributes:
        limit: until changed, every call is refused so: (status, headers, message).
        lose: so many answers to writes get lost after the write was done.
        away: every call ends in 503.
        events: what the hook was told, oldest first, as (headers, body).
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._ids = itertools.count(1_000)
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, str] = {}
        self.scopes: dict[str, str] = {}
        self.repositories: dict[str, Repository] = {}
        self.moved: dict[str, str] = {}
        self.teams: dict[str, set[str]] = {}
        self.apps: dict[int, App] = {}
        self.limit: tuple[int, dict[str, str], str] | None = None
        self.lose = 0
        self.away = False
        self.calls: list[str] = []
        self.events: list[tuple[dict[str, str], bytes]] = []
        self.hook: Hook | None = None
        self.on_event: Callable[[dict[str, str], bytes], None] | None = None

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._clock.now_ms()

    # -- what is there --------------------------------------------------------------------------------------------

    def account(self, login: str, id: int = 0, type: str = "User") -> Account:  # noqa: A002  # GitHub's names
        """The account with this login, made when it is new."""
        if login not in self.accounts:
            self.accounts[login] = Account(login=login, id=id or next(self._ids), type=type)
        return self.accounts[login]

    def token(self, login: str, scopes: str | None = "repo") -> str:
        """A token of this account; None for the scopes: a fine-grained one."""
        self.account(login)
        token = f"{'ghp' if scopes is not None else 'github_pat'}_{hashlib.sha256(login.encode()).hexdigest()[:36]}"
        self.tokens[token] = login
        if scopes is not None:
            self.scopes[token] = scopes
        return token

    def app(self, id: int, slug: str, public_key: str) -> App:  # noqa: A002
        """A GitHub App with its bot."""
        self.account(f"{slug}[bot]", type="Bot")
        self.apps[id] = App(id=id, slug=slug, public_key=public_key)
        return self.apps[id]

    def repository(self, full_name: str, roles: dict[str, str] | None = None) -> Repository:
        """A new repository; ``roles`` by login."""
        owner, _, name = full_name.partition("/")
        self.account(owner, type="Organization")
        for login in roles or {}:
            self.account(login)
        made = Repository(id=next(self._ids), owner=owner, name=name, roles=dict(roles or {}))
        self.repositories[full_name.lower()] = made
        return made

    def find(self, full_name: str) -> Repository:
        """The repository; names know no case."""
        found = self.repositories.get(full_name.lower())
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    # -- what people do -------------------------------------------------------------------------------------------

    def grant(self, repository: str, login: str, role: str) -> None:
        """Give somebody a role; ``none`` takes it away."""
        self.account(login)
        self.find(repository).roles[login] = role

    def team(self, name: str, *logins: str) -> None:
        """Say who is in a team, e.g. ``acme/infra``."""
        self.teams[name] = set(logins)

    def rename(self, login: str, to: str) -> None:
        """Another login for an account; the old one is free."""
        account = self.accounts.pop(login)
        account.login = to
        self.accounts[to] = account

    def move(self, repository: str, to: str) -> None:
        """Another name for a repository; the old one redirects."""
        found = self.repositories.pop(repository.lower())
        found.owner, _, found.name = to.partition("/")
        self.repositories[to.lower()] = found
        self.moved[repository.lower()] = to

    def issue(self, repository: str, author: str = "owner", title: str = "Operations") -> Thread:
        """Open an issue."""
        return self._thread(repository, Thread(number=0, author=self.account(author), title=title))

    def pull(self, repository: str, author: str, branch: str, head: str = "", files: tuple[str, ...] = ()) -> Thread:
        """Open a pull request."""
        made = Thread(number=0, author=self.account(author), title=branch, branch=branch, files=list(files))
        made.head, made.base = head or sha_of(branch), sha_of("main")
        return self._thread(repository, made)

    def push(self, repository: str, number: int, head: str = "") -> str:
        """New commits in a pull request; its head afterwards."""
        thread = self.thread(self.find(repository), number)
        thread.head = head or sha_of(thread.head)
        return thread.head

    def comment(
        self, repository: str, number: int, login: str, body: str, *, app: int = 0, by_mail: bool = False
    ) -> Comment:
        """Write a comment."""
        repo = self.find(repository)
        self.thread(repo, number)
        require_body(body)
        now_ms = self.now_ms()
        made = Comment(
            id=next(self._ids),
            number=number,
            user=self.account(login),
            body=body,
            at_ms=now_ms,
            updated_ms=now_ms,
            app=app,
            by_mail=by_mail,
        )
        repo.comments[made.id] = made
        self._tell("issue_comment", "created", repo, made.user, comment=made)
        return made

    def edit(self, repository: str, comment_id: int, login: str, body: str) -> Comment:
        """Change a comment, one's own or with write access another's; ``user`` stays who wrote it first."""
        repo = self.find(repository)
        found = comment_of(repo, comment_id)
        editor = self.account(login)
        if editor != found.user and ROLES.get(repo.roles.get(login, ""), "") not in {"write", "admin"}:
            raise RefusedError(403, "Must have admin rights to Repository.")
        require_body(body)
        earlier, found.body, found.updated_ms = found.body, body, self.now_ms()
        found.edits.append(Edit(at_ms=found.updated_ms, editor=editor))
        self._tell("issue_comment", "edited", repo, editor, comment=found, changes={"body": {"from": earlier}})
        return found

    def delete(self, repository: str, comment_id: int, login: str) -> None:
        """Delete a comment."""
        repo = self.find(repository)
        found = comment_of(repo, comment_id)
        del repo.comments[comment_id]
        self._tell("issue_comment", "deleted", repo, self.account(login), comment=found)

    def hide(self, repository: str, comment_id: int) -> None:
        """Minimise a comment as a moderator."""
        comment_of(self.find(repository), comment_id).hidden = True

    def react(self, repository: str, comment_id: int, login: str, content: str) -> tuple[int, bool]:
        """React; the id, and whether it is new: the same reaction again is the one that is there."""
        found = comment_of(self.find(repository), comment_id)
        for each in found.reactions:
            if (each[1].login, each[2]) == (login, content):
                return each[0], False
        found.reactions.append((next(self._ids), self.account(login), content, self.now_ms()))
        return found.reactions[-1][0], True

    def review(self, repository: str, number: int, login: str, event: str, body: str = "", commit: str = "") -> Review:
        """Review a pull request: APPROVE, REQUEST_CHANGES or COMMENT."""
        repo = self.find(repository)
        thread = self.thread(repo, number)
        user = self.account(login)
        if event in {"APPROVE", "REQUEST_CHANGES"} and user == thread.author:
            what = "approve" if event == "APPROVE" else "request changes on"
            raise RefusedError(422, "Unprocessable Entity", [f"Can not {what} your own pull request"])
        if event == "REQUEST_CHANGES" and not body:
            raise RefusedError(422, "Unprocessable Entity", ["Body is required"])
        states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
        made = Review(
            id=next(self._ids),
            number=number,
            user=user,
            body=body,
            state=states[event],
            commit_id=commit or thread.head,
            at_ms=self.now_ms(),
        )
        repo.reviews[made.id] = made
        self._tell("pull_request_review", "submitted", repo, user, review=made)
        return made

    def dismiss(self, repository: str, review_id: int, login: str) -> None:
        """Dismiss a review."""
        repo = self.find(repository)
        repo.reviews[review_id].state = "DISMISSED"
        self._tell("pull_request_review", "dismissed", repo, self.account(login), review=repo.reviews[review_id])

    def press(self, repository: str, run_id: int, login: str, identifier: str) -> None:
        """Press a button of a check run; the API has no call that does it."""
        repo = self.find(repository)
        run = repo.check_runs[run_id]
        if identifier not in {each["identifier"] for each in run["actions"]}:
            raise RefusedError(404, "there is no such button")
        more = {"check_run": run, "requested_action": {"identifier": identifier}}
        self._tell("check_run", "requested_action", repo, self.account(login), **more)

    def deploy(self, repository: str, login: str, environment: str, run_id: int, sha: str = "") -> None:
        """A job of a workflow waits for the rule of its environment."""
        repo = self.find(repository)
        url = f"/repos/{repo.full_name}/actions/runs/{run_id}/deployment_protection_rule"
        deployment = {"sha": sha or sha_of("main"), "ref": "main", "task": "deploy", "description": None}
        more = {
            "environment": environment,
            "event": "push",
            "deployment_callback_url": f"https://api.github.com{url}",
            "deployment": {**deployment, "creator": {"login": login, "id": self.account(login).id, "type": "User"}},
        }
        self._tell("deployment_protection_rule", "requested", repo, self.account(login), **more)

    # -- plumbing -------------------------------------------------------------------------------------------------

    def thread(self, repository: Repository, number: int) -> Thread:
        """The issue or pull request with this number."""
        found = repository.threads.get(number)
        if found is None:
            raise RefusedError(404, "Not Found")
        return found

    def new_id(self) -> int:
        """An id that nothing has."""
        return next(self._ids)

    def _thread(self, repository: str, made: Thread) -> Thread:
        repo = self.find(repository)
        made.number = len(repo.threads) + 1
        repo.threads[made.number] = made
        return made

    def _tell(self, event: str, action: str, repository: Repository, sender: Account, /, **more: Any) -> None:
        if self.hook is None:
            return
        told = self.hook.delivery(self, event, action, repository, sender, more)
        self.events.append(told)
        if self.on_event is not None:
            self.on_event(*told)


def comment_of(repository: Repository, comment_id: int) -> Comment:
    """The comment with this id."""
    found = repository.comments.get(comment_id)
    if found is None:
        raise RefusedError(404, "Not Found")
    return found


def require_body(body: object) -> str:
    """A body that may be written."""
    if not isinstance(body, str) or not body.strip():
        raise RefusedError(422, "Validation Failed", [{"message": "Body can't be blank"}])
    if len(body) > BODY_MAX:
        raise RefusedError(
            422, "Validation Failed", [{"message": f"body is too long (maximum is {BODY_MAX} characters)"}]
        )
    return body


def node_id(kind: str, number: int) -> str:
    """An id of GraphQL."""
    return base64.b64encode(json.dumps([kind, number]).encode()).decode()


def sha_of(text: str) -> str:
    """A commit id."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
