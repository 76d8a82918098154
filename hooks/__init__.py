"""The hosts: one module each, and the short-lived programs that their hooks run."""
