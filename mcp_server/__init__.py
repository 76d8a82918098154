"""The MCP tools that agents ask with.

- ``tools``: what clients are told about them, as data.
- ``arguments``: what a call's arguments must be.
- ``caller``: who calls, so that the hook of the same session knows its own grants.
- ``calls``: what each tool does, as conversations with REST ``/v1``.
- ``words``: what results say.
- ``rpc``, ``stdio``: the thin server for hosts that start one, standard library only.
- ``http``: the broker's ``/mcp``; needs the ``mcp`` extra.
"""
