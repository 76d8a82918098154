"""A real broker on a restored store: an approval that was used after the backup opens nothing again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def api(broker: Any, method: str, path: str, body: object = None) -> dict[str, Any]:
    transport = httpx.HTTPTransport(uds=str(broker.paths.socket))
    with httpx.Client(transport=transport, base_url="http://askfirst") as http:
        answer = http.request(method, path, json=body)
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_approval_that_was_used_after_the_backup_is_used_by_nobody_again(
    broker: Any, person: Any, tmp_path: Path
) -> None:
    broker.start()
    asked = [
        api(broker, "POST", "/v1/requests", {"command": command, "cwd": "/tmp"})
        for command in ("rm -rf /srv/one", "rm -rf /srv/two", "rm -rf /srv/three")
    ]
    for each in asked[:2]:
        person.decide(each, "approve")
    assert broker.cli("backup", str(tmp_path / "backup")).returncode == 0
    use = {"action_digest": asked[0]["action_digest"], "attempt": "attempt-1"}
    path = f"/v1/requests/{asked[0]['id']}/redeem"
    assert api(broker, "POST", path, use)["done"]
    broker.halt()
    lost = tmp_path / "lost.db"
    broker.paths.store.rename(lost)
    restored = broker.cli("restore", str(tmp_path / "backup"), "--old", str(lost), "--json")
    assert restored.returncode == 0, restored.stderr
    assert any("gate.released" in each for each in json.loads(restored.stdout)["lost"])

    broker.start()
    for attempt in ("attempt-1", "attempt-2"):
        again = api(broker, "POST", path, {**use, "attempt": attempt})
        assert not again["done"]
        assert "the store was restored from a backup of" in again["note"]
    assert api(broker, "GET", "/v1/grants") == {"grants": []}
    [entry] = [each for each in broker.entries() if each["type"] == "store.restored"]
    assert (entry["data"]["grants_revoked"], entry["data"]["pending"]) == (2, 1)
    assert broker.cli("audit", "verify").returncode == 0
    person.decide(asked[2], "approve")
    assert api(broker, "GET", f"/v1/requests/{asked[2]['id']}")["state"] == "approved"
    revoked = broker.cli("grants", "revoke", "--all", "--json")
    assert [*json.loads(revoked.stdout)["revoked"]] == [asked[2]["code"]]
    assert api(broker, "GET", "/v1/grants") == {"grants": []}
