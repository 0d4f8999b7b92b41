"""A guest's serial ports: the one that it is talked to through, and those that it only prints to.

Pure modules: console_text.
"""
