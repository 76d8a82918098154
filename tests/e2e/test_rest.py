"""The API of a real broker against its own description: calls valid and hostile, every answer checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from askfirst.errors import NotAllowedError

pytestmark = pytest.mark.slow


def test_every_answer_is_one_that_the_description_names(broker: Any) -> None:
    broker.start()
    url = json.loads(broker.paths.info.read_bytes())["web"]
    token = broker.paths.api_token.read_text(encoding="ascii").strip()
    tool = Path(sys.executable).with_name("st")
    settings = Path(__file__).with_name("schemathesis.toml")
    command = [tool, "--config-file", settings, "run", f"{url}/v1/openapi.json"]
    options = ["--header", f"Authorization: Bearer {token}", "--seed", "20261125", "--request-timeout", "20"]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=110, check=False, cwd=broker.paths.root
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert re.search(r"[1-9]\d{2,} passed", done.stdout), done.stdout[-2000:]
    assert broker.pid() is not None


def test_what_no_channel_of_this_broker_vouches_for_is_refused_at_once(broker: Any) -> None:
    """I6: the web inbox vouches for 1, so that a request for more could only expire."""
    (broker.config.parent / "policy.toml").write_text("[risk.high]\nassurance = 2\n", encoding="utf-8")
    broker.start()
    with pytest.raises(
        NotAllowedError, match="wants reviews of assurance 2, and no channel here vouches for more than 1"
    ):
        broker.client.call("POST", "/v1/requests", json={"command": "rm -rf /srv/x"})
