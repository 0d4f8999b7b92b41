"""What the results say: standings, histories, comparisons, the gate, and keeping them in order."""
