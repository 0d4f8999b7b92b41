"""GDB as a child process, spoken to in its machine interface, and what it says of code.

Pure modules: instruction_text, mi_text, spin_loop.
"""
