"""Evidence: what a call would really do, found out by the gate itself before a person is asked.

- ``values``: what was found, as frozen values that a request carries.
- ``words``: these as signals, an impact, sections and a way back, for people.
- ``claims``: where the agent's words and the evidence contradict each other.
- ``gather``: asks every source at once, each within its own time.
- one module a kind of source beside them.

What could not be found out is a ``Gap``, never silence; a failed look raises the risk and never lowers it.
"""
