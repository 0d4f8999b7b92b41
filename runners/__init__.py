"""Boots QEMU, drives the console, and turns what a guest printed into an outcome.

Pure modules: console_text, command_line, classify, ktap, observation. The others own a process, a pseudo-terminal,
a socket or files.
"""
