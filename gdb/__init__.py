"""Looks into a stuck kernel from outside, through GDB and QEMU's monitor, and says what it is stuck on.

A capture is taken first and written down, then read: everything that concludes something is pure and runs on
saved captures alike. Its folders, each importing only from those above it: `kernel_file`, `guest`, `trace`, `scheduler`,
`debugger`, `captures`, `evidence`, `rules`.
"""
