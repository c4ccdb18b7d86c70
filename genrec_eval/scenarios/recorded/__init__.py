"""Recorded judgements: their case tables, their scores, and the figures that were published about them."""
