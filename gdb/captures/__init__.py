"""What is taken from a stopped machine, and kept as plain files.

Pure modules: capture, capture_bounds.
"""
