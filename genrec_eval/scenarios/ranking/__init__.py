"""What all scenarios of ranked lists share: options, cases, reading of records, scoring."""
