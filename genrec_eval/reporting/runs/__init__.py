"""Several runs: what each came to, and how figures went over time."""
