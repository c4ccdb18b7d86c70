"""Bundled writers: sound ones to compare with, and ones with a planted flaw to be caught."""
