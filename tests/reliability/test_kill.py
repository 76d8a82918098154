"""Brokers, hooks and the database are killed at random while eight people race to decide; then the history is checked.

Each request has a hook that asks, waits and redeems, and comes back as another process when it is cut off; eight
people review it at once and insist until they hear an answer. Nobody may hear what the store does not say.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.store import records, schema
from askfirst.store.backup import copied_log
from askfirst.store.open import open_store
from askfirst.testing.postgres import Server, server
from audit.testing import signer_of
from audit.verify import verify_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PEOPLE = [f"local:{number}" for number in range(8)]
AT_ONCE = 16
"""Requests that are open at a time."""


@dataclass
class Fleet:
    """The brokers: starts, kills and calls them."""

    folder: Path
    url: str
    size: int
    chance: random.Random
    zygote: subprocess.Popen[str]
    pids: dict[int, int] = field(default_factory=dict)
    kills: int = 0

    def socket(self, number: int) -> str:
        return str(self.folder / f"{number}.sock")

    def start(self, number: int) -> None:
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        call = [self.socket(number), str(self.folder / "askfirst.db"), self.url]
        self.zygote.stdin.write(json.dumps(call) + "\n")
        self.zygote.stdin.flush()
        self.pids[number] = int(self.zygote.stdout.readline())

    def kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pids[number], signal.SIGKILL)
        while alive(self.pids[number]):
            pass
        self.kills += 1

    async def is_up(self, number: int) -> None:
        """Wait until this broker listens, its store open: not the one before it, whose last threads may still end."""
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_unix_connection(self.socket(number))
                peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
                writer.close()
                if struct.unpack("3i", peer)[0] == self.pids[number]:
                    return
            await asyncio.sleep(0.005)

    async def call(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Insist until some broker answers; the same call may have been heard before."""
        line = json.dumps({"op": op, **arguments}).encode() + b"\n"
        while True:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_unix_connection(self.socket(self.chance.randrange(self.size)))
                try:
                    writer.write(line)
                    found = json.loads(await reader.readuntil())
                finally:
                    writer.close()
                if "ok" in found:
                    answer: dict[str, Any] = found["ok"]
                    return answer
                assert found["error"].startswith(("StoreAwayError", "BusyError", "StoreError")), found
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether any thread of it is left: the first one may have ended while another is still in a system call."""
    return Path(f"/proc/{pid}").exists()


@contextlib.contextmanager
def fleet(folder: Path, url: str, size: int, seed: int) -> Iterator[Fleet]:
    program = Path(__file__).with_name("core_server.py")
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    zygote = subprocess.Popen(
        [sys.executable, program], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert zygote.stdout is not None
    assert zygote.stdout.readline() == "ready\n"
    made = Fleet(folder, url, size, random.Random(seed), zygote)
    try:
        for number in range(size):
            made.start(number)
        yield made
    finally:
        for number in list(made.pids):
            made.kill(number)
        zygote.communicate()


@dataclass
class Heard:
    """What hooks and people were told."""

    asked: dict[str, str] = field(default_factory=dict)
    reviews: dict[str, tuple[str, bool]] = field(default_factory=dict)
    released: list[tuple[str, str]] = field(default_factory=list)


async def hook(brokers: Fleet, key: str, heard: Heard) -> None:
    found = await brokers.call("ask", key=key, command=f"rm -rf {key}")
    heard.asked[key] = found["id"]
    while found["state"] == "pending":
        found = await brokers.call("wait", id=found["id"]) | {"id": found["id"]}
    for attempt in range(2):  # the second time as another process, which may not run it again
        step = await brokers.call("redeem", id=found["id"], attempt=f"{key}-{attempt}")
        if step["done"]:
            heard.released.append((found["id"], f"{key}-{attempt}"))


async def person(brokers: Fleet, name: str, key: str, heard: Heard) -> None:
    found = await brokers.call("ask", key=key, command=f"rm -rf {key}")
    verdict = "deny" if brokers.chance.random() < 0.1 else "approve"
    decision = f"{key}-{name}"
    step = await brokers.call("review", id=found["id"], person=name, verdict=verdict, decision=decision)
    heard.reviews[decision] = (verdict, step["done"])


async def killer(brokers: Fleet, database: Server | None) -> None:
    while True:
        number = brokers.chance.randrange(brokers.size)
        await brokers.is_up(number)
        await asyncio.sleep(brokers.chance.uniform(0.05, 0.8))
        if database is not None and brokers.chance.random() < 0.1:
            await asyncio.to_thread(database.kill)
            await asyncio.to_thread(database.start)
        brokers.kill(number)
        brokers.start(number)


async def history(brokers: Fleet, count: int, database: Server | None = None) -> Heard:
    heard = Heard()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> None:
        async with gate:
            await asyncio.gather(hook(brokers, key, heard), *(person(brokers, name, key, heard) for name in PEOPLE))

    killing = asyncio.create_task(killer(brokers, database))
    await asyncio.gather(*(one(f"key-{number}") for number in range(count)))
    killing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await killing
    return heard


def check(folder: Path, url: str, heard: Heard, count: int, kills: int) -> None:
    """What everybody heard is what the store says, once, and the log tells the same; printed for ``make soak``."""
    (folder / "log.vkey").write_text(signer_of(1).verifier.vkey + "\n", encoding="utf-8")
    store = open_store(folder / "askfirst.db", url)
    with store.reader.connect() as connection:
        cases = {request_id: records.read(connection, request_id) for request_id in heard.asked.values()}
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.request)) == count == len(cases)
        bodies = connection.scalars(sa.select(schema.audit.c.body).order_by(schema.audit.c.seq)).all()
    entries = [json.loads(body) for body in bodies]
    stored = {each.decision_id: (each.verdict.value, each.counted) for case in cases.values() for each in case.reviews}
    assert stored == heard.reviews
    released = {
        case.request.id: case.grant.uses[0].attempt for case in cases.values() if case.grant and case.grant.uses
    }
    told = Counter(request for request, _ in heard.released)
    assert all(times == 1 for times in told.values())
    assert set(heard.released) <= set(released.items())
    of_type = Counter((entry["type"], entry.get("req")) for entry in entries)
    decided: dict[str, list[str]] = {request_id: [] for request_id in cases}
    for entry in entries:
        if entry["type"] == "gate.decided":
            decided[entry["req"]].append(entry["decision"]["verdict"])
    for case in cases.values():
        verdicts = decided[case.request.id]
        assert verdicts in ([case.request.state.value], ["approved", "denied"])
        assert verdicts[-1] == case.request.state.value
        assert of_type["gate.requested", case.request.id] == 1
        assert of_type["gate.released", case.request.id] == (case.request.id in released)
        assert case.request.state.value == ("approved" if case.request.id in released else case.request.state.value)
    reviews = sum(entry["type"].startswith("review.") for entry in entries)
    assert reviews == len(stored) == count * len(PEOPLE)
    if not url:
        store.engine.dispose()
        report = verify_store(folder / "askfirst.db")
    else:
        with copied_log(store.reader, folder / "log.vkey") as copy:
            report = verify_store(copy)
    assert report.ok, report.problems
    store.engine.dispose()
    store.reader.dispose()
    ended = Counter(case.request.state.value for case in cases.values())
    print(  # noqa: T201  # what `make soak` shows of a run
        f"{kills} kills; {count} requests, each with one outcome: {dict(ended)}; {reviews} reviews, heard as stored; "
        f"{len(heard.released)} runs told, none twice; {len(entries)} entries of the log verify"
    )


@pytest.mark.parametrize("count", [130, pytest.param(5_000, marks=pytest.mark.soak)])
def test_one_broker_on_a_file_is_killed_again_and_again(tmp_path: Path, count: int) -> None:
    with fleet(tmp_path, "", 1, seed=count) as brokers:
        heard = asyncio.run(history(brokers, count))
    assert brokers.kills
    check(tmp_path, "", heard, count, brokers.kills)


@pytest.mark.parametrize("count", [120, pytest.param(5_000, marks=pytest.mark.soak)])
def test_three_brokers_and_their_database_are_killed_again_and_again(tmp_path: Path, count: int) -> None:
    with server() as database:
        url = database.create()
        with fleet(tmp_path, url, 3, seed=count) as brokers:
            heard = asyncio.run(history(brokers, count, database))
        assert brokers.kills
        check(tmp_path, url, heard, count, brokers.kills)


FAULTS = [
    ("pwrite64", "signal=KILL"),
    ("fdatasync", "signal=KILL"),
    ("pwrite64", "error=ENOSPC"),
    ("pwrite64", "error=EIO"),
    ("fdatasync", "error=EIO"),
]


@contextlib.contextmanager
def faulty(pid: int, syscall: str, fault: str, when: int) -> Iterator[None]:
    """From now on the system fails in this way at a thread's call of this number."""
    inject = f"inject={syscall}:{fault}:when={when}"
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={syscall}", "-e", inject, "-p", str(pid)]
    tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        while not is_traced(pid):
            assert tracer.poll() in {None, 0}, "strace may not trace here: the kernel or the container forbids ptrace"
        yield
    finally:
        tracer.kill()
        tracer.wait()


