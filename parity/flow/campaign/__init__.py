"""Running tests: from what was asked for to machines, attempts and what is kept of them."""
