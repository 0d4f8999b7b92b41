"""The command line, the domain's nouns and the flows that wire runners, gdb and db together."""
