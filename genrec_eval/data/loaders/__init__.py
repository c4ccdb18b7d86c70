"""Loaders of public data sets, one file each: the options, and the reading of the layout."""
