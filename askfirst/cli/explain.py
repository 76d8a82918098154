"""``askfirst explain -- COMMAND`` and ``askfirst check --stdin``: what the gate sees in a command."""

from __future__ import annotations

import typer  # noqa: TC002


def add(app: typer.Typer) -> None:
    """Register the commands."""
