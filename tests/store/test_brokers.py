"""Several brokers on one PostgreSQL: any may be asked, all hear of it, one outcome, one log."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.card import Card
from askfirst.dispatch import Dispatcher
from askfirst.errors import StoreAwayError
from askfirst.hearing import Hearing
from askfirst.people import Directory, Identity, Person
from askfirst.ports import Capabilities, Health
from askfirst.reception import Reception
from askfirst.request import RequestState, Verdict
from askfirst.store import records, schema
from askfirst.store.leases import Leases
from askfirst.testing.bench import a_draft, a_review
from askfirst.testing.fake_channel import FakeChannel
from audit import tree
from audit.note import Signer, open_checkpoint
from audit.testing import signer_of

pytestmark = pytest.mark.slow
BOUND_S = 20


def draft(peer: Any, key: str = "key-1", command: str = "") -> Any:
    return a_draft(key=key, command=command or f"rm -rf {key}", now_ms=peer.clock.now_ms())


def entries(peer: Any, signer: Signer | None = None) -> list[dict[str, Any]]:
    """All entries, after the whole log was found to be what is signed."""
    with peer.store.reader.connect() as connection:
        bodies = [row.body for row in connection.execute(sa.select(schema.audit).order_by(schema.audit.c.seq))]
        head = connection.execute(sa.select(schema.tree)).one()
        tiles = connection.execute(sa.select(schema.tile).order_by(schema.tile.c.n, schema.tile.c.level)).all()
    grown, made = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in bodies])
    checkpoint = open_checkpoint(head.checkpoint, [(signer or signer_of(1)).verifier])
    assert (checkpoint.size, checkpoint.root) == (len(bodies), grown.root())
    assert head.frontier == b"".join(grown.frontier)
    assert {(one.level, one.n, one.hashes) for one in tiles} == {(one.level, one.n, one.hashes) for one in made}
    return [json.loads(body) for body in bodies]


def test_a_waiter_on_one_broker_hears_the_decision_made_on_another(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        one, other = peers(), peers()
        async with one.following():
            case = await one.desk.ask(draft(one))
            waiter = asyncio.create_task(one.desk.wait(case.request.id, BOUND_S))
            await one.somebody_waits()
            await other.desk.review(a_review(case.request, Verdict.APPROVE))
            ended = await asyncio.wait_for(waiter, 2)  # the sweep alone would take 5 s
            assert ended.request.state is RequestState.APPROVED
            assert ended.grant is not None

    asyncio.run(story())


def test_what_was_written_while_a_broker_could_not_listen_is_told_afterwards(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        one, other = peers(), peers()
        async with one.following() as follower:
            case = await one.desk.ask(draft(one))
            waiter = asyncio.create_task(one.desk.wait(case.request.id, BOUND_S))
            await one.somebody_waits()
            with one.store.engine.connect() as connection:
                connection.execute(
                    sa.text("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'")
                )
            await other.desk.review(a_review(case.request, Verdict.DENY))
            assert (await asyncio.wait_for(waiter, BOUND_S)).request.state is RequestState.DENIED
            assert follower.listening.is_set()

    asyncio.run(story())


def test_the_same_request_asked_at_three_brokers_at_once_is_one_request(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        asks = [peer.desk.ask(draft(peer, f"key-{number}")) for number in range(20) for peer in all_peers]
        cases = await asyncio.gather(*asks)
        assert len({case.request.id for case in cases}) == 20
        types = Counter(entry["type"] for entry in entries(all_peers[0]))
        assert types["gate.requested"] == 20

    asyncio.run(story())


def test_the_same_action_asked_under_other_keys_at_three_brokers_at_once_is_one_request(
    peers: Callable[[], Any],
) -> None:
    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        asks = [peer.desk.ask(draft(peer, f"key-{n}", "rm -rf x")) for n in range(10) for peer in all_peers]
        assert len({case.request.id for case in await asyncio.gather(*asks)}) == 1

    asyncio.run(story())


def test_racing_deciders_on_three_brokers_make_one_outcome_each(peers: Callable[[], Any]) -> None:
    """Approve and deny on each of three brokers at once; the log has one order, which every broker agrees with."""

    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        cases = [await all_peers[0].desk.ask(draft(all_peers[0], f"key-{number}")) for number in range(40)]
        people = ("local:ann", "local:bob", "local:eve")
        reviews = [
            peer.desk.review(a_review(case.request, verdict, person=person))
            for case in cases
            for peer, person, verdict in zip(
                all_peers, people, (Verdict.APPROVE, Verdict.DENY, Verdict.APPROVE), strict=True
            )
        ]
        await asyncio.gather(*reviews)
        redeemed = await asyncio.gather(
            *(
                peer.desk.redeem(
                    case.request.id, action_digest=case.request.action_digest, attempt=f"{number}", tool_use_id="t"
                )
                for case in cases
                for number, peer in enumerate(all_peers)
            )
        )
        assert not any(step.done for step in redeemed), "a deny was among the reviews of each request"
        found = entries(all_peers[1])
        verdicts: dict[str, list[str]] = {}
        for entry in found:
            if entry["type"] == "gate.decided":
                verdicts.setdefault(entry["req"], []).append(entry["decision"]["verdict"])
        assert set(map(tuple, verdicts.values())) <= {("denied",), ("approved", "denied")}
        assert len(verdicts) == 40
        ended = await asyncio.gather(*(all_peers[2].desk.case(case.request.id) for case in cases))
        assert {each.request.state for each in ended} == {RequestState.DENIED}

    asyncio.run(story())


def test_a_grant_is_redeemed_once_though_all_brokers_try(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        for number in range(20):
            case = await all_peers[0].desk.ask(draft(all_peers[0], f"key-{number}"))
            await all_peers[1].desk.review(a_review(case.request, Verdict.APPROVE))
            steps = await asyncio.gather(
                *(
                    peer.desk.redeem(
                        case.request.id, action_digest=case.request.action_digest, attempt=f"{name}", tool_use_id="t"
                    )
                    for name, peer in enumerate(all_peers)
                )
            )
            assert sum(step.done for step in steps) == 1

    asyncio.run(story())


def test_an_overdue_request_expires_once_though_all_brokers_sweep(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        late = a_draft(key="late", now_ms=all_peers[0].clock.now_ms() - 601_000)
        await all_peers[0].desk.ask(late)
        await asyncio.gather(*(peer.desk.sweep() for peer in all_peers))
        assert [entry["type"] for entry in entries(all_peers[0])].count("gate.timeout") == 1

    asyncio.run(story())


def test_a_timer_that_another_broker_has_at_hand_is_left_to_it(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        one, other = peers(), peers()
        for number in range(2):
            late = a_draft(key=f"{number}", command=f"rm {number}", now_ms=one.clock.now_ms() - 601_000)
            await one.desk.ask(late)
        entered, held = threading.Event(), threading.Event()

        def hold(connection: sa.Connection) -> None:
            assert len(records.take_due(connection, one.clock.now_ms(), 1)) == 1
            entered.set()
            held.wait(20)

        holding = one.writer.submit(hold)
        await asyncio.to_thread(entered.wait, 20)
        assert await other.desk.sweep() == 1
        held.set()
        await asyncio.to_thread(holding.result, 20)
        assert await other.desk.sweep() == 1

    asyncio.run(story())


class _Channel:
    scheme = "web"
    caps = Capabilities()

    def __init__(self, sent: list[str]) -> None:
        self.sent = sent

    async def send(self, card: Card, recipient: str, key: str) -> str:
        await asyncio.sleep(0)
        self.sent.append(key)
        return key

    async def check(self) -> Health:
        return Health(ok=True, text="here")

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        self.sent.append(f"update {external_id}")


def test_each_delivery_is_made_by_one_broker(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        sent: list[str] = []
        senders = [
            Dispatcher(
                writer=peer.writer,
                reader=peer.store.reader,
                audit=peer.log,
                clock=peer.clock,
                channels={"web": _Channel(sent)},
                machine="m",
                on_unreachable=peer.desk.unreachable,
            )
            for peer in all_peers
        ]
        for number in range(40):
            await all_peers[0].desk.ask(draft(all_peers[0], f"key-{number}"))
        while any(await asyncio.gather(*(sender.deliver_due() for sender in senders))):
            pass
        assert len(sent) == len(set(sent)) == 40

    asyncio.run(story())


def test_brokers_that_hear_the_same_deliveries_at_once_count_each_of_them_once(peers: Callable[[], Any]) -> None:
    people = Directory(people=(Person(id="local:ann", identities=(Identity(id="fake:ann"),)),))

    async def story() -> None:
        all_peers = [peers() for _ in range(3)]
        requests = [(await all_peers[0].desk.ask(draft(all_peers[0], f"key-{n}"))).request for n in range(20)]
        channel = FakeChannel()
        approve = [{"by": "fake:ann", "verdict": "approve", "code": each.code} for each in requests]
        said = [
            *(channel.says(f"d{n}", each) for n, each in enumerate(approve)),
            *(channel.says(f"r{n}", {"retracts": f"d{n}"}) for n in range(30)),
        ]
        receptions = [
            Reception(
                writer=peer.writer,
                reader=peer.store.reader,
                audit=peer.log,
                clock=peer.clock,
                hearing=Hearing(desk=peer.desk, people=people, clock=peer.clock),
                listeners={"fake": channel},
            )
            for peer in all_peers
        ]
        await asyncio.gather(*(each.take("fake", said) for each in receptions))
        for _ in range(3):
            await asyncio.gather(*(each.handle_waiting("fake") for each in receptions))
            await asyncio.gather(*(each.told() for each in receptions))
        for each in requests:
            case = await all_peers[0].desk.case(each.id)
            assert [(review.person, review.counted) for review in case.reviews] == [("local:ann", False)]
        types = Counter(entry["type"] for entry in entries(all_peers[0]))
        assert types["review.cast"] + types["review.rejected"] == 20
        assert types["channel.malformed"] == 0

    asyncio.run(story())


def test_a_lease_has_one_holder_and_passes_on_when_its_connection_ends(peers: Callable[[], Any]) -> None:
    async def story() -> None:
        url, events = peers().store.url, asyncio.Queue[str]()
        running: set[str] = set()

        async def work(name: str) -> None:
            assert not running, "two at once"
            running.add(name)
            events.put_nowait(name)
            try:
                await asyncio.Event().wait()
            finally:
                running.discard(name)

        tasks = {
            name: asyncio.create_task(Leases(url).run("telegram", lambda name=name: work(name)))  # type: ignore[misc]
            for name in ("a", "b")
        }
        first = await asyncio.wait_for(events.get(), BOUND_S)
        tasks.pop(first).cancel()
        second = await asyncio.wait_for(events.get(), BOUND_S)
        assert second != first
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    asyncio.run(story())


def test_a_file_store_has_every_lease() -> None:
    async def story() -> list[str]:
        done: list[str] = []

        async def work() -> None:
            done.append("worked")

        await Leases(None).run("telegram", work)
        return done

    assert asyncio.run(story()) == ["worked"]


def test_a_database_that_dies_is_refused_at_once_and_used_again_when_it_is_back(
    peer_on: Callable[[str], Any], own_server: Any, insist: Callable[..., Any]
) -> None:
    peer = peer_on(own_server.create())

    async def story() -> None:
        before = await peer.desk.ask(draft(peer))
        own_server.kill()
        with pytest.raises(StoreAwayError):
            await peer.desk.ask(draft(peer, "key-2"))
        with pytest.raises(StoreAwayError):
            await peer.desk.ask(draft(peer, "key-2"))
        with pytest.raises(StoreAwayError):
            await peer.desk.case(before.request.id)
        own_server.start()
        step = await insist(lambda: peer.desk.review(a_review(before.request, Verdict.APPROVE)))
        assert step.case.request.state is RequestState.APPROVED
        assert (await insist(lambda: peer.desk.case(before.request.id))).grant is not None

    asyncio.run(story())
    assert not peer.failures
    assert [entry["type"] for entry in entries(peer)].count("gate.decided") == 1


def test_a_broker_that_finds_the_log_changed_stops(peers: Callable[[], Any]) -> None:
    one, other = peers(), peers()

    async def story() -> None:
        await one.desk.ask(draft(one))
        with one.store.engine.begin() as connection:
            connection.execute(sa.update(schema.audit).where(schema.audit.c.seq == 1).values(leaf=bytes(32)))
        with pytest.raises(Exception, match="does not continue the log"):
            await other.desk.ask(draft(other, "key-2"))
        await asyncio.to_thread(other.writer.close)

    asyncio.run(story())
    assert len(other.failures) == 1


def test_a_broker_whose_key_another_has_changed_stops_and_the_log_goes_on_with_the_new_one(
    peers: Callable[[], Any],
) -> None:
    one, other = peers(), peers()

    async def story() -> None:
        await one.desk.ask(draft(one))
        await other.desk.ask(draft(other, "key-2"))  # signed by the old key, which `one` has not read yet
        await one.writer.write(lambda connection: one.log.rotate(connection, signer_of(2)))
        with pytest.raises(Exception, match=r"copy its log\.key to this state folder"):
            await other.desk.ask(draft(other, "key-3"))
        await asyncio.to_thread(other.writer.close)
        await one.desk.ask(draft(one, "key-4"))

    asyncio.run(story())
    assert (len(one.failures), len(other.failures)) == (0, 1)
    assert [entry["type"] for entry in entries(one, signer_of(2))][-2:] == ["log.key_rotated", "gate.requested"]
    assert one.log.head.size == len(entries(one, signer_of(2)))
