"""Who may decide: added and linked only by somebody who may already, never stronger than the configuration."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst import link_code
from askfirst.audit_port import EntryType
from askfirst.consent import Asked
from askfirst.errors import InputError, NobodyToAskError, NotAllowedError, RequestNotFoundError
from askfirst.hearing import Hearing
from askfirst.host import Agent
from askfirst.link_code import LinkDesk
from askfirst.people import Directory, Identity, Known, Person, Requester
from askfirst.reception import Reception
from askfirst.registrar import Registrar
from askfirst.request import RequestState, Verdict
from askfirst.roster import Roster, merged
from askfirst.testing.bench import Bench, a_draft, a_review
from askfirst.testing.fake_channel import FakeChannel

ANN = Person(id="local:ann", identities=(Identity(id="fake:ann"),))
BOB = Person(id="local:bob")
AGENT = Agent(host="claude-code", session="s")


@dataclass(frozen=True)
class Town:
    """A desk whose people can change."""

    bench: Bench
    roster: Roster
    registrar: Registrar
    links: LinkDesk
    channel: FakeChannel
    reception: Reception

    async def approve(self, asked: Asked, person: str = "local:ann", assurance: int = 1) -> None:
        review = a_review(asked.case.request, Verdict.APPROVE, person=person, assurance=assurance)
        await self.bench.desk.review(review)

    async def add(self, person: Person) -> None:
        asked = await self.registrar.ask_to_add(person)
        await self.approve(asked)
        await self.registrar.added(asked.case.request.id, asked.claim)

    async def code(self, person: str = "local:ann", **more: Any) -> str:
        asked = await self.registrar.ask_to_link(person, **more)
        await self.approve(asked)
        return (await self.registrar.issued(asked.case.request.id, asked.claim)).code

    async def show(self, code: str, by: str = "fake:42", delivery: str = "") -> str:
        """Somebody shows a code on the channel; what they are told, ``""`` for nothing."""
        told = len(self.channel.acknowledged)
        raw = self.channel.says(delivery or f"d{told}-{code}-{by}", {"by": by, "link": code})
        await self.reception.take("fake", [raw])
        while await self.reception.handle_waiting("fake"):
            await self.reception.told()
        return self.channel.acknowledged[-1][1].text if len(self.channel.acknowledged) > told else ""

    def entries(self, kind: EntryType) -> list[Any]:
        return [entry for entry in self.bench.log.entries if entry.type is kind]


def town_of(made: Bench, *configured: Person, requester: Requester | None = None) -> Town:
    roster = Roster(configured=configured, requester=requester or Requester(), reader=made.reader)
    made.desk._people = roster
    parts: dict[str, Any] = {"writer": made.writer, "audit": made.log, "clock": made.clock}
    links, channel = LinkDesk(roster=roster, **parts), FakeChannel()
    hearing = Hearing(desk=made.desk, people=roster, clock=made.clock, linker=links)
    reception = Reception(reader=made.reader, hearing=hearing, listeners={"fake": channel}, **parts)
    return Town(made, roster, Registrar(desk=made.desk, roster=roster, **parts), links, channel, reception)


@pytest.fixture
def town(desk_bench: Bench) -> Town:
    return town_of(desk_bench, ANN)


def test_somebody_is_added_once_a_person_has_approved_it(town: Town) -> None:
    async def story() -> None:
        asked = await town.registrar.ask_to_add(replace(BOB, roles=frozenset({"release"}), teams=frozenset({"infra"})))
        assert asked.case.request.risk.label == "critical"
        with pytest.raises(NotAllowedError, match="it is not approved"):
            await town.registrar.added(asked.case.request.id, asked.claim)
        assert not town.roster.has("local:bob")
        await town.approve(asked)
        await town.registrar.added(asked.case.request.id, asked.claim)
        assert [each.id for each in town.roster.people] == ["local:ann", "local:bob"]
        [entry] = town.entries(EntryType.PERSON_ADDED)
        assert entry.data == {"person": "local:bob", "roles": ("release",), "teams": ("infra",)}
        assert entry.request == asked.case.request.id
        with pytest.raises(NotAllowedError):
            await town.registrar.added(asked.case.request.id, asked.claim)

    asyncio.run(story())


def test_an_approval_that_the_agent_could_forge_adds_nobody(town: Town) -> None:
    """I1: assurance 0 is a terminal of the agent's own user."""

    async def story() -> None:
        asked = await town.registrar.ask_to_add(BOB)
        await town.approve(asked, assurance=0)
        with pytest.raises(NotAllowedError):
            await town.registrar.added(asked.case.request.id, asked.claim)
        assert not town.roster.has("local:bob")

    asyncio.run(story())


