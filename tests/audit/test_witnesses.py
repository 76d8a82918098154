"""The broker's side of witnessing, against real witnesses in process."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from askfirst.audit_port import Entry
from askfirst.errors import LogError
from askfirst.store.database import open_sqlite_reader
from askfirst.store.writer import Writer
from audit.keys import load_key
from audit.note import Signer, cosign, open_note
from audit.testing import Store, decided
from audit.verify import verify_store
from audit.witness import Witness
from audit.witness_policy import WitnessPolicy, parse_policy
from audit.witness_server import open_witness, watch_logs, witness_app
from audit.witnesses import TIMEOUT_S, Witnesses


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop on which time can pass at once."""

    skipped_s = 0.0

    def time(self) -> float:
        return super().time() + self.skipped_s


@dataclass
class Scene:
    """A log with a writer, and three witnesses, each of which can be down, hang or lie."""

    store: Store
    folder: Path
    witnesses: dict[str, Witness] = field(default_factory=dict)
    answers: dict[str, httpx.Response] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    hanging_s: float = 0.0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("a", "b", "c"):
            watch_logs(self.folder / name, [self.store.signer.verifier.vkey])
            self.witnesses[name] = open_witness(self.folder / name, f"witness.example/{name}")
        self.writer = Writer(self.store.engine, self.store.log)
        self.reader = open_sqlite_reader(self.store.path)

    async def _route(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        if name in self.hanging:
            await self._hang()
        if name in self.answers:
            return self.answers[name]
        if name not in self.witnesses:
            raise httpx.ConnectError("nobody is there")
        transport = httpx.ASGITransport(witness_app(self.witnesses[name]))
        async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
            answer = await client.post(request.url.path, content=request.content)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    async def _hang(self) -> None:
        """Answer never; once the other witnesses are done, so much time passes."""
        others = {task for task in asyncio.all_tasks() if "_ask_in_time" in repr(task.get_coro())}
        others.discard(asyncio.current_task())  # type: ignore[arg-type]  # it is one
        if others:
            await asyncio.wait(others)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SkippingLoop)
        loop.skipped_s += self.hanging_s
        await asyncio.Event().wait()

    def policy(self, quorum: str) -> WitnessPolicy:
        lines = [f"witness {name} {one.vkey} http://{name}" for name, one in self.witnesses.items()]
        return parse_policy("\n".join([*lines, quorum]).encode(), source="policy")

    def client(self, quorum: str = "group all all a b c\nquorum all") -> Witnesses:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._route))
        return Witnesses(
            policy=self.policy(quorum),
            log=self.store.log,
            reader=self.reader,
            writer=self.writer,
            tell=self._tell,
            http=http,
        )

    def signer(self, name: str) -> Signer:
        return load_key(self.folder / name / "witness.key")

    async def _tell(self, text: str, _key: str) -> None:
        self.told.append(text)

    def append(self, count: int) -> int:
        for number in range(count):
            self._append(decided(number))
        return self.store.log.head.size

    def _append(self, entry: Entry) -> None:
        self.writer.submit(lambda connection: self.store.log.append(connection, entry)).result(5)

    def entries(self) -> list[dict[str, object]]:
        return [json.loads(body) for body in self.store.bodies()]


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(store, tmp_path)
    yield made
    made.writer.close()
    made.reader.dispose()


def run(story: Callable[[], Awaitable[object]]) -> object:
    async def bounded() -> object:
        async with asyncio.timeout(60):
            return await story()

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(bounded())


def cosigned(scene: Scene, size: int, quorum: str = "group all all a b c\nquorum all") -> str:
    """What cosigning says: ``""`` when it is done."""

    async def story() -> str:
        client = scene.client(quorum)
        try:
            await client.cosign(size)
        except LogError as error:
            return str(error)
        finally:
            await client.close()
        return ""

    return str(run(story))


