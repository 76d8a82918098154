"""The MCP tools that agents ask with."""
