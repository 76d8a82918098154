"""The broker: one process that owns store, log, timers and channels, and answers hooks, programs and people."""
