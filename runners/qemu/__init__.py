"""One QEMU: its command line, its process, its monitor.

Pure modules: command_line.
"""
