"""Processes that cannot outlive the one that started them, and the user's own commands."""