def is_traced(pid: int) -> bool:
    status = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return all("TracerPid:\t0\n" not in each for each in status)


async def one_decision(brokers: Fleet) -> dict[str, Any]:
    """What a hook and a person were told before the broker ended, if it did."""
    told: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_unix_connection(brokers.socket(0))
        with contextlib.closing(writer):
            for op, more in (("ask", {"key": "k", "command": "rm x"}), ("review", REVIEW)):
                given = {**more, "id": told["ask"]["id"]} if op == "review" else more
                writer.write(json.dumps({"op": op, **given}).encode() + b"\n")
                answer = json.loads(await reader.readuntil())
                if "error" in answer:
                    assert "store" in answer["error"].lower()
                    break
                told[op] = answer["ok"]
    return told


REVIEW = {"person": "local:ann", "verdict": "approve", "decision": "d"}


@pytest.mark.parametrize(("syscall", "fault"), FAULTS, ids=["-".join(each) for each in FAULTS])
def test_a_fault_at_every_system_call_of_a_decision_loses_nothing_that_was_told(
    tmp_path: Path, syscall: str, fault: str
) -> None:
    (tmp_path / "log.vkey").write_text(signer_of(1).verifier.vkey + "\n", encoding="utf-8")
    points = 0
    with fleet(tmp_path, "", 1, seed=1) as brokers:
        while True:
            asyncio.run(brokers.is_up(0))
            pid = brokers.pids[0]
            with faulty(pid, syscall, fault, points + 1):
                told = asyncio.run(one_decision(brokers))
                brokers.kill(0)
            report = verify_store(tmp_path / "askfirst.db")
            assert report.ok, report.problems
            stored = cases_of(tmp_path / "askfirst.db")
            assert not told or told["ask"]["id"] in stored
            assert "review" not in told or stored[told["ask"]["id"]].grant is not None
            if "review" in told:
                break
            points += 1
            for path in tmp_path.glob("askfirst.db*"):
                path.unlink()
            brokers.start(0)
    assert points >= 2


def cases_of(path: Path) -> dict[str, Any]:
    store = open_store(path)
    with store.reader.connect() as connection:
        found = {each.id: records.read(connection, each.id) for each in records.list_requests(connection)}
    store.engine.dispose()
    store.reader.dispose()
    return found
