"""As a GitHub App: its tokens, buttons of check runs, and deployments that wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from askfirst.effects import Risk
from askfirst.errors import ConfigError
from channels.github.auth import AppSigner
from channels.github.config import AppIdentity


@pytest.fixture(scope="session")
def app_key() -> tuple[str, str]:
    """Private and public key, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.fixture
def as_app(tell: Callable[..., None], tmp_path: Any, app_key: tuple[str, str]) -> Callable[..., None]:
    """Tell a story with an App in the token's place."""
    private, public = app_key
    (tmp_path / "app.pem").write_text(private)
    (tmp_path / "app.pem").chmod(0o600)

    def run(story: Callable[[Any], Any], **table: Any) -> None:
        async def with_app(office: Any) -> None:
            office.github.world.app(42, "askfirst", public)
            await story(office)

        tell(with_app, app={"id": 42, "key_file": "app.pem", **table})

    return run


def runs(office: Any) -> list[dict[str, Any]]:
    return list(office.github.world.find("acme/api").check_runs.values())


async def press(office: Any, login: str, button: str) -> None:
    """Press a button of the newest check run, and let us be told."""
    office.github.world.press("acme/api", runs(office)[-1]["id"], login, button)
    headers, body = office.github.world.events[-1]
    transport = httpx.ASGITransport(app=office.channel.app(office.reception))
    async with httpx.AsyncClient(transport=transport, base_url="http://broker") as http:
        assert (await http.post("/", content=body, headers=headers)).status_code == 200
    await office.handle()


def test_an_app_writes_as_its_bot_with_a_token_that_it_keeps(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        await office.ask()
        await office.ask("rm -rf build")
        assert [each.user.login for each in office.cards()] == ["askfirst[bot]"] * 2
        made = [each for each in office.github.world.calls if each.endswith("/access_tokens")]
        assert len(made) == 2  # to learn its own id, and to write
        office.bench.clock.advance(3400)
        assert (await office.channel.check()).text.startswith("writes as askfirst[bot]")

    as_app(story)


def test_a_press_decides_with_an_assurance_that_no_token_of_an_agent_has(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask(terms={"assurance_min": 2})
        [run] = runs(office)
        assert (run["conclusion"], [each["label"] for each in run["actions"]]) == (
            "action_required",
            ["Approve", "Deny"],
        )
        office.say("ann", f"/approve {request.code}")
        await office.look()
        assert await office.state(request) == "pending"
        await press(office, "ann", "approve")
        assert (await office.case(request)).reviews[-1].assurance == 2
        assert await office.state(request) == "approved"
        assert (runs(office)[-1]["conclusion"], runs(office)[-1]["actions"]) == ("success", [])

    as_app(story)


@pytest.mark.parametrize("login", ["reader", "dev"])
def test_a_press_of_somebody_who_may_not_decide_counts_for_nothing(as_app: Callable[..., None], login: str) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        await press(office, login, "approve")
        assert await office.state(request) == "pending"
        assert len(await office.notes(request)) == 1

    as_app(story)


def test_a_press_after_new_commits_counts_for_nothing(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.github.world.push("acme/api", 1)
        await press(office, "ann", "approve")
        assert "new commits" in (await office.notes(request))[0]

    as_app(story)


def test_a_press_on_a_check_that_another_app_made_counts_for_nothing(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        runs(office)[-1]["app"]["id"] = 43
        await press(office, "ann", "approve")
        assert await office.notes(request) == ["this check is not ours"]

    as_app(story)


def test_a_critical_request_has_no_button_that_approves_it(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask(risk=Risk.CRITICAL)
        assert [each["label"] for each in runs(office)[-1]["actions"]] == ["Deny"]
        await press(office, "ann", "deny")
        assert await office.state(request) == "denied"
        assert runs(office)[-1]["conclusion"] == "failure"

    as_app(story)


def test_after_a_restart_the_check_run_is_found_again(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.channel._states._runs.clear()
        await office.bench.desk.cancel(request.id, "not needed")
        await office.deliver()
        assert [each["conclusion"] for each in runs(office)] == ["cancelled"]

    as_app(story)


def test_a_key_that_is_none_is_said_so(kit: Any, clock: Any) -> None:
    with pytest.raises(ConfigError, match="RSA private key"):
        AppSigner(app=AppIdentity(id=1, key="no key"), clock=clock).header()


# -- deployments ----------------------------------------------------------------------------------------------------


class FakeOperations:
    """Remembers what was asked; answers as a test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, str, str]] = []
        self.why = ""
        self.told: list[str] = []

    async def ask(self, call: Any, *, by: str, key: str, recipient: str) -> str:
        self.asked.append((call, key, recipient))
        return self.why

    async def release(self, request_id: str) -> tuple[bool, str]:
        return request_id not in self.told, ""

    async def released(self, request_id: str) -> None:
        self.told.append(request_id)


def judged(office: Any) -> list[tuple[str, Any]]:
    return [(each["environment_name"], each.get("state")) for each in office.github.world.find("acme/api").deployments]


def test_a_deployment_waits_for_a_decision_on_any_channel_and_is_let_go_once(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        operations = FakeOperations()
        office.channel._deployments._operations = operations
        office.github.world.deploy("acme/api", "dev", "production", 987)
        headers, body = office.github.world.events[-1]
        transport = httpx.ASGITransport(app=office.channel.app(office.reception))
        async with httpx.AsyncClient(transport=transport, base_url="http://broker") as http:
            assert (await http.post("/", content=body, headers=headers)).text == "asked"
        [(call, _, recipient)] = operations.asked
        assert recipient == "github:acme/api/runs/987@production"
        assert call.arguments["environment"] == "production"
        request = await office.ask(recipient=recipient)
        assert judged(office) == [("production", None)]
        other = await office.ask("rm -rf build")
        office.say("ann", f"/approve {other.code}")
        await office.look()
        await office.bench.desk.cancel(request.id, "not today")
        await office.deliver()
        assert judged(office)[-1] == ("production", "rejected")

    as_app(story, deployments=True)


def test_a_deployment_that_the_policy_denies_is_rejected_at_once(as_app: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        operations = FakeOperations()
        operations.why = "denied by the policy (rule freeze): nothing is deployed on Fridays"
        office.channel._deployments._operations = operations
        office.github.world.deploy("acme/api", "dev", "production", 987)
        headers, body = office.github.world.events[-1]
        transport = httpx.ASGITransport(app=office.channel.app(office.reception))
        async with httpx.AsyncClient(transport=transport, base_url="http://broker") as http:
            await http.post("/", content=body, headers=headers)
        assert judged(office) == [("production", "rejected")]

    as_app(story, deployments=True)
