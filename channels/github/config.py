"""The ``[github]`` table of the configuration: strict on the way in, complete afterwards.

Example::

    [github]
    token_file = "github-token"            # a file that only the broker's user can read; relative to the config file
    api_url = "https://api.github.com"     # Enterprise: https://HOST/api/v3
    issue = "acme/ops#12"                  # where to ask when the branch has no pull request
    permission = "write"                   # what a reviewer needs at least: write, maintain or admin
    teams = ["acme/release-managers"]      # and be in one of these teams
    codeowners = false                     # and own every changed file, by the base branch's CODEOWNERS
    author_may_decide = false              # the author of the pull request may, at assurance 0
    reviews = "code"                       # approving reviews count with the code as text; "alone": without; "off"
    reactions = false                      # a thumbs-up under the card approves, at assurance 0
    repositories = []                      # only there (`acme/*`); empty: wherever the credential reaches
    statuses = true                        # show the state as a commit status (check runs as an App)
    webhook_secret_file = ""               # set to be told at once; else polling alone
    poll_s = 5                             # first pause between looks; it grows up to 60
    [github.app]                           # instead of a token
    id = 123456
    key_file = "github-app.pem"
    deployments = false                    # ask before deployments to protected environments
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from askfirst.errors import ChannelError, ConfigError
from askfirst.secret import read_secret
from channels.github.place import Conversation, conversation_of
from channels.table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from channels.github.place import Repository

PERMISSIONS = ("read", "triage", "write", "maintain", "admin")
"""Rising. From: https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories"""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PUBLIC_HOSTS = frozenset({"github.com", "ssh.github.com", "www.github.com"})


class _RawApp(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: int = Field(ge=1)
    key_file: str = Field(min_length=1)
    deployments: bool = False


class RawGithub(BaseModel):
    """The table as it is written; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token_file: str = ""
    app: _RawApp | None = None
    api_url: str = "https://api.github.com"
    issue: str = ""
    permission: Literal["write", "maintain", "admin"] = "write"
    teams: list[str] = Field(default_factory=list)
    codeowners: bool = False
    author_may_decide: bool = False
    reviews: Literal["code", "alone", "off"] = "code"
    reactions: bool = False
    repositories: list[str] = Field(default_factory=list)
    statuses: bool = True
    webhook_secret_file: str = ""
    poll_s: float = Field(default=5, ge=0.01, le=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppIdentity:
    """A GitHub App: its id and its private key (PEM)."""

    id: int
    key: str = field(repr=False)
    deployments: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubConfig:
    """The configuration as the channel uses it; see the module docstring for what each value means.

    Exactly one of ``token`` and ``app`` is there.

    Attributes:
        hosts: names that remotes of this GitHub may have.
    """

    api_url: str
    hosts: frozenset[str]
    token: str = field(default="", repr=False)
    app: AppIdentity | None = None
    issue: Conversation | None = None
    permission: str = "write"
    teams: tuple[str, ...] = ()
    codeowners: bool = False
    author_may_decide: bool = False
    reviews: Literal["code", "alone", "off"] = "code"
    reactions: bool = False
    repositories: tuple[str, ...] = ()
    statuses: bool = True
    webhook_secret: bytes = field(default=b"", repr=False)
    poll_s: float = 5

    def may_ask_in(self, repository: Repository) -> bool:
        """Whether requests may be shown in this repository."""
        name = str(repository).lower()
        return not self.repositories or any(fnmatchcase(name, each.lower()) for each in self.repositories)


def github_config(raw: RawGithub, folder: Path, secret: str = "") -> GithubConfig:
    """The configuration in this table; files are named from ``folder``, unless the credential is handed in.

    Raises:
        ConfigError: something in it cannot be used, or a secret's file is open to others.
    """
    if bool(raw.token_file) == (raw.app is not None):
        raise ConfigError("github: give either token_file or [github.app], so that it is clear who speaks")
    app = None
    if raw.app is not None:
        key = secret or read_secret(folder / raw.app.key_file)
        app = AppIdentity(id=raw.app.id, key=key, deployments=raw.app.deployments)
    return GithubConfig(
        api_url=raw.api_url.rstrip("/"),
        hosts=_hosts(raw.api_url),
        token=(secret or read_secret(folder / raw.token_file)) if raw.token_file else "",
        app=app,
        issue=_issue(raw.issue),
        permission=raw.permission,
        teams=tuple(_team(each) for each in raw.teams),
        codeowners=raw.codeowners,
        author_may_decide=raw.author_may_decide,
        reviews=raw.reviews,
        reactions=raw.reactions,
        repositories=tuple(raw.repositories),
        statuses=raw.statuses,
        webhook_secret=read_secret(folder / raw.webhook_secret_file).encode() if raw.webhook_secret_file else b"",
        poll_s=raw.poll_s,
    )


def github_config_of(table: Mapping[str, object], folder: Path, secret: str = "") -> GithubConfig:
    """The same from a table that was not looked at yet.

    Raises:
        ConfigError: as above, or a key or value that is not known.
    """
    return github_config(read_table(RawGithub, table, "github"), folder, secret)


def _hosts(api_url: str) -> frozenset[str]:
    try:
        parts = urlsplit(api_url)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise ConfigError(f"github.api_url {api_url!r} is no URL") from error
    if not host or parts.username or parts.query or parts.fragment:
        raise ConfigError(f"github.api_url {api_url!r} is no URL of an API, e.g. https://api.github.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ConfigError("github.api_url has to be https: the credential would be sent in the clear")
    return _PUBLIC_HOSTS if host == "api.github.com" else frozenset({host, host.removeprefix("api.")})


def _issue(text: str) -> Conversation | None:
    try:
        return conversation_of(text) if text else None
    except ChannelError as error:
        raise ConfigError(f"github.issue: {error}") from error


def _team(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", text, re.ASCII):
        raise ConfigError(f"github.teams: {text!r} is no team, expected `organisation/team-slug`")
    return text
