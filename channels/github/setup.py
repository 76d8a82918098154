"""``askfirst github setup``: finds out what a credential can do, and where the pull request is; writes nothing.

Each line of the report is one thing that was looked at, with what to do where it is not well.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.clock import SystemClock
from askfirst.errors import ChannelError, ConfigError
from channels.github import wire
from channels.github.checkout import checkout_of
from channels.github.client import GitHub
from channels.github.config import github_config_of
from channels.github.conversations import in_path
from channels.github.place import Conversation, conversation_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from askfirst.clock import Clock
    from channels.github.config import GithubConfig

_WRITERS = frozenset({"write", "maintain", "admin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what, e.g. ``account``.
        ok: it is well.
        text: what was found, and what to do where it is not well.
    """

    name: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look at.

    Attributes:
        folder: whose pull request is to be found, ``""`` for none.
        conversation: a pull request or issue to look at instead, ``""`` for none.
        login: who is to decide, ``""`` for nobody yet.
    """

    folder: str = ""
    conversation: str = ""
    login: str = ""


async def look(
    config: GithubConfig, wanted: Wanted, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
) -> list[Finding]:
    """Everything, one after the other; what cannot be found out is a finding that is not well."""
    github = GitHub(config, clock, transport=transport)
    setup = _Setup(github, config)
    findings: list[Finding] = []
    try:
        for name, step in (
            ("account", setup.account),
            ("credential", setup.credential),
            ("issue", lambda: setup.issue(wanted.conversation)),
            ("pull request", lambda: setup.pull(wanted.folder)),
            ("access", setup.access),
            ("person", lambda: setup.person(wanted.login)),
        ):
            findings += await _found(name, step)
    finally:
        await github.close()
    return findings


async def _found(name: str, step: Callable[[], Awaitable[str]]) -> list[Finding]:
    try:
        text = await step()
    except (ChannelError, ConfigError) as error:
        return [Finding(name=name, ok=False, text=str(error))]
    return [Finding(name=name, ok=True, text=text)] if text else []


class _Setup:
    def __init__(self, github: GitHub, config: GithubConfig) -> None:
        self._github = github
        self._config = config
        self._me: wire.User | None = None
        self._there: Conversation | None = None

    async def account(self) -> str:
        self._me = await self._github.whoami()
        return f"{self._me.login} ({self._me.type.lower()}, id {self._me.id}) writes for Askfirst, and never decides"

    async def credential(self) -> str:
        scopes = await self._github.scopes() if self._me else None
        if self._me is None:
            return ""
        if scopes is None:
            return "an App" if self._config.app else "a fine-grained token; whether it suffices is seen below"
        named = {each.strip() for each in scopes.split(",")}
        if not named & {"repo", "public_repo"}:
            raise ChannelError(f"a classic token with the scopes {scopes or 'none'}, expected `repo`")
        return f"a classic token with {scopes}; a fine-grained one for these repositories alone would do, too"

    async def issue(self, conversation: str) -> str:
        if self._me is None or not conversation:
            return ""
        self._there = conversation_of(conversation)
        return await self._described(self._there)

    async def pull(self, folder: str) -> str:
        """The pull request of a checkout; that there is none now is said, and well."""
        if self._me is None or not folder:
            return ""
        try:
            checkout = await asyncio.to_thread(checkout_of, folder, self._config.hosts)
        except ChannelError as error:
            return f"none here: {error}"
        query = {"state": "open", "head": f"{checkout.repository.owner}:{checkout.pushed_to}"}
        pulls = await self._github.pages(wire.Pull, f"{checkout.repository.path}/pulls", query)
        if not pulls:
            branch = checkout.pushed_to or "no branch"
            return f"none of {checkout.repository}:{branch} is open; then the issue, or the next recipient, is asked"
        self._there = Conversation(repository=checkout.repository, number=pulls[0].number)
        return await self._described(self._there)

    async def _described(self, conversation: Conversation) -> str:
        path = f"{conversation.repository.path}/issues/{conversation.number}"
        issue = await self._github.get(wire.Issue, path)
        kind = "pull request" if issue.pull_request is not None else "issue"
        by = f" by {issue.user.login}, who does not decide there" if issue.user and issue.pull_request else ""
        return f"{conversation.recipient} is a {kind}{by}"

    async def access(self) -> str:
        """Whether permissions can be read, which takes write access; nothing counts without that."""
        if self._there is None or self._me is None:
            return ""
        path = f"{self._there.repository.path}/collaborators/{in_path(self._me.login)}/permission"
        found = await self._github.get(wire.Permission, path)
        if self._config.app is None and found.permission not in _WRITERS:
            raise ChannelError(f"{self._me.login} has {found.permission} permission there, expected write")
        return "comments can be written and permissions read there"

    async def person(self, login: str) -> str:
        if not login or self._me is None:
            return ""
        user = await self._github.get(wire.User, f"users/{in_path(login)}")
        if user.type != "User":
            raise ChannelError(f"{user.login} is a {user.type}; only people decide")
        if user.id == self._me.id:
            raise ChannelError(
                f"{user.login} writes for Askfirst and cannot decide; make an account or an App for that"
            )
        line = f'{user.login} is identities = ["github:{user.id}"]'
        if self._there is None:
            return line
        path = f"{self._there.repository.path}/collaborators/{in_path(user.login)}/permission"
        found = await self._github.get(wire.Permission, path)
        if found.permission not in _WRITERS:
            raise ChannelError(f"{line}, but has {found.permission} permission there; deciding takes write")
        return f"{line}, with {found.role_name or found.permission} permission there"


def found(table: Mapping[str, object], secret: str, wanted: Mapping[str, str]) -> list[dict[str, object]]:
    """The findings for a table that is not written yet, as plain values.

    Raises:
        ConfigError: the table cannot be used.
    """
    config = github_config_of(table, Path(), secret)
    seen = Wanted(folder=wanted["folder"], conversation=wanted["issue"], login=wanted["login"])
    return [asdict(each) for each in asyncio.run(look(config, seen, SystemClock()))]
