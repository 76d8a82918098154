"""The log of a real broker with a real witness beside it: nothing critical runs unseen, and what was seen is kept."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
DANGEROUS = "git push --force origin main"


class WitnessProcess:
    """``askfirst witness serve`` on a port of its own."""

    def __init__(self, broker: Any, folder: Path) -> None:
        self._broker, self._folder = broker, folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.vkey = json.loads(self._cli("key", "--name", "witness.example/1", "--json"))["vkey"]
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, vkey: str) -> None:
        self._cli("watch", vkey)

    def start(self) -> None:
        command = self._broker.command("witness", "serve", "--folder", str(self._folder), "--port", str(self.port))
        self._process = subprocess.Popen(command, env=self._broker.environ, stderr=subprocess.PIPE)
        transport = httpx.HTTPTransport(retries=40)  # each a little later: ten seconds and more in all
        with httpx.Client(transport=transport) as client:
            assert client.get(f"{self.url}/vkey").text.strip() == self.vkey

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=20)
            self._process = None

    def _cli(self, *arguments: str) -> str:
        command, *rest = arguments
        done = self._broker.cli("witness", command, *rest, "--folder", str(self._folder))
        assert done.returncode == 0, done.stderr
        return str(done.stdout)


def approved(broker: Any, person: Any, tool_use_id: str) -> dict[str, Any]:
    """The answer to a dangerous call that a person approves."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(broker.call_hook, DANGEROUS, tool_use_id)
        person.decide(broker.pending("approval"), "approve").raise_for_status()
        return answer.result(60)


