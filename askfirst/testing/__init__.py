"""Fakes, fixtures and conformance suites, for our own tests and for those who build on Askfirst.

- ``bench``: a desk over a real SQLite store, with a clock that stands still and a log in memory.
- ``hook_broker``: a unix socket that answers hooks by a script.
"""
