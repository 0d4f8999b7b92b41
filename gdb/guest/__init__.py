"""A guest's memory and CPUs, live or recorded.

Pure modules: cpu_facts, cpu_state, memory, place, register_dump.
"""
