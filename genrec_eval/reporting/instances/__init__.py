"""Instances: the worst, the flipped and a sample in the page, the rest in a file beside it."""
