"""Conversations and messages on GitHub by name, and repositories by their remote's URL; pure.

A recipient is one of::

    github:acme/api#12                        a pull request or an issue
    github:pr                                 the pull request of the branch that the agent works on
    github:acme/api/runs/987@production       a deployment that waits (GitHub App only)

A message that was sent is ``acme/api#12/998877``: the conversation and the id of the comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from askfirst.errors import ChannelError

SCHEME = "github"
CURRENT_PULL = f"{SCHEME}:pr"

_OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
_NAME = r"(?!\.{1,2}(?:[/#]|\Z))[A-Za-z0-9._-]{1,100}"
_CONVERSATION = re.compile(rf"(?P<owner>{_OWNER})/(?P<name>{_NAME})#(?P<number>[1-9][0-9]{{0,9}})", re.ASCII)
_MESSAGE = re.compile(rf"{_CONVERSATION.pattern}/(?P<comment>[1-9][0-9]{{0,18}})", re.ASCII)
_DEPLOYMENT = re.compile(
    rf"{SCHEME}:(?P<owner>{_OWNER})/(?P<name>{_NAME})/runs/(?P<run>[1-9][0-9]{{0,18}})@(?P<environment>[^\x00-\x1f]{{1,255}})"
)
_REPOSITORY = re.compile(rf"(?P<owner>{_OWNER})/(?P<name>{_NAME})", re.ASCII)
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>.+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository by its names; owner and name may change hands, so nothing is decided by them alone."""

    owner: str
    name: str

    @property
    def path(self) -> str:
        """Its part of the API's paths: ``repos/acme/api``."""
        return f"repos/{self.owner}/{self.name}"

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A pull request or an issue."""

    repository: Repository
    number: int

    @property
    def recipient(self) -> str:
        """E.g. ``github:acme/api#12``."""
        return f"{SCHEME}:{self}"

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A comment of ours that was sent."""

    conversation: Conversation
    comment_id: int

    def __str__(self) -> str:
        return f"{self.conversation}/{self.comment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A job of a workflow that waits for its environment's rule."""

    repository: Repository
    run_id: int
    environment: str

    @property
    def recipient(self) -> str:
        """E.g. ``github:acme/api/runs/987@production``."""
        return f"{SCHEME}:{self.repository}/runs/{self.run_id}@{self.environment}"


def conversation_of(text: str) -> Conversation:
    """The conversation that ``acme/api#12`` or ``github:acme/api#12`` names.

    Raises:
        ChannelError: it names none.
    """
    match = _CONVERSATION.fullmatch(text.removeprefix(f"{SCHEME}:"))
    if match is None:
        raise ChannelError(f"{text!r} is no conversation, expected `github:owner/repository#number`")
    return Conversation(repository=_repository(match), number=int(match["number"]))


def deployment_of(recipient: str) -> Deployment | None:
    """The deployment that a recipient names, or None when it is another kind."""
    match = _DEPLOYMENT.fullmatch(recipient)
    if match is None:
        return None
    return Deployment(repository=_repository(match), run_id=int(match["run"]), environment=match["environment"])


def message_of(external_id: str) -> Message:
    """The message with this external id.

    Raises:
        ChannelError: it is no id of ours.
    """
    match = _MESSAGE.fullmatch(external_id)
    if match is None:
        raise ChannelError(f"{external_id!r} is no message of this channel, expected `owner/repository#number/comment`")
    conversation = Conversation(repository=_repository(match), number=int(match["number"]))
    return Message(conversation=conversation, comment_id=int(match["comment"]))


def repository_of(full_name: str) -> Repository | None:
    """The repository ``acme/api``, or None when this is no such name."""
    match = _REPOSITORY.fullmatch(full_name)
    return None if match is None else _repository(match)


def remote_of(url: str) -> tuple[str, Repository] | None:
    """Host (lower case) and repository of a remote, or None when it is none of a server.

    https, ``ssh://`` (with or without a port) and ``git@host:owner/name``; credentials in the URL are dropped.
    From: https://git-scm.com/docs/git-clone#_git_urls
    """
    if "://" in url:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return None
        if parts.scheme not in {"https", "http", "ssh", "git", "git+ssh"}:
            return None
        path = parts.path
    elif match := _SCP.fullmatch(url):
        host, path = match["host"], match["path"]
    else:
        return None
    repository = repository_of(path.strip("/").removesuffix(".git"))
    return (host.lower(), repository) if host and repository else None


def _repository(match: re.Match[str]) -> Repository:
    return Repository(owner=match["owner"], name=match["name"])
