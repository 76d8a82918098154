"""What a command does not need is not loaded before it: `askfirst --help` answers at once."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"httpx", "sqlalchemy", "tree_sitter", "jsonschema", "cryptography", "fastapi", "askfirst.config"}


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    code = "import sys; import askfirst.cli.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert HEAVY.isdisjoint(loaded)