def test_every_witness_cosigns_and_the_log_says_so_and_verifies_with_each(scene: Scene) -> None:
    size = scene.append(300)
    assert cosigned(scene, size) == ""
    [entry] = [one for one in scene.entries() if one["type"] == "log.checkpoint_witnessed"]
    data = entry["data"]
    assert isinstance(data, dict)
    assert (data["size"], [one["name"] for one in data["witnesses"]]) == (
        size,
        ["witness.example/a", "witness.example/b", "witness.example/c"],
    )
    report = verify_store(scene.store.path, witnesses=[one.vkey for one in scene.witnesses.values()])
    assert report.ok
    assert len([proof for proof in report.proofs if "has witnessed the first 301 entries" in proof]) == 3

    size = scene.append(5)  # and again, by a proof from what they know
    assert cosigned(scene, size) == ""


def test_one_round_serves_all_who_wait_and_what_is_witnessed_is_not_asked_again(scene: Scene) -> None:
    size = scene.append(3)

    async def story() -> None:
        client = scene.client()
        await asyncio.gather(*(client.cosign(size) for _ in range(5)))
        scene.witnesses.clear()
        await client.cosign(size)
        await client.close()

    run(story)
    assert sum(one["type"] == "log.checkpoint_witnessed" for one in scene.entries()) == 1


def test_a_quorum_bears_one_that_is_down_and_less_than_one_refuses(scene: Scene) -> None:
    size = scene.append(1)
    two = "group two 2 a b c\nquorum two"
    scene.answers["a"] = httpx.Response(500, text="out of order")
    assert cosigned(scene, size, two) == ""
    scene.answers["b"] = httpx.Response(200, text="— witness.example/b AAAA\n")
    message = cosigned(scene, scene.append(1), two)
    assert "1 of 3 witnesses cosigned" in message
    assert "a answers 500" in message
    assert "b answers with no cosignature of its own" in message


