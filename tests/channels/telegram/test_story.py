"""From a request to a decision by Telegram, over a real store and the fake Bot API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from askfirst.request import RequestState

if TYPE_CHECKING:
    from askfirst.testing.telegram import FakeTelegram, User

pytestmark = pytest.mark.anyio


async def test_a_press_approves_and_the_card_says_so(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    assert card["text"].splitlines()[:2] == [
        "🟠 HIGH · discards 1 changed file and 2 unpushed commits",
        "$ git reset --hard HEAD~2",
    ]
    assert request.code in card["text"].splitlines()[2]
    [answer] = await line.press(ann, card, "Approve")
    assert answer == {"text": "approved", "show_alert": False}
    case = await line.case(request)
    assert (case.request.state, case.request.end.by) == (RequestState.APPROVED, "local:ann")
    after = line.last(ann)
    assert after["text"].startswith("✅ Approved by local:ann via telegram")
    assert "reply_markup" not in after


async def test_a_stranger_decides_nothing_and_is_told_so(line: Any, ann: User, fake: FakeTelegram) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    mallory = fake.user("Mallory")
    [answer] = await line.press(mallory, line.last(ann), "Approve")
    assert answer["show_alert"]
    assert "I do not know you here" in answer["text"]
    assert (await line.case(request)).request.state is RequestState.PENDING
