"""What must not count: strangers, other chats, old versions, forged, repeated and edited messages, others' names."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.audit_port import EntryType
from askfirst.effects import Risk
from askfirst.engine import Amend, Content
from askfirst.request import RequestState, Verdict
from askfirst.testing.bench import a_review
from askfirst.testing.telegram import ANONYMOUS_ADMIN
from channels.telegram.controls import Binding, Control, Verb, control_of
from channels.telegram.keyboards import shown
from channels.telegram.vetting import CHANGED, NEEDS_CODE, NOT_OURS

if TYPE_CHECKING:
    from askfirst.testing.telegram import FakeTelegram, Message, User

pytestmark = pytest.mark.anyio


def data_of(message: Message, label: str) -> str:
    rows = message["reply_markup"]["inline_keyboard"]
    return next(str(each["callback_data"]) for row in rows for each in row if label in each["text"])


async def still_open(line: Any, request: Any) -> bool:
    case = await line.case(request)
    assert not [each for each in case.reviews if each.counted]
    return bool(case.request.state is RequestState.PENDING)


async def test_a_member_of_the_group_whom_nobody_knows_decides_nothing(line: Any, fake: FakeTelegram) -> None:
    group, mallory = fake.group("Team"), fake.user("Mallory")
    request = await line.ask(f"telegram:{group.id}")
    [answer] = await line.press(mallory, line.last(group), "Approve")
    assert answer["show_alert"]
    assert "I do not know you here" in await line.say(mallory, f"/approve {request.code}", group)
    assert await still_open(line, request)
    refused = [each for each in line.bench.log.entries if each.type is EntryType.CHANNEL_REFUSED]
    assert {each.actor.id for each in refused} == {f"telegram:{mallory.id}"}


async def test_a_button_counts_only_in_the_chat_that_it_was_made_for(line: Any, ann: User, bob: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", f"telegram:{bob.id}")
    stolen = data_of(line.last(ann), "Approve")
    [answer] = await line.press(bob, line.last(bob), stolen, forged=True)
    assert answer == {"text": CHANGED[:200], "show_alert": True}
    assert await still_open(line, request)


async def test_a_button_counts_only_for_its_own_request(line: Any, ann: User) -> None:
    first = await line.ask(f"telegram:{ann.id}", key="a", command="rm -rf a")
    harmless = line.last(ann)
    second = await line.ask(f"telegram:{ann.id}", key="b", command="rm -rf b")
    await line.press(ann, harmless, data_of(line.last(ann), "Approve"), forged=True)
    assert await still_open(line, first)
    assert await still_open(line, second)


async def test_a_forged_control_is_nothing(line: Any, ann: User, fake: FakeTelegram) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    honest = data_of(card, "Deny")
    # the verb of a deny turned into that of an approve, under the seal of the deny
    raw = bytearray(base64.urlsafe_b64decode(honest))
    raw[19] = Verb.APPROVE
    for forged in (base64.urlsafe_b64encode(raw).decode(), honest[:-1] + "A", "approve", "", "x" * 48, "A" * 48):
        if forged:
            await line.press(ann, card, forged, forged=True)
    assert await still_open(line, request)
    assert control_of(honest) == Control(
        request_id=request.id,
        version=1,
        verb=Verb.DENY,
        seal=control_of(honest).seal,  # type: ignore[union-attr]
    )


async def test_a_card_whose_text_was_changed_is_doubted(line: Any, ann: User) -> None:
    """Whoever holds the bot's token can edit what a person reads before the press."""
    request = await line.ask(f"telegram:{ann.id}", command="rm -rf /srv/data")
    card = line.last(ann)
    [answer] = await line.press(ann, card, "Approve", shown=card["text"].replace("/srv/data", "/tmp/cache"))
    assert answer == {"text": CHANGED[:200], "show_alert": True}
    assert await still_open(line, request)
    [answer] = await line.press(ann, card, "Approve")
    assert answer["text"] == "approved"


async def test_a_button_that_was_given_another_label_is_doubted(line: Any, ann: User, fake: FakeTelegram) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)

    def relabel() -> None:
        buttons = fake.world.messages[ann.id, card["message_id"]]["reply_markup"]["inline_keyboard"][0]
        buttons[0]["text"], buttons[1]["text"] = buttons[1]["text"], buttons[0]["text"]

    fake.call(relabel)
    await line.press(ann, card, "Deny")
    assert await still_open(line, request)