def test_a_witness_that_hangs_is_not_waited_for_once_the_quorum_has_cosigned(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.witnesses.SPARE_S", 0.01)
    two = "group two 2 a b c\nquorum two"
    scene.hanging.add("a")
    assert cosigned(scene, scene.append(1), two) == ""
    [entry] = [one for one in scene.entries() if one["type"] == "log.checkpoint_witnessed"]
    data = entry["data"]
    assert isinstance(data, dict)
    assert [one["name"] for one in data["witnesses"]] == ["witness.example/b", "witness.example/c"]


def test_a_witness_that_hangs_is_named_where_the_quorum_needs_it(scene: Scene) -> None:
    scene.hanging.add("a")
    scene.hanging_s = TIMEOUT_S
    message = cosigned(scene, scene.append(1))
    assert "2 of 3 witnesses cosigned" in message
    assert "a has not answered within 10 s" in message


def test_a_time_that_no_calendar_knows_spoils_that_cosignature_alone(scene: Scene) -> None:
    size = scene.append(1)
    line = cosign(
        open_note(scene.store.log.head.checkpoint, [scene.store.signer.verifier]).text, scene.signer("a"), 2**62
    )
    scene.answers["a"] = httpx.Response(200, text=line.line)
    message = cosigned(scene, size)
    assert "2 of 3 witnesses cosigned" in message
    assert "a has cosigned 4611686018427387904 s after 1970" in message


def test_a_cosignature_of_another_witness_or_another_head_does_not_count(scene: Scene) -> None:
    size = scene.append(1)
    assert cosigned(scene, size) == ""
    [line] = list(scene.store.path.parent.parent.glob("a/*/checkpoint"))
    old = line.read_text().splitlines()[-1] + "\n"
    scene.answers["b"] = httpx.Response(200, text=old)  # a's line
    scene.answers["a"] = httpx.Response(200, text=old)  # its own, over the head before
    message = cosigned(scene, scene.append(1))
    assert "a answers with no cosignature" in message
    assert "b answers with no cosignature" in message


def test_a_witness_that_knows_another_size_is_asked_again_from_there(scene: Scene) -> None:
    size = scene.append(10)
    assert cosigned(scene, size) == ""
    scene.store.execute("delete from cosignature")  # we have forgotten, the witness has not
    assert cosigned(scene, scene.append(10)) == ""


@pytest.fixture
def rolled_back(scene: Scene) -> Scene:
    """The attacker has put back the older file, and the broker starts on it."""
    before = scene.store.log.head
    state = scene.store.log._state
    assert cosigned(scene, scene.append(10)) == ""
    scene.writer.close()
    scene.store.execute("delete from audit where seq >= ?", (before.size,))
    scene.store.execute("delete from cosignature")
    scene.store.execute(
        "update tree set size = ?, frontier = ?, checkpoint = ?",
        (before.size, b"".join(state.tree.frontier), before.checkpoint),
    )
    scene.store.open()
    scene.writer = Writer(scene.store.engine, scene.store.log)
    return scene


def entries_of(scene: Scene, kind: str) -> list[object]:
    return [one["data"] for one in scene.entries() if one["type"] == kind]


def test_a7_a_store_that_was_rolled_back_is_told_so_by_its_witnesses(rolled_back: Scene) -> None:
    head = rolled_back.store.log.head
    message = cosigned(rolled_back, 1)
    assert "a has witnessed 11 entries, there are 1: this store was rolled back" in message
    cause = "a has witnessed 11 entries, there are 1: this store was rolled back"
    assert entries_of(rolled_back, "log.contradicted")[0] == {
        "witness": "witness.example/a",
        "size": 1,
        "root": head.root.hex(),
        "cause": cause,
        "witnessed": 11,
    }
    assert [f"not the one that was witnessed: {cause}" in told for told in rolled_back.told] == [True, False, False]


def test_one_witness_that_remembers_keeps_closed_what_the_others_would_cosign(rolled_back: Scene) -> None:
    for folder in ("b", "c"):  # these have forgotten
        [memory] = rolled_back.folder.glob(f"{folder}/*/checkpoint")
        shutil.rmtree(memory.parent)
    quorum = "group one any a b c\nquorum one"

    async def story() -> list[str]:
        client = rolled_back.client(quorum)
        messages = []
        for _ in range(2):
            with pytest.raises(LogError) as raised:
                await client.cosign(1)
            messages.append(str(raised.value))
        assert client.contradictions == ("a has witnessed 11 entries, there are 3: this store was rolled back",)
        await client.close()
        return messages

    first, _ = run(story)  # type: ignore[misc]  # of two
    assert first == "a has witnessed 11 entries, there are 1: this store was rolled back"
    assert len(entries_of(rolled_back, "log.contradicted")) == len(rolled_back.told) == 1  # it says the same again


def test_a_rolled_back_store_that_has_outgrown_what_was_witnessed_is_still_told_so(rolled_back: Scene) -> None:
    size = rolled_back.append(20)
    message = cosigned(rolled_back, size)
    assert (
        "a has witnessed other entries than the 21 that are there: this store was rolled back or rewritten" in message
    )
    assert len(entries_of(rolled_back, "log.contradicted")) == 3


def test_what_another_broker_has_shown_a_witness_is_no_contradiction(scene: Scene) -> None:
    """Our head is behind the store until we write ourselves."""
    behind = scene.store.log._committed
    assert cosigned(scene, scene.append(10)) == ""
    scene.store.log._committed = behind
    assert "another broker wrote meanwhile" in cosigned(scene, behind.head.size)
    assert (entries_of(scene, "log.contradicted"), scene.told) == ([], [])


def test_nothing_is_cosigned_of_what_is_not_committed(scene: Scene) -> None:
    assert "expected at least 99" in cosigned(scene, 99)


def test_an_endless_answer_is_cut_off(scene: Scene) -> None:
    scene.answers["a"] = httpx.Response(200, content=b"x" * 100_000)
    assert "a answers more than 65536 bytes" in cosigned(scene, scene.append(1))
