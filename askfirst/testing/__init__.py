"""Fakes and conformance suites for our own ports."""
