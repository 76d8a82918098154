"""A program asks by Slack, as the founding document writes it, over a real broker and a workspace on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from askfirst import Denied
from askfirst.testing.slack import APP_TOKEN, BOT_TOKEN, TEAM, FakeSlack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ANN, CHANNEL = "U0ANN", "C0APPROVALS"


@pytest.fixture
def slack(broker: Any) -> Iterator[FakeSlack]:
    folder = broker.config.parent
    with FakeSlack() as made:
        for name, token in (("bot", BOT_TOKEN), ("app", APP_TOKEN)):
            (folder / name).write_text(token)
            (folder / name).chmod(0o600)
        config = broker.config.read_text(encoding="utf-8").replace(
            'id = "local:ann"\n', f'id = "local:ann"\nidentities = ["slack:{TEAM}/{ANN}"]\n'
        )
        table = f'[slack]\nbot_token_file = "bot"\napp_token_file = "app"\napi_url = "{made.url}"\n'
        broker.config.write_text(f"{config}{table}", encoding="utf-8")
        yield made
        broker.halt()


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_program_runs_what_was_approved_on_slack_and_nothing_that_was_denied(
    broker: Any, slack: FakeSlack, verb: str
) -> None:
    broker.start()
    ran: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(broker.gated_program("slack:#approvals", ran), "u1")
        request = broker.pending()
        slack.say(ANN, CHANNEL, f"{verb} {request['code']}")
        if verb == "approve":
            assert running.result(60) is True
        else:
            with pytest.raises(Denied):
                running.result(60)
    assert ran == (["u1"] if verb == "approve" else [])
    [review] = broker.request(request["id"])["reviews"]
    assert (review["person"], review["channel"], review["counted"]) == ("local:ann", "slack", True)
