"""SIGKILL at every step between a press and its answer, and again while the next process repairs it (I3).

Whatever the step: one decision, none lost, none doubled, the card says so at the end, and the log verifies.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.request import RequestState
from askfirst.store import records
from askfirst.store.open import open_store
from askfirst.testing.telegram import FakeTelegram, User
from audit.testing import signer_of
from audit.verify import verify_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@dataclass
class Telegram:
    """A fake with a person, and processes that are forked to serve them."""

    fake: FakeTelegram
    ann: User
    zygote: subprocess.Popen[str]
    folder: Path
    number: int = 0

    def call(self, op: str, fuse: int = 0, **more: Any) -> dict[str, Any]:
        given = {
            "op": op,
            "fuse": fuse,
            "store": str(self.store),
            "url": self.fake.url,
            "token": self.fake.token,
            "user": self.ann.id,
            **more,
        }
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.write(json.dumps(given) + "\n")
        self.zygote.stdin.flush()
        found: dict[str, Any] = json.loads(self.zygote.stdout.readline())
        return found

    @property
    def store(self) -> Path:
        return self.folder / "askfirst.db"

    def ask(self) -> dict[str, Any]:
        """One more request, shown to Ann."""
        self.number += 1
        return self.call("ask", key=f"key-{self.number}")

    def act(self, what: str, request: dict[str, Any]) -> str:
        """Press or write; the query's id."""
        card = self.fake.messages(self.ann.id)[-1]
        if what == "words":
            self.fake.say(self.ann, self.ann, f"/deny {request['code']} not now")
            return ""
        query = self.fake.press(self.ann, card, "Approve")
        if what == "twice":
            self.fake.press(self.ann, card, "Approve")
        return query

    def check(self, what: str, request: dict[str, Any]) -> None:
        """One decision, on the card, and nothing left at the service."""
        assert self.call("pump")["ended"]  # the next poll confirms what the last one brought
        assert self.fake.queued() == 0
        store = open_store(self.store)
        with store.reader.connect() as connection:
            case = records.read(connection, request["id"])
        store.engine.dispose()
        store.reader.dispose()
        wanted = RequestState.DENIED if what == "words" else RequestState.APPROVED
        assert case.request.state is wanted
        assert [each.counted for each in case.reviews].count(True) == 1
        assert len(case.reviews) == (2 if what == "twice" else 1)
        sign = "⛔ Denied by local:ann" if what == "words" else "✅ Approved by local:ann"
        cards = [each for each in self.fake.messages(self.ann.id) if request["code"] in each["text"]]
        assert all(each["text"].startswith(sign) and "reply_markup" not in each for each in cards)

    def verify(self) -> None:
        """The log holds together."""
        (self.folder / "log.vkey").write_text(signer_of(1).verifier.vkey + "\n", encoding="utf-8")
        report = verify_store(self.store)
        assert report.ok, report.problems


@pytest.fixture
def telegram(tmp_path: Path) -> Iterator[Telegram]:
    root = Path(__file__).parents[2]
    program = [sys.executable, Path(__file__).with_name("telegram_core.py")]
    with (
        FakeTelegram() as fake,
        subprocess.Popen(
            program, env={"PYTHONPATH": str(root), "PTB_TIMEDELTA": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        ) as zygote,
    ):  # fmt: skip
        fake.call(lambda: setattr(fake.world, "limits", False))
        yield Telegram(fake, fake.user("Ann"), zygote, tmp_path)
        assert zygote.stdin is not None
        zygote.stdin.close()


def kill_everywhere(telegram: Telegram, what: str, again: range) -> int:
    """Kill at step after step, and the process that comes next at each of ``again``; how many kills that were."""
    kills = 0
    for step in itertools.count(1):
        was_killed = False
        for second in again:
            request = telegram.ask()
            telegram.act(what, request)
            first = telegram.call("pump", step)
            if first["ended"]:
                break
            was_killed = True
            kills += 1 + (not telegram.call("pump", second)["ended"])
            assert telegram.call("pump")["ended"]
            telegram.check(what, request)
        if not was_killed:
            telegram.check(what, request)
            telegram.verify()
            return kills
    raise AssertionError


@pytest.mark.parametrize("what", ["press", "twice", "words"])
def test_a_kill_at_every_step_loses_and_doubles_nothing(telegram: Telegram, what: str) -> None:
    assert kill_everywhere(telegram, what, range(2, 6, 2)) > 40


@pytest.mark.soak
@pytest.mark.parametrize("what", ["press", "twice", "words"])
def test_a_kill_at_every_pair_of_steps_loses_and_doubles_nothing(telegram: Telegram, what: str) -> None:
    assert kill_everywhere(telegram, what, range(1, 26)) > 300
