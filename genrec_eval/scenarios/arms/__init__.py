"""The same thing asked in several ways: attribute sets, variants, cases and scores."""
