"""Results in and out: other programs' files, pages kept by hand, runs of other machines."""