def test_nothing_but_its_own_approval_makes_a_change(town: Town) -> None:
    """Not an ordinary approval of the same tool, not another change's, not somebody else's claim."""

    async def story() -> None:
        asked = await town.registrar.ask_to_add(BOB)
        await town.approve(asked)
        request = asked.case.request
        forged = replace(a_draft(key="forged"), action=replace(request.action, session="agent"))
        approved = await town.bench.desk.ask(forged)
        await town.bench.desk.review(a_review(approved.request, Verdict.APPROVE))
        for request_id, claim in (
            (approved.request.id, asked.claim),
            (request.id, ""),
            (request.id, "guess"),
        ):
            with pytest.raises(NotAllowedError):
                await town.registrar.added(request_id, claim)
        with pytest.raises(NotAllowedError):
            await town.registrar.issued(request.id, asked.claim)
        assert not town.roster.has("local:bob")
        await town.registrar.added(request.id, asked.claim)
        assert town.roster.has("local:bob")

    asyncio.run(story())


def test_a_change_that_a_crash_left_half_done_is_finished_by_the_same_claim(town: Town) -> None:
    async def story() -> None:
        asked = await town.registrar.ask_to_add(BOB)
        await town.approve(asked)
        await town.registrar._consent.redeemed(asked.case.request.id, asked.claim, asked.case.request.action.tool)
        await town.registrar.added(asked.case.request.id, asked.claim)
        assert town.roster.has("local:bob")

    asyncio.run(story())


@pytest.mark.parametrize("id_", ["bob", "telegram:1", "local:", "local:a b", "local:é", "local:" + "x" * 65, "role:x"])
def test_an_id_that_is_none_is_refused(town: Town, id_: str) -> None:
    with pytest.raises(InputError, match="is no id"):
        asyncio.run(town.registrar.ask_to_add(Person(id=id_)))


def test_nobody_who_is_configured_is_added_and_nobody_unknown_is_linked(town: Town) -> None:
    with pytest.raises(NotAllowedError, match="is in the configuration"):
        asyncio.run(town.registrar.ask_to_add(Person(id="local:ann", roles=frozenset({"admin"}))))
    with pytest.raises(InputError, match="is no name of a role"):
        asyncio.run(town.registrar.ask_to_add(replace(BOB, roles=frozenset({"a b"}))))
    with pytest.raises(InputError, match="nobody is known as 'local:eve'; known: local:ann"):
        asyncio.run(town.registrar.ask_to_link("local:eve"))


def test_admins_decide_who_decides_where_there_are_any(desk_bench: Bench) -> None:
    town = town_of(desk_bench, ANN, replace(BOB, roles=frozenset({"admin"})))

    async def story() -> None:
        asked = await town.registrar.ask_to_add(Person(id="local:eve"))
        await town.approve(asked, "local:ann")
        assert (await desk_bench.desk.case(asked.case.request.id)).request.state is RequestState.PENDING
        await town.approve(asked, "local:bob")
        await town.registrar.added(asked.case.request.id, asked.claim)

    asyncio.run(story())


def test_where_nobody_could_approve_nobody_is_asked(desk_bench: Bench) -> None:
    """I6."""
    town = town_of(desk_bench)
    with pytest.raises(NobodyToAskError):
        asyncio.run(town.registrar.ask_to_add(BOB))


def test_a_code_links_an_account_once_and_only_to_its_person(town: Town) -> None:
    async def story() -> None:
        code = await town.code()
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}", code)
        assert await town.show(code.lower().replace("-", " ").replace("1", "i").replace("0", "o")) == (
            "you are known as local:ann from now on"
        )
        assert town.roster.known("fake:42") == Known(person="local:ann", assurance=3)
        assert "does not work" in await town.show(code, by="fake:eve")
        assert town.roster.known("fake:eve") is None
        [linked] = town.entries(EntryType.PERSON_LINKED)
        assert linked.data == {"person": "local:ann", "identity": "fake:42", "assurance": 3}
        assert [entry.actor.id for entry in town.entries(EntryType.PERSON_LINK_REFUSED)] == ["fake:eve"]
        [issued] = town.entries(EntryType.PERSON_CODE_ISSUED)
        assert code not in str(issued)

    asyncio.run(story())


def test_a_link_that_was_made_and_not_told_is_told_again(town: Town) -> None:
    """The process ended between the two: the same delivery comes again."""

    async def story() -> None:
        code = await town.code()
        assert await town.show(code, delivery="a") == await town.show(code, delivery="b")
        assert len(town.entries(EntryType.PERSON_LINKED)) == 1

    asyncio.run(story())


def test_a_code_is_kept_as_a_hash(town: Town) -> None:
    async def story() -> None:
        code = await town.code()
        with town.bench.reader.connect() as connection:
            rows = connection.exec_driver_sql("select * from link_code").all()
        assert code not in str(rows)
        assert code.replace("-", "") not in str(rows)

    asyncio.run(story())


def test_a_code_ends_after_ten_minutes_and_is_for_its_channel_only(town: Town) -> None:
    async def story() -> None:
        late, other, mine = await town.code(), await town.code(scheme="telegram"), await town.code(scheme="fake")
        assert "does not work" in await town.show(other)
        assert "you are known" in await town.show(mine)
        town.bench.clock.advance(link_code.LIFE_MS / 1000)
        assert "does not work" in await town.show(late, by="fake:7")

    asyncio.run(story())


