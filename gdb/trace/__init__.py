"""The kernel's trace rings and counters: where they lie, what they hold, and how that is shown. All modules are pure."""
