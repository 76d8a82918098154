"""What people can do beside a press: give reasons, ask back, answer, type codes, look around, be left in peace."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.effects import Risk
from askfirst.inbound import Undo
from askfirst.request import RequestState, Verdict
from askfirst.testing.bench import a_review
from channels.telegram.controls import Binding, Control, Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.testing.telegram import FakeTelegram, Message, User

pytestmark = pytest.mark.anyio
LONG = "rm -rf " + " ".join(f"build/part-{number:04}" for number in range(900))
QUESTION = {"question": "Which environment?"}


def labels(message: Message) -> list[str]:
    return [each["text"] for row in message.get("reply_markup", {}).get("inline_keyboard", []) for each in row]


async def ended(line: Any, request: Any) -> tuple[RequestState, str]:
    case = await line.case(request)
    return case.request.state, case.request.end.text if case.request.end else ""


async def test_a_deny_with_a_reason_by_a_prompt(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    await line.press(ann, card, "More")
    assert labels(line.last(ann)) == [
        "⛔ Deny, and say why …",
        "❓ Ask the agent …",
        "🛑 Deny and stop the session",
        "‹ Back",
    ]
    await line.press(ann, card, "Deny, and")
    prompt = line.last(ann)
    assert prompt["text"] == f"To deny {request.code}, reply to this message with the reason."
    assert await line.say(ann, "two commits would be lost", reply_to=prompt) == "✅ denied"
    assert await ended(line, request) == (RequestState.DENIED, "two commits would be lost")


async def test_back_from_more_is_the_card_as_it_was(line: Any, ann: User) -> None:
    await line.ask(f"telegram:{ann.id}")
    before = labels(line.last(ann))
    await line.press(ann, line.last(ann), "More")
    await line.press(ann, line.last(ann), "Back")
    assert labels(line.last(ann)) == before


async def test_a_question_to_the_agent_by_a_prompt(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    await line.press(ann, line.last(ann), "More")
    await line.press(ann, line.last(ann), "Ask")
    await line.say(ann, "on which branch?", reply_to=line.last(ann))
    case = await line.case(request)
    assert case.asked_back is not None
    assert case.asked_back.text == "on which branch?"
    assert "↩️ local:ann asks: on which branch?" in line.fake.messages(ann.id)[0]["text"]


async def test_deny_and_stop(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    await line.press(ann, line.last(ann), "More")
    await line.press(ann, line.last(ann), "stop")
    end = (await line.case(request)).request.end
    assert end is not None
    assert end.stop


async def test_words_in_answer_to_a_card_decide_nothing_until_it_is_said_what_they_are_for(
    line: Any, ann: User
) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    await line.say(ann, "looks good, approve", reply_to=card)
    chooser = line.last(ann)
    assert labels(chooser) == ["⛔ Deny with these words", "❓ Ask the agent this"]
    assert (await line.case(request)).reviews == ()
    await line.press(ann, chooser, "Deny with")
    assert await ended(line, request) == (RequestState.DENIED, "looks good, approve")


async def test_a_command_in_answer_to_a_card_needs_no_code_unless_it_approves(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    card = line.last(ann)
    assert "Nothing was approved" in await line.say(ann, "/approve", reply_to=card)
    assert await line.say(ann, "/deny no such branch", reply_to=card) == "✅ denied"
    assert await ended(line, request) == (RequestState.DENIED, "no such branch")


async def test_an_answer_by_a_button(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", **QUESTION, options=("staging", "production"))
    card = line.last(ann)
    assert labels(card) == ["staging", "production", "⛔ Decline …"]
    await line.press(ann, card, "staging")
    assert await ended(line, request) == (RequestState.ANSWERED, "staging")
    assert line.last(ann)["text"].startswith("💬 Answered by local:ann via telegram: staging")


async def test_a_free_answer_by_a_prompt(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", **QUESTION)
    await line.press(ann, line.last(ann), "Answer")
    await line.say(ann, "the blue one", reply_to=line.last(ann))
    assert await ended(line, request) == (RequestState.ANSWERED, "the blue one")


async def test_a_free_answer_in_reply_to_the_question(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", **QUESTION)
    await line.say(ann, "the blue one", reply_to=line.last(ann))
    await line.press(ann, line.last(ann), "That is the answer")
    assert await ended(line, request) == (RequestState.ANSWERED, "the blue one")


async def test_a_critical_request_is_approved_by_its_code_in_reply_to_the_prompt(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}", risk=Risk.CRITICAL)
    await line.press(ann, line.last(ann), "Approve with code")
    prompt = line.last(ann)
    assert "Nothing was approved" in await line.say(ann, "yes", reply_to=prompt)
    assert await line.say(ann, request.code.rpartition("-")[2], reply_to=prompt) == "✅ approved"
    assert (await ended(line, request))[0] is RequestState.APPROVED


async def test_a_long_command_comes_as_a_file_first_and_is_approved_by_its_code(line: Any, ann: User) -> None:
    """I9."""
    request = await line.ask(f"telegram:{ann.id}", command=LONG)
    file, card = line.fake.messages(ann.id)
    assert LONG in line.fake.file(file["document"]["file_id"]).decode()
    assert "Approve" not in labels(card)
    assert await line.say(ann, f"/approve {request.code}") == "✅ approved"


async def test_a_file_that_cannot_be_sent_keeps_the_card_back(line: Any, ann: User, fake: FakeTelegram) -> None:
    fake.fail("sendDocument", "lost")
    await line.ask(f"telegram:{ann.id}", command=LONG)
    assert fake.messages(ann.id) == []
    line.bench.clock.advance(5)
    fake.fail("sendMessage", "lost")
    await line.deliver()
    line.bench.clock.advance(10)
    await line.deliver()
    assert ["document" in each for each in fake.messages(ann.id)] == [True, False]


async def test_why_says_the_rule_and_the_safer_command(line: Any, ann: User) -> None:
    await line.ask(f"telegram:{ann.id}")
    await line.press(ann, line.last(ann), "Why?")
    assert "Rule: test · ask.high" in line.last(ann)["text"]
    assert "safer: git stash" in line.last(ann)["text"]


async def test_hand_over_by_words(line: Any, ann: User, bob: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    await line.say(ann, f"/hand {request.code} local:bob")
    assert request.code in line.last(bob)["text"]
    await line.press(bob, line.last(bob), "Deny")
    assert (await ended(line, request))[0] is RequestState.DENIED


async def test_the_commands_answer(line: Any, ann: User) -> None:
    request = await line.ask(f"telegram:{ann.id}")
    assert (await line.say(ann, "/pending")).startswith(f"1 waiting:\n• {request.code}")
    await line.press(ann, line.last(ann), "Show")
    assert request.code in line.last(ann)["text"]
    assert "✅ Approve" in labels(line.last(ann))
    assert "1 waiting for a person" in await line.say(ann, "/status")
    assert await line.say(ann, "/log") == f"Nothing was decided yet.\nlog {line.bench.log.head.seen}"
    await line.say(ann, f"/approve {request.code}")
    assert f"{request.code} approved by local:ann" in await line.say(ann, "/log")
    assert "Nothing else that you write approves anything" in await line.say(ann, "/help")
    assert await line.say(ann, "good morning") == await line.say(ann, "/help")
    assert f"telegram:{ann.id}" in await line.say(ann, "/here")
    assert "No request has this code" in await line.say(ann, "/show 000000-00000000")
    assert (await line.say(ann, f"/show {request.code}")).startswith("✅ Approved")


async def test_mute_takes_the_sound_but_not_from_what_is_critical(line: Any, ann: User, fake: FakeTelegram) -> None:
    assert "No sounds here until" in await line.say(ann, "/mute 1h")
    await line.ask(f"telegram:{ann.id}", key="a")
    await line.ask(f"telegram:{ann.id}", key="b", risk=Risk.CRITICAL, command="rm -rf /srv")
    line.bench.clock.advance(3601)
    await line.ask(f"telegram:{ann.id}", key="c", command="rm -rf b")
    cards = [given for _, given in fake.calls("sendMessage") if "reply_markup" in given]
    assert [each.get("disable_notification", False) for each in cards] == [True, False, False]
    assert "for how long" in await line.say(ann, "/mute please")
    assert "Sounds are on" in await line.say(ann, "/mute off")


async def test_many_that_are_less_grave_come_as_one_list_and_are_shown_one_by_one(
    opened: Callable[..., Any], ann: User
) -> None:
    async with opened(digest_from=2) as line:
        requests = [
            await line.ask(f"telegram:{ann.id}", key=str(n), command=f"rm -rf {n}", risk=Risk.MEDIUM) for n in range(5)
        ]
        high = await line.ask(f"telegram:{ann.id}", key="high", command="rm -rf all")
        messages = line.fake.messages(ann.id)
        assert len(messages) == 4  # two cards, one list, one card
        listed = messages[2]
        assert listed["text"].startswith("3 waiting that are less grave")
        assert labels(listed) == [f"Show {each.code.partition('-')[0]}" for each in requests[2:]]
        assert high.code in messages[3]["text"]
        await line.press(ann, listed, f"Show {requests[3].code.partition('-')[0]}")
        await line.press(ann, line.last(ann), "Approve")
        assert (await ended(line, requests[3]))[0] is RequestState.APPROVED
        assert requests[3].code not in line.fake.messages(ann.id)[2]["text"]
        for each in (requests[2], requests[4]):
            await line.bench.desk.review(a_review(each, Verdict.DENY))
        await line.deliver()
        assert line.fake.messages(ann.id)[2]["text"] == "Nothing of this list waits any more."


async def test_what_comes_at_once_is_one_list_and_one_topic(
    opened: Callable[..., Any], fake: FakeTelegram, ann: User
) -> None:
    group = fake.group("Team", forum=True)
    async with opened(digest_from=1, topics="repository") as line:
        await line.ask(f"telegram:{ann.id}", key="first", command="rm -rf first")
        low = [
            await line.ask(
                f"telegram:{ann.id}", key=str(n), command=f"rm -rf {n}", risk=Risk.MEDIUM, is_delivered=False
            )
            for n in range(4)
        ]
        for number in range(3):
            await line.ask(f"telegram:{group.id}", key=f"g{number}", command=f"rm g{number}", is_delivered=False)
        await line.deliver()
        _, listed = fake.messages(ann.id)
        assert all(each.code in listed["text"] for each in low)
        assert len(fake.calls("createForumTopic")) == 1


async def test_each_repository_has_a_topic_of_its_own(opened: Callable[..., Any], fake: FakeTelegram) -> None:
    group = fake.group("Team", forum=True)
    async with opened(topics="repository") as line:
        first = await line.ask(f"telegram:{group.id}", key="a")
        await line.ask(f"telegram:{group.id}", key="b", command="rm -rf b")
        action = replace(first.action, cwd="/srv/other", arguments={"command": "rm -rf c"})
        await line.ask(f"telegram:{group.id}", key="c", action=action)
        topics = [each["message_thread_id"] for each in fake.messages(group.id) if "message_thread_id" in each]
        assert len(set(topics)) == 2
        assert topics[0] == topics[1]
        assert set(fake.call(lambda: list((fake.world.chats[group.id].topics or {}).values()))) == {"project", "other"}


async def test_a_topic_that_somebody_deleted_is_no_reason_to_stay_silent(
    opened: Callable[..., Any], fake: FakeTelegram
) -> None:
    group = fake.group("Team", forum=True)
    async with opened(topics="session") as line:
        await line.ask(f"telegram:{group.id}", key="a")
        fake.call((fake.world.chats[group.id].topics or {}).clear)
        request = await line.ask(f"telegram:{group.id}", key="b", command="rm -rf b")
        assert request.code in line.last(group)["text"]


async def test_a_group_without_topics_is_told_in_its_one_conversation(
    opened: Callable[..., Any], fake: FakeTelegram
) -> None:
    group = fake.group("Team")
    async with opened(topics="session") as line:
        request = await line.ask(f"telegram:{group.id}")
        assert request.code in line.last(group)["text"]


async def test_an_undo_names_the_version_and_the_turn_that_were_shown(line: Any, ann: User, fake: FakeTelegram) -> None:
    """What undoing does is the desk's; here, that the button says what it was made for and is known again."""
    request = await line.ask(f"telegram:{ann.id}")
    control = Control(request_id=request.id, version=1, verb=Verb.UNDO, place=3)
    binding = Binding(action_digest=request.action_digest, chat=ann.id, reviewers=())
    data = line.channel._outbound._sealer.data(control, binding)
    fake.press(ann, line.last(ann), data, forged=True)
    [update] = await line.channel._api.poll(0, 0)
    [undo] = line.channel.parse(json.dumps(update).encode())
    vetted = await line.channel.vet(undo)
    assert isinstance(vetted, Undo)
    assert (vetted.turn, vetted.doubt, vetted.reference.action_digest) == (3, "", request.action_digest)
    foreign = await line.channel.vet(replace(undo, origin=replace(undo.origin, recipient="telegram:1")))
    assert isinstance(foreign, Undo)
    assert foreign.doubt
