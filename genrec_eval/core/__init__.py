"""What every room may lean on: errors, names, digests, seeds, secrets, how numbers are written."""
