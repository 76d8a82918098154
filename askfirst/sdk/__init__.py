"""What programs import to ask a person: standard library only, nothing of the server is loaded.

- ``outcomes``: how asking can end.
- ``freeze``: a function call turned into values that no longer change, and how they are shown.
- ``flow``: the conversation with the broker as generators, without any input or output.
- ``link``: carries such a conversation over a unix socket or TCP.
- ``humanlayer``: the decorators and the object that holds their settings.
"""
