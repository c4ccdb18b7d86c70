"""Splits: what a model may learn from, and what it is asked to foresee."""
