"""The command line: one file a command, all output through ``output``.

Exit codes: 0 done; 1 the answer is no (a log that does not verify, a request that was refused, a command that would be
gated); 2 wrong usage; 69 no broker; 70 the store failed; 78 a configuration file cannot be used (sysexits.h).
"""
