"""A broker is killed at every step between a service's delivery and the answer: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.engine import Case
from askfirst.request import Request, RequestState
from askfirst.store import records, schema
from askfirst.testing.bench import a_draft
from audit.testing import signer_of
from audit.testing_core import Core, core
from audit.verify import verify_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

BOTH, VERDICTS = ("fake:ann", "fake:bob"), ("approve", "deny")
STEPS = {
    *(f"{when} {what}" for when in ("before", "after") for what in ("confirming", "taking", "sealing", "the commit")),
    "before parsing",
    "while vetting",
    "before telling",
    "after telling",
}


class Brokers:
    """Brokers that hear one service, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deliveries = 0
        self.kills: Counter[str] = Counter()
        for name, text in (("events", ""), ("confirmed", "0"), ("told", "")):
            (folder / name).write_text(text, encoding="ascii")
        root = Path(__file__).parents[2]
        self.zygote = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("reception_server.py")],
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.zygote.stdout is not None
        assert self.zygote.stdout.readline() == "ready\n"

    def deliver(self, *said: object) -> None:
        """The service has something new."""
        with (self.folder / "events").open("a", encoding="utf-8") as file:
            for each in said:
                self.deliveries += 1
                file.write(json.dumps({"id": str(self.deliveries), "said": each}) + "\n")

    def run(self, kill_at: int) -> bool:
        """Let a broker hear until it is killed at this step; whether it was."""
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps([str(self.folder), kill_at]) + "\n")
        self.zygote.stdin.flush()
        ended = self.zygote.stdout.readline().strip()
        if ended == "done":
            return False
        assert ended in STEPS
        self.kills[ended] += 1
        return True


def asked(folder: Path, first: int, count: int = 40) -> list[Request]:
    """New requests; several at once, because opening a store takes longer than asking."""

    async def ask(made: Core) -> list[Request]:
        now_ms = made.clock.now_ms()
        drafts = [a_draft(key=f"key-{n}", command=f"rm -rf {n}", now_ms=now_ms) for n in range(first, first + count)]
        return [case.request for case in await asyncio.gather(*(made.desk.ask(each) for each in drafts))]

    with core(folder / "askfirst.db") as made:
        return asyncio.run(ask(made))


def story(request: Request, chance: random.Random) -> list[dict[str, Any]]:
    """What a service delivers about one request: repeated, out of order, from strangers, with poison between."""
    ann = {"by": "fake:ann", "verdict": "approve", "code": request.code}
    bob = {"by": "fake:bob", "verdict": "deny", "request": request.id, "version": 1, "text": "no"}
    eve = {"by": "fake:eve", "verdict": "approve", "code": request.code}
    said: list[dict[str, Any]] = [ann, bob, eve, {"by": "fake:ann", "verdict": "no such verdict"}, {"chatter": "hi"}]
    chance.shuffle(said)
    return said


@pytest.mark.parametrize("kills", [200, pytest.param(1_000, marks=pytest.mark.soak)])
def test_killed_at_every_step_from_receipt_to_answer_no_decision_is_lost_or_doubled(tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    brokers = Brokers(tmp_path)
    requests: list[Request] = []
    heard = 0
    while sum(brokers.kills.values()) < kills:
        if heard == len(requests):
            requests += asked(tmp_path, heard)
        brokers.deliver(*story(requests[heard], chance))
        heard += 1
        kill_at = heard % 60 + 1
        while brokers.run(kill_at):  # again from where the last one ended, until none gets that far
            kill_at = chance.randrange(1, 60)
    assert not brokers.run(0)
    brokers.zygote.communicate()
    assert set(brokers.kills) == STEPS
    check(tmp_path, brokers, requests[:heard])


def check(folder: Path, brokers: Brokers, requests: list[Request]) -> None:
    """Each decision is in the store and the log once, and everybody who decided was told."""
    (folder / "log.vkey").write_text(signer_of(1).verifier.vkey + "\n", encoding="utf-8")
    with core(folder / "askfirst.db") as made, made.store.reader.connect() as connection:
        cases = [records.read(connection, each.id) for each in requests]
        rows = connection.execute(sa.select(schema.inbox.c.external_id, schema.inbox.c.handled)).all()
        bodies = connection.scalars(sa.select(schema.audit.c.body).order_by(schema.audit.c.seq)).all()
    handled: Counter[int] = Counter(row.handled for row in rows)
    assert len({row.external_id for row in rows}) == len(rows) == brokers.deliveries
    assert handled == {1: 4 * len(requests), 2: len(requests)}  # one of five is poison
    entries = Counter(
        (entry["type"], entry["decision"]["decision_id"])
        for entry in map(json.loads, bodies)
        if entry["type"].startswith("review.")
    )
    for case in cases:
        decided(case)
        for each in case.reviews:
            assert sum(count for (_, decision), count in entries.items() if decision == each.decision_id) == 1
    assert sum(entries.values()) == sum(len(case.reviews) for case in cases) == 2 * len(requests)
    told = {json.loads(line)[0] for line in (folder / "told").read_text(encoding="utf-8").splitlines()}
    said = [json.loads(line) for line in (folder / "events").read_text(encoding="utf-8").splitlines()]
    people = {each["id"] for each in said if each["said"].get("by") in BOTH and each["said"]["verdict"] in VERDICTS}
    assert people <= told
    assert verify_store(folder / "askfirst.db").ok


def decided(case: Case) -> None:
    """Bob's deny holds, before or after Ann's approval; the stranger has no part in it."""
    assert case.request.state is RequestState.DENIED
    by = {each.person: each.counted for each in case.reviews}
    assert by.keys() == {"local:ann", "local:bob"}
    assert by["local:bob"]
