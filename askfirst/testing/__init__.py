"""Fakes, fixtures and conformance suites, for our own tests and for those who build on Askfirst.

- ``bench``: a desk over a real SQLite store, with a clock that stands still and a log in memory.
- ``memory``: a broker in memory with scripted reviewers, for tests of programs that ask.
- ``telegram``: a Bot API server on loopback that keeps the real one's queue, limits and errors.
- ``hook_broker``: a unix socket that answers hooks by a script.
"""
