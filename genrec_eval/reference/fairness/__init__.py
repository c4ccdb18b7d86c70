"""Recommenders that treat people or providers unequally, or only seem to, by a known amount."""
