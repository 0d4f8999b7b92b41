"""From what was seen of an attempt to its outcome, live or from a saved log. All modules are pure."""
