"""Metrics of what judges said: pure functions over verdicts, after their policies have been applied."""
