"""The gate: what a run must hold to pass in CI, and the baseline that it is held against."""
