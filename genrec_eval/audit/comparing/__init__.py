"""Two runs held against each other, unit by unit."""
