"""What a capture proves, worked out once for all rules. All modules are pure."""
