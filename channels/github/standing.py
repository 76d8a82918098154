"""Whether an account may decide in a repository, found out at the moment of the decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from channels.github import wire
from channels.github.codeowners import Codeowners
from channels.github.config import PERMISSIONS
from channels.github.conversations import in_path
from channels.github.place import SCHEME

if TYPE_CHECKING:
    from askfirst.inbound import Origin
    from channels.github.client import GitHub
    from channels.github.config import GithubConfig
    from channels.github.conversations import Conversations
    from channels.github.place import Conversation

_CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The first one counts. From: https://docs.github.com/en/repositories (About code owners)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Asks GitHub for permission, teams and code owners.

    The author association that comments carry is for display only and is not looked at.
    """

    github: GitHub
    config: GithubConfig
    conversations: Conversations

    async def problem(self, origin: Origin, conversation: Conversation) -> str:
        """Why this account may not decide there, ``""`` where it may.

        Raises:
            ChannelError: it cannot be found out now.
        """
        return (
            await self._permission_problem(origin, conversation)
            or await self._team_problem(origin)
            or await self._owner_problem(origin, conversation)
        )

    async def _permission_problem(self, origin: Origin, conversation: Conversation) -> str:
        path = f"{conversation.repository.path}/collaborators/{in_path(origin.name)}/permission"
        found = await self.github.find(wire.Permission, path)
        if found is None or found.user is None:
            return "you are no collaborator of this repository"
        if f"{SCHEME}:{found.user.id}" != origin.identity:
            return "your account's name belongs to another account now"
        if found.user.type != "User":
            return f"only people decide, and {origin.name} is a {found.user.type}"
        level = _level(found)
        if level < PERMISSIONS.index(self.config.permission):
            has = PERMISSIONS[level] if level >= 0 else "no"
            return f"you have {has} permission here, and deciding takes {self.config.permission}"
        return ""

    async def _team_problem(self, origin: Origin) -> str:
        if not self.config.teams:
            return ""
        for team in self.config.teams:
            if await self._is_in_team(team, origin.name):
                return ""
        return f"deciding takes a member of {' or '.join(self.config.teams)}"

    async def _is_in_team(self, team: str, login: str) -> bool:
        organisation, _, slug = team.partition("/")
        path = f"orgs/{organisation}/teams/{in_path(slug)}/memberships/{in_path(login)}"
        found = await self.github.find(wire.Membership, path)
        return found is not None and found.state == "active"

    async def _owner_problem(self, origin: Origin, conversation: Conversation) -> str:
        """Every changed file that has owners must be theirs, by the rules of the base branch."""
        if not self.config.codeowners:
            return ""
        pull = await self.conversations.pull(conversation)
        path = conversation.repository.path
        rules = await self._codeowners(path, pull.base.sha)
        if rules is None:
            return "the base branch has no CODEOWNERS, and the configuration asks for code owners"
        files = await self.github.pages(wire.ChangedFile, f"{path}/pulls/{conversation.number}/files")
        names = {name for each in files for name in (each.filename, each.previous_filename) if name}
        for name in sorted(names):
            owners = rules.of(name)
            if owners and not await self._owns(owners, origin.name):
                return f"{name} has other code owners: {', '.join(owners)}"
        return "" if any(rules.of(name) for name in names) else "no changed file here has code owners"

    async def _codeowners(self, repository: str, ref: str) -> Codeowners | None:
        for name in _CODEOWNERS:
            text = await self.github.raw(f"{repository}/contents/{name}", {"ref": ref})
            if text is not None:
                return Codeowners(text)
        return None

    async def _owns(self, owners: tuple[str, ...], login: str) -> bool:
        for owner in owners:
            name = owner.removeprefix("@")
            if name.lower() == login.lower() and owner.startswith("@"):
                return True
            if "/" in name and await self._is_in_team(name, login):
                return True
        return False


def _level(found: wire.Permission) -> int:
    """Index in ``PERMISSIONS``; ``role_name`` tells maintain from write, and names custom roles that we cannot rank."""
    base = PERMISSIONS.index(found.permission) if found.permission in PERMISSIONS else -1
    role = PERMISSIONS.index(found.role_name) if found.role_name in PERMISSIONS else -1
    return max(base, role)
