"""Catalogues, interactions, loaders of public formats, splits, the synthetic world."""
