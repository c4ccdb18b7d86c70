"""Metrics of explanations and summaries: what they say, and whether it is so."""
