"""A fake GitHub whose every answer is held against GitHub's own description, and channels over it."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from askfirst.backing import Backing, StoredMessages, channel_key
from askfirst.clock import Clock
from askfirst.dispatch import Dispatcher
from askfirst.engine import Case
from askfirst.hearing import Hearing
from askfirst.people import Directory, Identity, Person
from askfirst.policy.ruling import Stage
from askfirst.reception import Reception
from askfirst.request import Request
from askfirst.testing.bench import Bench, FakeClock, FakeSigner, a_draft, bench
from askfirst.testing.github import FakeGitHub
from askfirst.testing.github.world import Comment
from channels.github.channel import GithubChannel, open_channel
from channels.github.client import GitHub
from channels.github.config import GithubConfig, github_config_of
from channels.github.marker import REPLY, read_marker

DESCRIPTION = json.loads((Path(__file__).parent / "openapi.json").read_text(encoding="utf-8"))
HOOK_SECRET = b"a webhook's secret"


@functools.cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Paths as patterns, those without parameters before others."""
    ordered = sorted(DESCRIPTION["paths"], key=lambda path: (path.count("{"), -len(path)))
    return [(re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path))), path) for path in ordered]


@functools.cache
def _validator(path: str, method: str, status: str) -> OAS30Validator | None:
    operation = DESCRIPTION["paths"][path].get(method.lower())
    assert operation is not None, f"GitHub has no {method} {path}"
    response = operation["responses"].get(status)
    assert response is not None, f"GitHub does not answer {status} to {method} {path}"
    if "$ref" in response:
        response = DESCRIPTION["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content = response.get("content", {})
    schema = (content.get("application/json") or next(iter(content.values()), {})).get("schema")
    if schema is None:
        return None
    whole = {**schema, "components": DESCRIPTION["components"]}
    return OAS30Validator(whole, format_checker=OAS30Validator.FORMAT_CHECKER)


def held(method: str, path: str, status: int, value: Any) -> None:
    """An answer of the fake fits GitHub's description of it."""
    path = path.removeprefix("/api/v3")
    if path.endswith("/graphql"):
        return
    template = next((name for pattern, name in _templates() if pattern.fullmatch(path)), None)
    assert template is not None, f"GitHub has no {path}"
    validator = _validator(template, method, str(status))
    if validator is None:
        assert value is None, f"{method} {path} answers nothing with {status}"
        return
    for error in validator.iter_errors(value):
        raise AssertionError(f"{method} {path} {status}: {list(error.path)}: {error.message[-400:]}")


@dataclass(frozen=True)
class Kit:
    """How tests make what they need."""

    hook_secret: bytes = HOOK_SECRET

    def caught(self) -> Any:
        """A reception that keeps what it is handed."""
        return Caught()

    def github(self, clock: Clock | None = None, **options: Any) -> FakeGitHub:
        """Ann, bob and dev may write, the agent works for dev, reader may read; asker writes for us."""
        made = FakeGitHub(clock, watch=held, **options)
        if "hook" not in options:
            made.set_hook("", HOOK_SECRET)
        world = made.world
        world.account("ann", 583231)
        world.account("bob", 583232)
        world.account("reader", 583233)
        world.account("dev", 583234)
        roles = {"ann": "write", "bob": "maintain", "dev": "admin", "asker": "write", "reader": "read"}
        world.repository("acme/api", roles)
        world.pull("acme/api", author="dev", branch="clean-up")
        world.issue("acme/api", author="bob")
        return made

    def table(self, folder: Path, made: FakeGitHub, **table: Any) -> dict[str, Any]:
        """A table of the configuration, its secrets in files."""
        secrets = {"token": made.world.token("asker"), "hook": HOOK_SECRET.decode()}
        for name, content in secrets.items():
            (folder / name).write_text(content)
            (folder / name).chmod(0o600)
        token = {} if "app" in table else {"token_file": "token"}
        return {"api_url": made.url, "webhook_secret_file": "hook", **token, **table}

    def config(self, folder: Path, made: FakeGitHub, **table: Any) -> GithubConfig:
        return github_config_of(self.table(folder, made, **table), folder)

    def client(self, made: FakeGitHub, config: GithubConfig, clock: Clock) -> GitHub:
        """Over the fake in this process; it never waits."""

        async def at_once(_seconds: float) -> None:
            return

        return GitHub(config, clock, transport=httpx.ASGITransport(app=made.app()), pause=at_once)

    def channel(self, backing: Backing, made: FakeGitHub, **table: Any) -> GithubChannel:
        full = self.table(backing.folder, made, **table)
        config = github_config_of(full, backing.folder)
        return open_channel(replace(backing, table=full), self.client(made, config, backing.clock))

    def backing(self, made: Bench, folder: Path) -> Backing:
        """What a channel stands on, over a bench."""
        return Backing(
            scheme="github",
            table={},
            folder=folder,
            machine="laptop",
            key=channel_key(FakeSigner(), "github"),
            clock=made.clock,
            requests=made.desk,
            messages=StoredMessages("github", writer=made.writer, reader=made.reader, clock=made.clock),
        )


class Caught:
    """A reception that keeps what it is handed."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[str, bytes]] = []
        self.at = ""

    async def take(self, scheme: str, deliveries: Sequence[tuple[str, bytes]], *, cursor: str | None = None) -> None:
        assert scheme == "github"
        self.deliveries += deliveries
        self.at = self.at if cursor is None else cursor

    async def cursor(self, scheme: str) -> str:
        return self.at

    async def turned_away(self, scheme: str, door: str, reason: str) -> None:
        raise AssertionError((scheme, door, reason))


@dataclass
class Office:
    """A desk whose only channel is GitHub, where ann and bob are known."""

    bench: Bench
    github: FakeGitHub
    channel: GithubChannel
    dispatcher: Dispatcher
    reception: Reception
    recipient: str = "github:acme/api#1"

    async def ask(self, command: str = "git reset --hard HEAD~2", **changes: Any) -> Request:
        """A new request, shown."""
        draft = a_draft(key=f"key-{command[:40]}-{sorted(changes)}", command=command)
        where = changes.pop("recipient", self.recipient)
        terms = replace(draft.terms, stages=(Stage(recipients=(where,)),), **changes.pop("terms", {}))
        case = await self.bench.desk.ask(replace(draft, **{"terms": terms, **changes}))
        await self.deliver()
        return case.request

    async def deliver(self) -> None:
        while await self.dispatcher.deliver_due():
            self.bench.clock.advance(1)

    async def retry(self) -> None:
        """Let the pauses pass that follow failures."""
        for _ in range(8):
            self.bench.clock.advance(8)
            await self.deliver()

    async def look(self) -> None:
        """Poll once, and do what comes of it."""
        self.bench.clock.advance(61)
        await self.channel.look(self.reception)
        await self.handle()

    async def handle(self) -> None:
        while await self.reception.handle_waiting("github"):
            await self.reception.told()
        await self.deliver()

    async def case(self, request: Request) -> Case:
        return await self.bench.desk.case(request.id)

    async def state(self, request: Request) -> str:
        return (await self.case(request)).request.state.value

    async def notes(self, request: Request) -> list[str]:
        """Why reviews did not count."""
        return [each.note for each in (await self.case(request)).reviews if not each.counted]

    async def decides(self, request: Request, act: Callable[[], Any]) -> bool:
        """Whether the request is approved once this was done and looked at."""
        act()
        await self.look()
        return await self.state(request) == "approved"

    def say(self, login: str, body: str, number: int = 1) -> Comment:
        return self.github.world.comment("acme/api", number, login, body)

    def cards(self, number: int = 1) -> list[Comment]:
        """Our comments that people decide by, oldest first."""
        found = [each for each in self.comments(number) if read_marker(each.body)]
        return [each for each in found if read_marker(each.body).is_card]  # type: ignore[union-attr]  # just read

    def replies(self) -> list[str]:
        return [each.body for each in self.comments() if each.body.startswith(REPLY)]

    def comments(self, number: int = 1) -> list[Comment]:
        return [each for each in self.github.world.find("acme/api").comments.values() if each.number == number]


@asynccontextmanager
async def office_over(kit: Kit, folder: Path, **table: Any) -> AsyncIterator[Office]:
    known = tuple(
        Person(id=f"local:{name}", identities=(Identity(id=f"github:{number}"),))
        for name, number in (("ann", 583231), ("bob", 583232), ("reader", 583233), ("dev", 583234))
    )
    people = Directory(people=known)
    with bench(folder / "askfirst.db", people=people, schemes={"github"}) as made:
        github = kit.github(made.clock)
        channel = kit.channel(kit.backing(made, folder), github, **table)
        dispatcher = Dispatcher(
            writer=made.writer,
            reader=made.reader,
            audit=made.log,
            clock=made.clock,
            channels={"github": channel},
            machine="laptop",
            on_unreachable=made.desk.unreachable,
        )
        reception = Reception(
            writer=made.writer,
            reader=made.reader,
            audit=made.log,
            clock=made.clock,
            hearing=Hearing(desk=made.desk, people=people, clock=made.clock),
            listeners={"github": channel},
        )
        try:
            yield Office(made, github, channel, dispatcher, reception)
        finally:
            await channel.close()
            github.close()


@pytest.fixture
def tell(kit: Kit, tmp_path: Path) -> Callable[..., None]:
    """Run a story in an office of its own; further arguments are of the configuration's table."""

    def run(story: Callable[[Office], Any], **table: Any) -> None:
        async def play() -> None:
            async with office_over(kit, tmp_path, **table) as office:
                await story(office)

        asyncio.run(asyncio.wait_for(play(), 60))

    return run


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def github(kit: Kit, clock: FakeClock) -> Iterator[FakeGitHub]:
    made = kit.github(clock)
    yield made
    made.close()


@pytest.fixture
def served(kit: Kit) -> Iterator[Callable[..., FakeGitHub]]:
    """Fakes that listen on loopback."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(kit.github(**options))
