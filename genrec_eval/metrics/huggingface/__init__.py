"""The library `evaluate` of Hugging Face: our metrics for it, and its metrics for us."""
