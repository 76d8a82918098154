"""``import askfirst`` costs next to nothing, and what asks brings none of the server along."""

from __future__ import annotations

import subprocess
import sys

SERVER = (
    "fastapi pydantic sqlalchemy alembic uvicorn starlette httpx typer rich mcp tree_sitter git cryptography jinja2"
)


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_askfirst_loads_nothing_but_itself() -> None:
    assert loaded("import askfirst") - loaded("pass") == {"askfirst"}


def test_what_asks_loads_only_the_standard_library_and_ourselves() -> None:
    found = loaded("from askfirst import *; from askfirst import HumanLayer, require_approval") - loaded("pass")
    foreign = {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"askfirst"}
    assert foreign == set()
    ours = {name for name in found if name.startswith("askfirst.")}
    assert {name for name in ours if not name.startswith("askfirst.sdk")} == {"askfirst.errors"}
    assert not found & set(SERVER.split())


def test_every_public_name_is_there_and_others_are_attribute_errors() -> None:
    code = "import askfirst\nfor name in askfirst.__all__: getattr(askfirst, name)\nassert not hasattr(askfirst, 'no')"
    assert "askfirst.sdk.humanlayer" in loaded(code)
