"""Why a guest got no further: looking into it, and reading what was found there."""