def verified(broker: Any, *arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(broker.cli("audit", "verify", "--json", *arguments).stdout)
    return report


@pytest.fixture
def witness(broker: Any, tmp_path: Path) -> Iterator[WitnessProcess]:
    """A witness that watches the broker's log and whose word its releases need; the broker runs."""
    made = WitnessProcess(broker, tmp_path / "witness")
    broker.start()  # founds the log
    made.watch((broker.paths.root / "log.vkey").read_text().strip())
    broker.halt()
    policy = tmp_path / "witnesses.policy"
    policy.write_text(f"witness w {made.vkey} {made.url}\nquorum w\n")
    with broker.config.open("a", encoding="utf-8") as config:
        config.write('[audit]\nwitnesses = "witnesses.policy"\nwitness_from = "low"\n')
    made.start()
    broker.start()
    yield made
    made.stop()


def test_a_release_waits_for_the_witness_and_without_it_nothing_runs(
    broker: Any, person: Any, witness: WitnessProcess
) -> None:
    assert approved(broker, person, "toolu_1")["permissionDecision"] == "allow"
    types = [entry["type"] for entry in broker.entries()]
    decided, released = types.index("gate.decided"), types.index("gate.released")
    assert "log.checkpoint_witnessed" in types[decided:released]
    report = verified(broker, "--witness", witness.vkey)
    assert report["ok"]
    assert any("has witnessed" in proof for proof in report["proofs"])
    assert any("takes the witness's key, too" in meaning for meaning in report["meanings"])

    witness.stop()
    answer = approved(broker, person, "toolu_2")
    assert answer["permissionDecision"] == "deny"
    assert "0 of 1 witnesses cosigned" in answer["permissionDecisionReason"]
    assert [entry["type"] for entry in broker.entries()].count("gate.released") == 1
    [refused] = [entry for entry in broker.entries() if entry["type"] == "gate.refused"]
    assert "0 of 1 witnesses cosigned" in refused["decision"]["reason"]


def test_a_store_that_was_put_back_is_noticed_by_the_witness_and_by_every_message(
    broker: Any, person: Any, witness: WitnessProcess, tmp_path: Path
) -> None:
    """A7, A9 and A10 against a real broker: the attacker holds every key but the witness's."""
    broker.halt()
    kept = tmp_path / "kept"
    shutil.copytree(broker.paths.root, kept, ignore=shutil.ignore_patterns("*.sock"))
    broker.start()
    approved(broker, person, "toolu_1")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(broker.call_hook, DANGEROUS, "toolu_2")
        request = broker.pending()
        page = person.page(request)
        person.decide(request, "deny")
        answer.result(60)
    shown = re.search(r"log (\d+:[0-9a-f]{16})", page)
    assert shown is not None
    assert verified(broker, "--seen", shown[1])["ok"]
    assert request["log"]  # the command line shows it, too

    broker.halt()
    shutil.rmtree(broker.paths.root)
    shutil.copytree(kept, broker.paths.root)
    broker.start()
    report = verified(broker, "--seen", shown[1])
    assert [problem["code"] for problem in report["problems"]] == ["dropped"]
    report = verified(broker, "--witness", witness.vkey, "--witness-url", witness.url)
    assert "dropped" in [problem["code"] for problem in report["problems"]]
    answer = approved(broker, person, "toolu_3")
    assert answer["permissionDecision"] == "deny"
    assert "this store was rolled back" in answer["permissionDecisionReason"]
    entry, *_ = [each["data"] for each in broker.entries() if each["type"] == "log.contradicted"]
    assert (entry["witness"], entry["witnessed"] > entry["size"]) == ("witness.example/1", True)
    told = [each["question"] for each in broker.client.call("GET", "/v1/requests")["requests"] if each["question"]]
    assert "The audit log is not the one that was witnessed" in told[0]
    found = json.loads(broker.cli("doctor", "--host", "claude-code", "--no-canary", "--json").stdout)
    [finding] = [each for each in found["findings"] if each["area"] == "log"]
    assert (finding["grade"], "this store was rolled back" in finding["text"]) == ("fail", True)


def test_harmless_calls_hooks_and_configuration_are_in_the_log_after_a_stop(broker: Any, tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    installed = broker.cli("hook", "install", "--settings", str(settings), "--json")
    assert installed.returncode == 0, installed.stderr
    broker.start()
    assert broker.call_hook("git status", "toolu_1") == {}
    settings.unlink()
    broker.halt()
    broker.config.write_text("[web]\nport = 0\n\n")
    broker.start()
    removed = broker.cli("hook", "uninstall", "--settings", str(settings), "--json")
    assert removed.returncode == 0, removed.stderr
    broker.halt()
    entries = broker.entries()
    [passed] = [entry for entry in entries if entry["type"] == "gate.passed"]
    assert [call["summary"] for call in passed["data"]["calls"]] == ["git status"]
    types = [entry["type"] for entry in entries]
    for kind in ("hook.installed", "hook.heartbeat", "hook.missing", "config.changed", "broker.stopped"):
        assert kind in types, types
    assert verified(broker)["ok"]


def test_the_log_names_every_layer_of_the_policy_that_a_ruling_rests_on(broker: Any) -> None:
    own = broker.config.with_name("policy.toml")
    own.write_text('extends = "personal"\n', encoding="utf-8")
    broker.start()
    broker.client.call("POST", "/v1/requests", json={"command": DANGEROUS})
    broker.halt()
    told = json.loads(broker.cli("policy", "list", "--json").stdout)
    [started] = [entry["data"] for entry in broker.entries() if entry["type"] == "broker.started"]
    [asked] = [entry["decision"] for entry in broker.entries() if entry["type"] == "gate.requested"]
    assert [each["layer"] for each in started["layers"]] == ["built-in", "user", "personal"]
    assert [each["sha256"] for each in started["layers"]] == [each["sha256"] for each in told["layers"]]
    assert started["layers"][1]["path"] == str(own)
    assert started["policy_sha256"] == asked["policy_sha256"] == told["sha256"]


def test_what_the_owner_does_with_the_log(broker: Any, person: Any) -> None:
    broker.start()
    old = (broker.paths.root / "log.vkey").read_text().split()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(broker.call_hook, DANGEROUS, "toolu_1")
        request = broker.pending()
        person.decide(request, "deny")
        answer.result(60)
    erased = json.loads(
        broker.cli("audit", "erase", "--request", request["code"], "--reason", "asked", "--json").stdout
    )
    assert len(erased["erased"]) == 1
    assert broker.request(request["id"])["command"] == "[erased]"
    rotated = json.loads(broker.cli("audit", "rotate-key", "--json").stdout)
    assert [rotated["old"]] == old
    broker.halt()
    broker.start()
    assert verified(broker, "--key", rotated["old"], "--key", rotated["new"])["ok"]
    refused = broker.cli("audit", "erase", "--request", request["code"], "--payload", "0" * 64, "--reason", "-")
    assert refused.returncode == 2
    assert "give either --request or --payload" in refused.stderr
