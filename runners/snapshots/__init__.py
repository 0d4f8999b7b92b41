"""Going back to the prompt: what is saved of a booted machine, by whom, and how it is put back."""
