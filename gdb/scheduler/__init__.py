"""The kernel's threads and run queues, read from its memory. All modules are pure."""
