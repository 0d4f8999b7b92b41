"""Drives GDB from outside, to look into a kernel that hangs. The first modules come with hang diagnosis."""
