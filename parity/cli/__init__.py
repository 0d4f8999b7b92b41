"""The command line: parse, call one flow, map what comes back to text and an exit status.

Exit status: 0 all as wanted; 1 tests failed (or a checked document is stale); 2 usage or configuration; 3 the
harness or QEMU failed; 130 interrupted by Ctrl-C (143 by SIGTERM).
"""
