"""Erasing, limits, key changes, hooks: each with its entry, and with a log that verifies afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.engine import Content
from askfirst.errors import ConflictError, Error, InputError, LogError
from askfirst.hook_notes import leave_note, waiting_notes
from askfirst.paths import StatePaths
from askfirst.policy.ruling import ScopeOffer
from askfirst.policy.source import LayerChange
from askfirst.request import Action, Claim, Request, Verdict
from askfirst.testing.bench import a_draft, a_review
from askfirst.testing.channel_suite import an_amendment
from askfirst.testing.full_disk import files_up_to
from audit.keeper import HOOKS_KEY, _set_meta
from audit.note import open_checkpoint, parse_vkey
from audit.rotation import draft_key
from audit.testing import Broker
from audit.verify import verify_store

ANN = Actor(type="human", id="local:ann", channel="cli", assurance=0)
COMMAND = "rm -rf customers/jane.doe@example.com"


def refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(Error) as refused:
        asyncio.run(act())
    return str(refused.value)


def test_erasing_a_request_takes_its_input_out_of_payload_row_and_file_and_the_log_verifies(broker: Broker) -> None:
    async def story() -> Request:
        request = await broker.ended_request(COMMAND)
        erased = await broker.keeper.erase_request(request.id, ANN, "asked by the person concerned")
        assert len(erased) == 1
        return request

    request = asyncio.run(story())
    [entry] = broker.entries("blob.erased")
    assert (entry["req"], entry["actor"]["id"], entry["data"]["reason"]) == (
        request.id,
        "local:ann",
        "asked by the person concerned",
    )
    assert broker.payloads() == 0
    case = asyncio.run(broker.desk.case(request.id))
    assert case.request.action.command == "[erased]"
    assert case.request.action_digest == request.action_digest
    assert broker.verified().ok


def test_erasing_reaches_the_versions_before_and_what_ran_by_the_permission(broker: Broker) -> None:
    """What an agent asked first, or ran under an approval for commands like it, is as personal as the last version."""
    pattern = "git reset --hard *"

    async def story() -> str:
        offers = (ScopeOffer(kind="once"), ScopeOffer(kind="session", pattern=pattern))
        draft = a_draft(command="git reset --hard jane@example.com", now_ms=broker.clock.now_ms())
        draft = replace(draft, claim=Claim(reason="she asked"), terms=replace(draft.terms, scopes=offers))
        asked = (await broker.desk.ask(draft)).request
        request = (await broker.desk.amend(asked.id, replace(an_amendment(asked), claim=Claim()))).case.request
        await broker.desk.review(a_review(request, Verdict.APPROVE, scope=f"session {pattern}"))
        action = replace(request.action, arguments={"command": "git reset --hard max@example.com"})
        step = await broker.desk.redeem(
            request.id,
            action_digest=action.digest(),
            attempt="a",
            tool_use_id="t2",
            content=Content(action=action, effects=request.effects, risk=request.risk),
            terms=request.terms,
        )
        assert step.done
        await broker.desk.revoke(request.id, by="local:ann", channel="web")
        await broker.keeper.erase_request(request.id, ANN, "asked by the person concerned")
        return request.id

    case = asyncio.run(broker.desk.case(asyncio.run(story())))
    [earlier] = case.earlier
    assert (earlier.action.command, earlier.claim) == ("[erased]", Claim())
    assert case.grant is not None
    [use] = case.grant.uses
    assert use.action is not None
    assert use.action.command == "[erased]"
    with broker.reader.connect() as connection:
        for table in ("request", "request_version", "grant_"):
            bodies = list(connection.scalars(sa.text(f"select body from {table}")))  # names of our own
            assert not [body for body in bodies if "example.com" in body or "she asked" in body]
    assert broker.verified().ok


def test_erasing_a_question_takes_the_offered_answers_too(broker: Broker) -> None:
    async def story() -> Request:
        draft = a_draft(now_ms=broker.clock.now_ms())
        arguments = {"question": "Write to whom?", "options": ["jane", "max"]}
        action = Action(tool="question", arguments=arguments, cwd="", host="mcp", session="session-1")
        asked = replace(draft, action=action, question="Write to whom?", options=("jane", "max"))
        request = (await broker.desk.ask(asked)).request
        await broker.desk.cancel(request.id, "")
        await broker.keeper.erase_request(request.id, ANN, "asked by the person concerned")
        return (await broker.desk.case(request.id)).request

    request = asyncio.run(story())
    assert (request.question, request.options, request.action.arguments) == ("[erased]", (), {})


def test_what_was_erased_is_not_in_the_file(broker: Broker) -> None:
    """The summary in the entry stays, as a command that has to be shown for ever; the whole input is gone."""
    secret = "jane.doe@example.com, born 1980-01-01"
    broker.append(Entry(type=EntryType.QUESTION_ASKED, request="r1", data={"text": Private.text(secret * 20)}))
    [payload] = [entry["data"]["text"]["sha256"] for entry in broker.entries("question.asked")]
    asyncio.run(broker.keeper.erase_payload(payload, ANN, "gone"))
    broker.stop()  # folds the write-ahead log into the file
    for file in broker.root.glob("askfirst.db*"):
        assert secret.encode() not in file.read_bytes()
    broker.start()


def test_an_open_request_is_not_erased(broker: Broker) -> None:
    async def story() -> None:
        case = await broker.desk.ask(a_draft(command=COMMAND))
        with pytest.raises(ConflictError, match="still open"):
            await broker.keeper.erase_request(case.request.id, ANN, "too early")

    asyncio.run(story())
    assert broker.entries("blob.erased") == []
    assert broker.payloads() == 1


def test_what_is_no_payload_is_refused(broker: Broker) -> None:
    assert "expected 64 hexadecimal digits" in refusal(lambda: broker.keeper.erase_payload("xyz", ANN, "-"))
    assert "no payload with the digest" in refusal(lambda: broker.keeper.erase_payload("0" * 64, ANN, "-"))
    assert "there is no request" in refusal(lambda: broker.keeper.erase_request("0" * 26, ANN, "-"))


def test_after_its_time_a_payload_is_erased_and_a_younger_one_is_not(broker: Broker) -> None:
    async def story() -> None:
        old = await broker.ended_request(COMMAND)
        broker.pass_days(31)
        broker.append(Entry(type=EntryType.QUESTION_ASKED, request="r1", data={"text": Private(b"young")}))
        while await broker.keeper.erase_old(30):
            pass
        assert (await broker.desk.case(old.id)).request.action.command == "[erased]"

    asyncio.run(story())
    [entry] = broker.entries("blob.erased")
    assert entry["data"]["reason"] == "older than 30 days"
    assert len(entry["data"]["sha256"]) == 1
    assert broker.payloads() == 1
    assert broker.verified().ok
    broker.pass_days(31)
    asyncio.run(broker.keeper.erase_old(30))
    assert broker.payloads() == 0


def test_what_was_open_when_its_first_entry_grew_old_is_emptied_after_its_end(broker: Broker) -> None:
    """A request may wait for weeks, longer than its input is to be kept."""

    async def story() -> None:
        draft = a_draft(command=COMMAND, now_ms=broker.clock.now_ms())
        weeks_ms = 40 * 86_400_000
        terms = replace(draft.terms, approval_expires_at_ms=draft.terms.approval_expires_at_ms + weeks_ms)
        request = (await broker.desk.ask(replace(draft, terms=terms))).request
        broker.pass_days(31)
        await broker.keeper.erase_old(30)
        assert (await broker.desk.case(request.id)).request.action.command == COMMAND
        await broker.desk.review(a_review(request, Verdict.DENY))
        broker.pass_days(31)
        await broker.keeper.erase_old(30)
        assert (await broker.desk.case(request.id)).request.action.command == "[erased]"

    asyncio.run(story())
    assert broker.verified().ok


def test_a_changed_key_goes_on_with_the_log_and_both_keys_verify_it(broker: Broker) -> None:
    broker.append(*(Entry(type=EntryType.BROKER_STARTED) for _ in range(3)))
    old, new = asyncio.run(broker.keeper.rotate_key())
    broker.append(Entry(type=EntryType.BROKER_STARTED))
    broker.stop()
    broker.start()
    assert broker.keys.log.verifier.vkey == new
    [entry] = broker.entries("log.key_rotated")
    word = entry["data"].pop("endorsement")
    assert entry["data"] == {"old": old, "new": new}
    assert open_checkpoint(word, [parse_vkey(old)]).extensions == (f"next {new}",)
    assert (broker.root / "log.vkey").read_text().split() == [old, new]
    assert not (broker.root / "log.key.next").exists()
    assert broker.verified().ok
    assert verify_store(broker.root / "askfirst.db", vkeys=[old, new]).ok
    assert verify_store(broker.root / "askfirst.db", vkeys=[old]).ok


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_crash_in_a_key_change_leaves_the_key_that_the_store_names(broker: Broker, is_committed: bool) -> None:
    old = broker.keys.log.verifier.vkey
    draft = draft_key(broker.keys)
    if is_committed:
        broker.writer.submit(lambda connection: broker.log.rotate(connection, draft)).result(5)
    broker.stop()
    broker.start()
    assert broker.keys.log.verifier.vkey == (draft.verifier.vkey if is_committed else old)
    assert not (broker.root / "log.key.next").exists()
    broker.append(Entry(type=EntryType.BROKER_STARTED))
    assert broker.verified().ok


def test_a_new_key_that_cannot_be_written_changes_nothing_and_is_told_in_a_sentence(broker: Broker) -> None:
    old = broker.keys.log.verifier.vkey
    with files_up_to(10):
        message = refusal(broker.keeper.rotate_key)
    assert message.startswith(f"the new key cannot be written to {broker.root}: ")
    assert message.endswith("; the log keeps its key, make room and try again")
    assert (broker.entries("log.key_rotated"), broker.verified().ok) == ([], True)
    assert asyncio.run(broker.keeper.rotate_key())[0] == old


def test_a_new_key_that_could_not_be_put_in_its_place_is_not_lost_by_the_next_change(broker: Broker) -> None:
    key, aside = broker.root / "log.key", broker.root / "aside"
    key.rename(aside)
    key.mkdir()
    message = refusal(broker.keeper.rotate_key)
    [entry] = broker.entries("log.key_rotated")
    assert message.startswith(f"the log's key is now {entry['data']['new']}, but log.key.next cannot take the place of")
    assert refusal(broker.keeper.rotate_key) == message
    key.rmdir()
    aside.rename(key)
    old, new = asyncio.run(broker.keeper.rotate_key())
    assert old == entry["data"]["new"]
    broker.stop()
    broker.start()
    assert broker.keys.log.verifier.vkey == new
    assert verify_store(broker.root / "askfirst.db", vkeys=[entry["data"]["old"]]).ok


def test_a_new_key_that_could_not_be_published_is_said_to_hold(broker: Broker) -> None:
    published, aside = broker.root / "grants.vkey", broker.root / "aside"
    published.rename(aside)
    published.mkdir()
    message = refusal(broker.keeper.rotate_key)
    [entry] = broker.entries("log.key_rotated")
    assert message.startswith(f"the log's key is now {entry['data']['new']}, but {broker.root / 'log.vkey'} does not")
    published.rmdir()
    aside.rename(published)
    broker.stop()
    broker.start()
    assert (broker.root / "log.vkey").read_text().split() == [entry["data"]["old"], entry["data"]["new"]]


def test_two_changes_at_once_follow_one_another(broker: Broker) -> None:
    async def story() -> list[tuple[str, str]]:
        return await asyncio.gather(*(broker.keeper.rotate_key() for _ in range(3)))

    one, two, three = asyncio.run(story())
    assert (one[1], two[1]) == (two[0], three[0])
    broker.stop()
    broker.start()
    assert verify_store(broker.root / "askfirst.db", vkeys=[one[0]]).ok


def test_the_old_key_opens_the_log_no_more(broker: Broker) -> None:
    kept = (broker.root / "log.key").read_bytes()
    asyncio.run(broker.keeper.rotate_key())
    broker.stop()
    new = (broker.root / "log.key").read_bytes()
    (broker.root / "log.key").write_bytes(kept)
    with pytest.raises(LogError, match="the key file holds"):
        broker.start()
    (broker.root / "log.key").write_bytes(new)
    broker.start()


def test_another_configuration_than_at_the_last_start_is_an_entry(broker: Broker) -> None:
    async def story() -> None:
        for config in ("a" * 64, "a" * 64, "b" * 64):
            await broker.keeper.started({"version": "1"}, config)

    asyncio.run(story())
    assert len(broker.entries("broker.started")) == 3
    assert [entry["data"] for entry in broker.entries("config.changed")] == [{"before": "a" * 64, "after": "b" * 64}]


def test_a_grants_key_that_was_replaced_shows_in_the_log(broker: Broker) -> None:
    asyncio.run(broker.keeper.started({"version": "1"}, "a" * 64))
    broker.stop()
    for name in ("grants.key", "grants.vkey"):
        (broker.root / name).unlink()
    broker.start()
    asyncio.run(broker.keeper.started({"version": "1"}, "a" * 64))
    first, second = (entry["data"]["grants_vkey"] for entry in broker.entries("broker.started"))
    assert first != second == broker.keys.grants.verifier.vkey


def test_a_policy_layer_that_was_read_anew_is_an_entry_with_both_digests(broker: Broker) -> None:
    change = LayerChange(layer="user", path="/p.toml", before="a" * 64, after="", problem="no TOML")
    broker.keeper.policy_changed(change)
    broker.stop()  # finishes what waits
    broker.start()
    [entry] = broker.entries("policy.changed")
    assert entry["data"] == {
        "layer": "user",
        "path": "/p.toml",
        "before": "a" * 64,
        "after": "",
        "problem": "no TOML",
    }


def test_hooks_that_vanish_from_a_watched_file_are_missed_until_they_are_back(broker: Broker) -> None:
    paths, there = StatePaths(broker.root), [True]

    async def look() -> None:
        for note in waiting_notes(paths):
            await broker.keeper.hook_changed(note, "local:ann")
            note.path.unlink()
        await broker.keeper.check_hooks(lambda _host, _path: "f" * 64 if there[0] else "")

    def leave(is_installed: bool) -> None:
        leave_note(
            paths, host="claude-code", settings=Path("/s.json"), content=b"{}", is_installed=is_installed, ours="f" * 64
        )

    leave(True)
    asyncio.run(look())
    there[0] = False
    asyncio.run(look())
    asyncio.run(look())
    there[0] = True
    asyncio.run(look())
    leave(False)
    there[0] = False
    asyncio.run(look())
    types = [entry["type"] for entry in broker.entries() if entry["type"].startswith("hook.")]
    assert types == ["hook.installed", "hook.missing", "hook.installed", "hook.removed"]
    assert broker.entries("hook.installed")[0]["actor"]["id"] == "local:ann"


async def touched(broker: Broker, seen: str) -> int:
    return len(await broker.keeper.check_hooks(lambda _host, _path: seen))


def test_hooks_that_were_changed_are_tampering_and_reported_once(broker: Broker) -> None:
    paths = StatePaths(broker.root)
    leave_note(paths, host="claude-code", settings=Path("/s.json"), content=b"{}", is_installed=True, ours="f" * 64)
    [note] = waiting_notes(paths)

    async def story() -> list[int]:
        await broker.keeper.hook_changed(note, "local:ann")
        return [await touched(broker, seen) for seen in ("f" * 64, "e" * 64, "e" * 64)]

    assert asyncio.run(story()) == [0, 1, 0]
    [entry] = broker.entries("config.tamper")
    assert entry["data"] == {
        "host": "claude-code",
        "settings": "/s.json",
        "problem": "our hooks are not as they were installed",
    }


def test_files_that_an_older_release_watched_are_watched_still(broker: Broker) -> None:
    def write(connection: sa.Connection) -> None:
        _set_meta(connection, HOOKS_KEY, '{"/s.json": ["claude-code", true]}')

    async def story() -> list[int]:
        await broker.writer.write(write)
        return [await touched(broker, seen) for seen in ("a" * 64, "")]

    assert asyncio.run(story()) == [0, 1]
    assert len(broker.entries("hook.missing")) == 1


def test_a_file_that_is_no_note_is_passed_over(broker: Broker) -> None:
    paths = StatePaths(broker.root)
    paths.hook_notes.mkdir()
    for number, text in enumerate(("", "[]", '{"host": 1}', "[" * 100_000)):
        (paths.hook_notes / f"{number}.json").write_text(text)
    assert waiting_notes(paths) == []


def test_a_digest_that_is_no_digest_is_an_input_error(broker: Broker) -> None:
    with pytest.raises(InputError):
        asyncio.run(broker.keeper.erase_payload("A" * 64, ANN, "-"))
