"""The flows: each wires runners, gdb and db together for one command. Only parity.cli calls them."""
