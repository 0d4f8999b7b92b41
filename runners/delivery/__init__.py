"""The ways in which a target takes its tests: a shell, a boot for each, a suite, or the host's own Linux."""
