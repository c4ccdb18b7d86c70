"""What makes a report an audit: scope, coverage, limits, deviations, trade-offs, frameworks, provenance."""
