"""Intervals, resampling and power: pure, arrays in, numbers out."""
