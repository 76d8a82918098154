"""The few fields of GitHub's answers and events that are used, each checked; everything else is ignored.

Lenient on purpose: models that knew all fields reject a third of GitHub's own examples. Names are GitHub's.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads the annotations
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from askfirst.errors import ChannelError

LOGIN_MAX_CHARS = 100
BODY_MAX_CHARS = 262_144


class Wire(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class User(Wire):
    """An account; its id never changes hands, its login does."""

    id: int
    login: str = Field(max_length=LOGIN_MAX_CHARS)
    type: str = "User"


class App(Wire):
    """A GitHub App."""

    id: int
    slug: str = ""


class Comment(Wire):
    """A comment of an issue or a pull request."""

    id: int
    node_id: str = ""
    user: User | None = None
    body: str | None = Field(default="", max_length=BODY_MAX_CHARS)
    created_at: datetime
    updated_at: datetime
    issue_url: str = ""
    performed_via_github_app: App | None = None

    @property
    def text(self) -> str:
        """The body, which may be null."""
        return self.body or ""


class Review(Wire):
    """A review of a pull request."""

    id: int
    node_id: str = ""
    user: User | None = None
    body: str | None = Field(default="", max_length=BODY_MAX_CHARS)
    state: str
    commit_id: str | None = None
    submitted_at: datetime | None = None

    @property
    def text(self) -> str:
        """The body, which may be null."""
        return self.body or ""


class Reaction(Wire):
    """A reaction under a comment."""

    id: int
    user: User | None = None
    content: str
    created_at: datetime


class RepositoryAnswer(Wire):
    """A repository; ``full_name`` is its present name, also where an old one was asked for."""

    id: int
    full_name: str


class _Branch(Wire):
    sha: str = Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")
    ref: str = ""


class Pull(Wire):
    """A pull request."""

    number: int
    state: str
    user: User | None = None
    head: _Branch
    base: _Branch


class Issue(Wire):
    """An issue, or a pull request seen as one."""

    number: int
    state: str = "open"
    user: User | None = None
    pull_request: dict[str, Any] | None = None


class Permission(Wire):
    """What an account may do in a repository; ``permission`` knows only admin, write, read and none."""

    permission: str
    role_name: str = ""
    user: User | None = None


class Membership(Wire):
    """Of a team."""

    state: str


class ChangedFile(Wire):
    """Of a pull request."""

    filename: str
    previous_filename: str = ""


class CheckRun(Wire):
    """A check run."""

    id: int
    head_sha: str = ""
    external_id: str | None = ""
    app: App | None = None


class CheckRuns(Wire):
    """Check runs of a commit."""

    check_runs: list[CheckRun]


class Created(Wire):
    """Anything that was made and has an id."""

    id: int


class InstallationToken(Wire):
    """A token of an App for one installation."""

    token: str
    expires_at: datetime


class RequestedAction(Wire):
    """The button of a check run that was pressed."""

    identifier: str


class RepositoryName(Wire):
    """The repository that an event names."""

    full_name: str = Field(max_length=200)


class CommentEvent(Wire):
    """``issue_comment``."""

    action: str
    issue: Issue
    comment: Comment
    repository: RepositoryName
    sender: User


class ReviewEvent(Wire):
    """``pull_request_review``."""

    action: str
    review: Review
    pull_request: Issue
    repository: RepositoryName
    sender: User


class CheckRunEvent(Wire):
    """``check_run``."""

    action: str
    check_run: CheckRun
    requested_action: RequestedAction | None = None
    repository: RepositoryName
    sender: User


class DeploymentFacts(Wire):
    """What would be deployed."""

    sha: str = ""
    ref: str = ""
    task: str = ""
    description: str | None = ""
    creator: User | None = None


class DeploymentEvent(Wire):
    """``deployment_protection_rule``; the run's id is in the callback's URL."""

    action: str
    environment: str = Field(min_length=1, max_length=255)
    event: str | None = ""
    deployment_callback_url: str = ""
    deployment: DeploymentFacts | None = None
    repository: RepositoryName
    sender: User


_Model = TypeVar("_Model", bound=Wire)


def read(kind: type[_Model], value: object) -> _Model:
    """The value as this model.

    Raises:
        ChannelError: it is none; only names of fields are told, never what was in them.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in each["loc"]) for each in error.errors()[:3])
        raise ChannelError(f"GitHub's {kind.__name__.lower()} cannot be read: {fields}") from error


def read_all(kind: type[_Model], value: object) -> list[_Model]:
    """The list as these models.

    Raises:
        ChannelError: it is no list of them.
    """
    items = TypeAdapter(list[dict[str, Any]])
    try:
        return [read(kind, each) for each in items.validate_python(value)]
    except ValidationError as error:
        raise ChannelError(f"GitHub answered no list of {kind.__name__.lower()}s") from error