async def test_a_press_on_an_old_version_is_late(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", command="rm -rf a")
    old = data_of(line.last(ann), "Approve")
    text = line.last(ann)["text"]
    action = replace(request.action, arguments={"command": "rm -rf b"})
    content = Content(action=action, effects=request.effects, risk=request.risk)
    await line.bench.desk.amend(request.id, Amend(content=content, claim=request.claim, terms=request.terms))
    await line.deliver()
    [answer] = await line.press(ann, line.last(ann), old, forged=True, shown=text)
    assert answer["show_alert"]
    assert await still_open(line, request)
    [answer] = await line.press(ann, line.last(ann), "Approve")
    assert answer["text"] == "approved"


async def test_a_press_on_a_message_that_is_no_longer_accessible_is_refused_and_the_card_shown_anew(
    line: Any, ann: User
) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    before = len(line.fake.messages(ann.id))
    await line.press(ann, line.last(ann), "Approve", inaccessible=True)
    assert await still_open(line, request)
    assert len(line.fake.messages(ann.id)) == before + 1
    assert line.last(ann)["text"].startswith("Shown anew")
    [answer] = await line.press(ann, line.last(ann), "Approve")
    assert answer["text"] == "approved"
    assert all("reply_markup" not in each for each in line.fake.messages(ann.id))


@pytest.mark.parametrize(
    "more",
    [
        {"forward_origin": {"type": "hidden_user", "sender_user_name": "Ann", "date": 1}},
        {"sender_chat": {"id": -100123, "type": "channel", "title": "c"}},
        {"via_bot": {"id": 99, "is_bot": True, "first_name": "b"}},
        {"is_automatic_forward": True},
        {"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
        {"from": {"id": 136817688, "is_bot": True, "first_name": "Channel"}},
        {"from": ANONYMOUS_ADMIN.json()},
    ],
)
async def test_words_in_the_name_of_others_decide_nothing(line: Any, ann: User, more: dict[str, Any]) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    await line.say(ann, f"/approve {request.code}", **more)
    assert await still_open(line, request)


async def test_an_edited_message_decides_nothing(line: Any, ann: User, fake: FakeTelegram) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    said = fake.say(ann, ann, "hello")
    await line.pump()
    fake.edit(said, f"/approve {request.code}")
    await line.pump()
    assert await still_open(line, request)
    assert "an edited message decides nothing" in line.last(ann)["text"]


@pytest.mark.parametrize(
    "text",
    ["approve", "yes", "ok go", "/approve", "/approve now", "approve {code}", "/approve {code} please", "{code}",
     "> /approve {code}", "/approve\u202e {code}", "/APPROVED {code}", "/approve@other_bot {code}", "/approve {other}"],
)  # fmt: skip
async def test_nothing_but_the_exact_words_approves(line: Any, ann: User, text: str) -> None:
    """I7."""
    request = await line.ask(f"telegram:{ann.id}")
    other = request.code[:-1] + ("0" if request.code[-1] != "0" else "1")
    await line.say(ann, text.format(code=request.code, other=other))
    assert await still_open(line, request)


@pytest.mark.parametrize("text", ["/approve {code}", "/Approve@askfirst_test_bot {code}", " /approve  {code} "])
async def test_the_exact_words_approve(line: Any, ann: User, text: str) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    assert await line.say(ann, text.format(code=request.code)) == "✅ approved"


async def test_a_critical_request_takes_its_code_whatever_button_is_forged(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", risk=Risk.CRITICAL)
    card = line.last(ann)
    assert not [each for row in card["reply_markup"]["inline_keyboard"] for each in row if each["text"] == "✅ Approve"]
    sealer = line.channel._outbound._sealer
    control = Control(request_id=request.id, version=1, verb=Verb.APPROVE)
    binding = Binding(action_digest=request.action_digest, chat=ann.id, reviewers=(), text=shown(card["text"], ""))
    [answer] = await line.press(ann, card, sealer.data(control, binding), forged=True)
    assert answer["text"] == NEEDS_CODE
    assert await still_open(line, request)


async def test_a_repeated_press_is_answered_and_counts_once(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    first, second = line.fake.press(ann, card, "Approve"), line.fake.press(ann, card, "Approve")
    await line.pump()
    assert line.fake.answers(first)[0]["text"] == "approved"
    assert "already approved by local:ann" in line.fake.answers(second)[0]["text"]
    assert sum(each.counted for each in (await line.case(request)).reviews) == 1


async def test_a_press_after_somebody_else_decided_elsewhere_is_answered_in_place(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    query = line.fake.press(ann, card, "Approve")
    await line.bench.desk.review(a_review(request, Verdict.DENY, person="local:bob"))
    line.bench.clock.advance(12)
    await line.pump()
    [answer] = line.fake.answers(query)
    assert answer == {"text": "already denied by local:bob via web 12 s ago", "show_alert": True}
    assert line.last(ann)["text"].startswith("⛔ Denied by local:bob via web")


async def test_a_control_button_of_another_chat_answers_nothing(line: Any, ann: User, bob: User) -> None:
    await line.ask(f"telegram:{ann.id}", f"telegram:{bob.id}")
    stolen = data_of(line.last(ann), "Why?")
    [answer] = await line.press(bob, line.last(bob), stolen, forged=True)
    assert answer == {"text": NOT_OURS, "show_alert": True}


async def test_commands_of_other_bots_in_a_group_are_nobodys_business(line: Any, fake: FakeTelegram) -> None:
    group, mallory = fake.group("Team"), fake.user("Mallory")
    for text in ("/weather Berlin", "hello", "/weather@other_bot"):
        fake.say(mallory, group, text)
    await line.pump()
    assert fake.messages(group.id) == []


async def test_a_link_code_in_a_group_links_nobody(line: Any, fake: FakeTelegram) -> None:
    """There everybody can read it."""
    group, mallory = fake.group("Team"), fake.user("Mallory")
    await line.say(mallory, "/start abcdefgh", group)
    assert [each for each in line.bench.log.entries if each.type is EntryType.CHANNEL_REFUSED]
