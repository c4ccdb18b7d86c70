"""Gaps between groups of users, and of the items of providers: one file per family."""
