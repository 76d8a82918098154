"""The API of a real broker against its own description: calls valid and hostile, every answer checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
