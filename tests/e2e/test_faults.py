"""The installed hook line against real brokers under faults: whatever breaks, nothing runs that nobody approved."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from askfirst.errors import BrokerUnavailableError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    # brokers are killed under open connections on purpose; httpx leaves such a socket to the garbage collector
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
DANGEROUS = "git push --force origin main"


class Hook:
    """One run of the installed line, as a host runs it."""

    def __init__(self, broker: Any, command: str = DANGEROUS, tool_use_id: str = "toolu_1") -> None:
        self._input = broker.shell_call(command, tool_use_id)
        self._process = subprocess.Popen(
            ["sh", "-c", broker.hook_line()],
            env=broker.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def verdict(self) -> str:
        """``allow``, ``deny`` or ``none`` (no opinion), as the host would see it."""
        out, err = self._process.communicate(self._input, timeout=120)
        if self._process.returncode == 2:
            assert err.strip()
            assert not out
            return "deny"
        assert self._process.returncode == 0, (self._process.returncode, err)
        if not out:
            return "none"
        verdict = json.loads(out)["hookSpecificOutput"]["permissionDecision"]
        assert verdict in {"allow", "deny"}
        return str(verdict)


@contextlib.contextmanager
def running(hook: Hook) -> Iterator[list[str]]:
    """The hook in a thread of its own; its verdict is in the list afterwards."""
    verdicts: list[str] = []
    thread = threading.Thread(target=lambda: verdicts.append(hook.verdict()))
    thread.start()
    yield verdicts
    thread.join(130)


def test_many_hooks_without_a_broker_start_exactly_one(broker: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: Hook(broker, "git status", f"toolu_{n}").verdict(), range(8)))
    assert verdicts == ["none"] * 8
    assert [entry["type"] for entry in broker.entries()].count("broker.started") == 1


def test_two_deciders_at_once_make_one_outcome_that_everybody_hears(
    broker: Any, person: Any, other_person: Any
) -> None:
    """Deny beats approve until the grant is used, so the pair ends as allow or as deny, and the log says which."""
    broker.start()
    outcomes = set()
    for number in range(6):
        command = f"git push --force origin b{number}"
        with running(Hook(broker, command, f"toolu_{number}")) as verdicts, ThreadPoolExecutor(2) as pool:
            request = broker.pending()
            pool.submit(person.decide, request, "approve")
            pool.submit(other_person.decide, request, "deny")
        case = broker.request(request["id"])
        released = case["grant"] is not None and case["grant"]["state"] == "redeemed"
        assert verdicts == ["allow" if released else "deny"]
        assert case["state"] == ("approved" if released else "denied")
        outcomes |= set(verdicts)
    assert broker.types().count("gate.released") == sum(
        (broker.request(each["id"])["grant"] or {}).get("state") == "redeemed" for each in broker.requests()
    )
    assert outcomes


def test_a_disk_that_is_full_ends_the_broker_and_blocks(broker: Any) -> None:
    broker.start()
    assert Hook(broker, "git status").verdict() == "none"
    broker.stop()
    broker.limit_file_size(8192)
    assert Hook(broker).verdict() == "deny"


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b"\\x00\\xff" * 100, b'{"tool_name": "Bash"}', b"x" * 70_000])
def test_garbage_on_stdin_blocks(broker: Any, garbage: bytes) -> None:
    broker.start()
    done = subprocess.run(
        ["sh", "-c", broker.hook_line()], env=broker.environ, input=garbage, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.strip()
    assert not done.stdout


ROUNDS = pytest.mark.parametrize("rounds", [8, pytest.param(100, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])


@ROUNDS
def test_kill_9_in_a_loop_loses_no_decision_and_runs_nothing_twice(broker: Any, person: Any, rounds: int) -> None:
    """The broker dies again and again while hooks wait and a person decides and retries."""
    chance = random.Random(7)  # the same kills every time
    broker.start()
    for round_number in range(rounds):
        approve = round_number % 2 == 0
        with running(Hook(broker, f"git push --force origin b{round_number}", f"toolu_{round_number}")) as verdicts:
            request = broker.pending()
            killer = threading.Timer(chance.uniform(0, 0.05), broker.kill)
            killer.start()
            insist(broker, person, request, "approve" if approve else "deny")
            killer.join()
        assert verdicts == ["allow" if approve else "deny"]
    types = broker.types()
    assert types.count("gate.requested") == types.count("gate.decided") == rounds
    assert types.count("gate.released") == rounds // 2
    assert "the log verifies" in broker.cli("audit", "verify").stdout


@ROUNDS
def test_hooks_and_brokers_that_are_killed_run_each_approved_command_once(
    broker: Any, person: Any, rounds: int
) -> None:
    """The hook dies while it waits, in every other round its broker as well; the host's next try is answered."""
    broker.start()
    for number in range(rounds // 2):
        command, call = f"git push --force origin b{number}", f"toolu_{number}"
        hook = Hook(broker, command, call)
        with running(hook) as verdicts:
            request = broker.pending()
            for pid in children(hook._process.pid):
                os.kill(pid, signal.SIGKILL)
            if number % 2:
                broker.kill()
        assert verdicts == ["deny"]
        insist(broker, person, request, "approve")
        with ThreadPoolExecutor(3) as pool:  # a host that tries three times at once: one run, and nobody is asked anew
            tries = list(pool.map(lambda _: Hook(broker, command, call).verdict(), range(3)))  # noqa: B023  # at once
        assert sorted(tries) == ["allow", "deny", "deny"]
    types = broker.types()
    assert types.count("gate.requested") == types.count("gate.released") == rounds // 2
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def insist(broker: Any, person: Any, request: dict[str, Any], verdict: str) -> None:
    """Decide until the broker answers, as a person does whose page did not load and who then looks at the list."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError, OSError, ValueError):
            if person.decide(request, verdict).status_code in {200, 409}:
                return
        broker.cli("requests", "list")  # starts a broker when the hook, which has its answer, no longer does
        with contextlib.suppress(BrokerUnavailableError):
            if broker.request(request["id"])["state"] != "pending":
                return  # it was taken, only the answer was lost
    raise AssertionError("the broker did not come back")


def test_a_hook_that_is_told_to_stop_blocks_and_leaves_the_request_open(broker: Any) -> None:
    broker.start()
    hook = Hook(broker)
    with running(hook) as verdicts:
        request = broker.pending()
        for pid in children(hook._process.pid):
            os.kill(pid, signal.SIGTERM)
    assert verdicts == ["deny"]
    assert broker.request(request["id"])["state"] == "pending"


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [int(each) for each in found]
