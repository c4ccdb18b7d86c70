"""Probes of judges: questions whose right answer is known by construction."""
