"""Setting GitHub up: what is found out before anything is written."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from askfirst.cli.telegram_files import with_table
from askfirst.errors import ConfigError
from askfirst.inbound import Linking
from channels.github.config import github_config_of
from channels.github.setup import Finding, Wanted, look


def findings(kit: Any, github: Any, clock: Any, folder: Path, **wanted: str) -> dict[str, Finding]:
    config = kit.config(folder, github)
    transport = httpx.ASGITransport(app=github.app())
    return {each.name: each for each in asyncio.run(look(config, Wanted(**wanted), clock, transport))}


def test_account_credential_conversation_access_and_person_are_looked_at(
    kit: Any, github: Any, clock: Any, tmp_path: Path
) -> None:
    found = findings(kit, github, clock, tmp_path, conversation="acme/api#1", login="ann")
    assert [(each.name, each.ok) for each in found.values()] == [
        ("account", True),
        ("credential", True),
        ("issue", True),
        ("access", True),
        ("person", True),
    ]
    assert "dev, who does not decide there" in found["issue"].text
    assert 'identities = ["github:583231"]' in found["person"].text


PROBLEMS = [
    ("credential", lambda world: world.scopes.update({next(iter(world.scopes)): "gist"}), "expected `repo`"),
    ("access", lambda world: world.grant("acme/api", "asker", "read"), "push access"),
    ("account", lambda world: world.tokens.clear(), "the credential is refused"),
    ("person", lambda world: world.grant("acme/api", "ann", "read"), "deciding takes write"),
    ("issue", lambda world: world.repositories.clear(), "not there"),
]


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_not_well_is_said_with_what_to_do(
    kit: Any, github: Any, clock: Any, tmp_path: Path, case: tuple[str, Callable[[Any], Any], str]
) -> None:
    name, spoil, problem = case
    config = kit.config(tmp_path, github)
    spoil(github.world)
    wanted = Wanted(conversation="acme/api#1", login="ann")
    transport = httpx.ASGITransport(app=github.app())
    found = {each.name: each for each in asyncio.run(look(config, wanted, clock, transport))}
    assert not found[name].ok
    assert problem in found[name].text


def test_the_account_that_writes_is_no_reviewer(kit: Any, github: Any, clock: Any, tmp_path: Path) -> None:
    found = findings(kit, github, clock, tmp_path, login="asker")
    assert "cannot decide" in found["person"].text


def test_a_table_with_an_app_is_written_as_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text("key")
    (tmp_path / "app.pem").chmod(0o600)
    table = {"issue": "acme/api#2", "app": {"id": 42, "key_file": "app.pem"}}
    text = with_table("[web]\nport = 0\n", table, source="config.toml", scheme="github")
    assert with_table(text, table, source="config.toml", scheme="github") == text

    config = github_config_of(tomllib.loads(text)["github"], tmp_path)
    assert config.app is not None
    assert config.app.id == 42
    with pytest.raises(ConfigError, match=r"another \[github\]"):
        with_table(text, {"issue": "acme/api#3"}, source="config.toml", scheme="github")


def test_a_link_code_is_heard_in_the_configured_issue_without_any_request(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        heard: list[Linking] = []

        class Linker:
            async def link(self, linking: Linking) -> Any:
                heard.append(linking)

        office.reception._hearing._linker = Linker()
        await office.look()
        office.say("reader", "/link ABCD-EFGH", number=2)
        await office.look()
        assert [(each.link_code, each.origin.identity) for each in heard] == [("ABCD-EFGH", "github:583233")]

    tell(story, issue="acme/api#2")


@pytest.mark.slow
def test_the_command_looks_and_writes_nothing_where_something_is_not_well(
    served: Callable[..., Any], tmp_path: Path
) -> None:
    fake = served()
    token = tmp_path / "token"
    token.write_text(fake.world.token("asker"))
    token.chmod(0o600)
    config = tmp_path / "config.toml"

    def setup(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-m", "askfirst.entry", "github", "setup", "--token-file", str(token)]
        environ = {"ASKFIRST_CONFIG": str(config), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        more = ["--api-url", fake.url, "--folder", str(tmp_path), "--state-dir", str(tmp_path / "state")]
        return subprocess.run(
            [*command, *more, *arguments], env=environ, capture_output=True, text=True, check=False, cwd="/"
        )

    refused = setup("--login", "reader", "--issue", "acme/api#2")
    assert refused.returncode != 0
    assert "deciding takes write" in refused.stderr
    assert not config.exists()
    looked = setup("--login", "ann", "--issue", "acme/api#2", "--check", "--json")
    assert looked.returncode == 0, looked.stderr
    assert not config.exists()
    done = setup("--login", "ann", "--issue", "acme/api#2")
    assert done.returncode == 0, done.stderr
    assert 'issue = "acme/api#2"' in config.read_text()
    assert (tmp_path / "github-token").stat().st_mode & 0o777 == 0o600
    assert "github:pr" in (tmp_path / "policy.toml").read_text()
    assert fake.world.token("asker") not in done.stdout + done.stderr + config.read_text()
