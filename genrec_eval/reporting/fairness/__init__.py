"""Panels on fairness in a scenario's section: who is served worse, by how much, and how sure that is."""
