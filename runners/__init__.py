"""Boots QEMU, drives the console, and turns what a guest printed into an outcome.

Its folders, each importing only from those above it: `processes`, `qemu`, `console`, `snapshots`, `verdict`, `machine`,
`delivery`.
"""