def test_who_guesses_codes_has_to_wait_and_so_does_everybody_when_many_do(town: Town) -> None:
    async def story() -> None:
        answers = [await town.show(f"GUESS-{n:05}", by="fake:eve") for n in range(7)]
        assert ["too many" in each for each in answers] == [False] * 5 + [True] * 2
        code = await town.code()
        assert "too many" in await town.show(code, by="fake:eve")
        for n in range(30):
            await town.show(f"GUESS-{n:05}", by=f"fake:{n}")
        assert "too many" in await town.show(code, by="fake:42")
        town.bench.clock.advance(200)
        assert "you are known" in await town.show(code, by="fake:42")

    asyncio.run(story())


def test_an_account_of_somebody_is_not_linked_to_somebody_else(town: Town) -> None:
    async def story() -> None:
        await town.add(BOB)
        assert await town.show(await town.code("local:bob"), by="fake:ann") == (
            "you are known already; nothing was changed"
        )
        assert town.roster.known("fake:ann") == Known(person="local:ann", assurance=3)

    asyncio.run(story())


def test_a_link_is_worth_what_was_approved(town: Town) -> None:
    async def story() -> None:
        await town.show(await town.code(assurance=0))
        assert town.roster.known("fake:42") == Known(person="local:ann", assurance=0)

    asyncio.run(story())


def test_a_code_for_somebody_who_was_removed_meanwhile_links_nobody(town: Town) -> None:
    async def story() -> None:
        await town.add(BOB)
        code = await town.code("local:bob")
        await town.registrar.remove("local:bob", by="uid:0")
        assert "does not work" in await town.show(code)
        assert town.roster.known("fake:42") is None

    asyncio.run(story())


def test_removing_takes_no_approval_and_leaves_the_configuration_alone(town: Town) -> None:
    async def story() -> None:
        await town.add(BOB)
        await town.show(await town.code("local:bob"), by="fake:bob")
        await town.show(await town.code("local:ann"), by="fake:ann2")
        assert await town.registrar.remove("local:bob", by="uid:0") == ("local:bob", "fake:bob")
        assert await town.registrar.remove("fake:ann2", by="uid:0") == ("fake:ann2",)
        assert [town.roster.known(each) for each in ("local:bob", "fake:bob", "fake:ann2")] == [None] * 3
        for name in ("local:ann", "fake:ann"):
            with pytest.raises(NotAllowedError, match="is in the configuration"):
                await town.registrar.remove(name, by="uid:0")
        with pytest.raises(RequestNotFoundError):
            await town.registrar.remove("local:bob", by="uid:0")
        removed = [entry.data["person"] for entry in town.entries(EntryType.PERSON_REMOVED)]
        assert removed == ["local:bob", "fake:ann2"]

    asyncio.run(story())


def test_what_is_stored_is_there_after_a_restart(town: Town) -> None:
    async def story() -> None:
        await town.add(BOB)
        await town.show(await town.code("local:bob"), by="fake:bob")
        later = town_of(town.bench, ANN)
        await later.roster.refresh()
        assert later.roster.known("fake:bob") == Known(person="local:bob", assurance=3)

    asyncio.run(story())


@given(st.data())
def test_whatever_is_stored_the_configuration_is_the_stronger(data: st.DataObject) -> None:
    """No stored person or link changes what the configuration says of an id, a role or an identity."""
    names = st.sampled_from(["local:ann", "local:bob", "fake:ann", "fake:x", "fake:y"])
    added = {each: Person(id=each, roles=frozenset({"admin"})) for each in data.draw(st.sets(names))}
    linked = data.draw(st.dictionaries(names, st.lists(st.builds(Identity, id=names), max_size=3).map(tuple)))
    people = {each.id: each for each in merged({"local:ann": ANN}, added, linked)}
    assert people["local:ann"].roles == frozenset()
    assert people["local:ann"].identities[: len(ANN.identities)] == ANN.identities
    known = Directory(people=tuple(people.values())).known("fake:ann")
    assert known == Known(person="local:ann", assurance=3)
    assert Directory(people=tuple(reversed(people.values()))).known("fake:ann") == known


def test_whoever_runs_the_agents_decides_alone_on_their_own_machine_and_not_where_that_is_switched_off(
    desk_bench: Bench,
) -> None:
    """I5."""
    alone = Requester(people=("local:ann",))
    assert town_of(desk_bench, ANN, BOB, requester=alone).roster.electorate(AGENT).may("local:ann", ())
    for apart in (
        replace(alone, may_decide=False),
        Requester(may_decide=False, accounts=frozenset({"fake:ann"})),
        Requester(hosts={"claude-code": ("local:ann",)}),
        Requester(hosts={"claude-code:s": ("local:ann",)}),
    ):
        electorate = town_of(desk_bench, ANN, BOB, requester=apart).roster.electorate(AGENT)
        assert [electorate.may(each, ()) for each in ("local:ann", "local:bob")] == [False, True]


def test_an_account_that_the_agent_can_act_as_is_worth_nothing(desk_bench: Bench) -> None:
    roster = town_of(desk_bench, ANN, requester=Requester(accounts=frozenset({"fake:ann"}))).roster
    assert roster.known("fake:ann") == Known(person="local:ann", assurance=0)
