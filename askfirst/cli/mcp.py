"""``askfirst mcp``: the MCP server that hosts start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from askfirst.cli.parts import Parts


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command; ``askfirst.entry`` runs it without the command line, for a quick start."""

    @app.command()
    def mcp() -> None:
        """Serve the MCP tools on standard input and output, for a host that starts it (see docs/mcp.md)."""
        parts.mcp()
