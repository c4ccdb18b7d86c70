"""What scenarios of written texts share: cases, briefs, requests, reading of records, scoring."""
