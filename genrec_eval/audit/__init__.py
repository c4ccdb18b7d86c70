"""From stored records to scores, estimates and verdicts: pure, offline, the same bytes every time."""
