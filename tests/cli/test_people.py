"""People and channels in the terminal: what is hostile is shown as it is, and each line says what matters."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from askfirst.cli import channels, people


def shown(table: Table) -> str:
    screen = Console(file=io.StringIO(), width=120, emoji=False)
    screen.print(table)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_people_are_listed_with_what_they_are_known_as() -> None:
    found = {
        "person": "local:bob",
        "roles": ["release"],
        "teams": ["infra"],
        "identities": [{"id": "telegram:12345", "assurance": 1}, {"id": "webhook:p/[red]x\u202e", "assurance": 0}],
        "is_configured": False,
    }
    lines = [" ".join(line.split()) for line in shown(people._table([found])).splitlines()]
    assert lines == [
        "person roles and teams known as named in",
        "local:bob role:release team:infra telegram:12345 (up to 1) askfirst people add",
        r"webhook:p/[red]x\u{202E} (up to 0)",
    ]


def test_a_short_name_is_this_machines() -> None:
    assert [people.full_id(each) for each in ("bob", "local:bob", "telegram:1")] == [
        "local:bob",
        "local:bob",
        "telegram:1",
    ]


def test_channels_are_listed_with_what_they_say() -> None:
    found = {"scheme": "telegram", "ok": False, "text": "the token [bold]was revoked", "since_ms": 1_800_000_000_000}
    line = shown(channels._table([found])).splitlines()[1]
    assert line.startswith("telegram")
    assert "down" in line
    assert "the token [bold]was revoked" in line
