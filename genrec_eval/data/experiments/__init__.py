"""Exposure logs of A/B tests, read and generated."""
