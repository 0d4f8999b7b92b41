"""A running machine from its boot to the end of an attempt: waiting, typing, progress, and a look inside.

Pure modules: pace, patience.
"""
