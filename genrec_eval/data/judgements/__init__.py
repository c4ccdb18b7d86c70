"""Recorded judgements: what judges and people said about answers, from public logs and from files."""
