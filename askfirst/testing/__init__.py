"""Fakes, fixtures and conformance suites, for our own tests and for those who build on Askfirst.

- ``bench``: a desk over a real SQLite store, with a clock that stands still and a log in memory.
- ``memory``: a broker in memory with scripted reviewers, for tests of programs that ask.
- ``hook_broker``: a unix socket that answers hooks by a script.
"""
