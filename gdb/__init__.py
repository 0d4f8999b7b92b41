"""Looks into a stuck kernel from outside, through GDB and QEMU's monitor, and says what it is stuck on.

A capture is taken first and written down, then read: everything that concludes something is pure and runs on
saved captures alike.
Pure modules: byte_trace, capture, capture_bounds, counters, cpu_evidence, cpu_facts, cpu_state, dwarf_index,
elf_image, event_types, evidence, find_layout, instruction_text, layout, memory, mi_text, perfetto_trace,
place, register_dump, ring, roles, rules, scheduler_plan, scheduler_state, spans, spin_loop, structures,
symbols, system_calls, timeline, timeline_page, timeline_text, trace_validation, waited_lock, window.
"""
