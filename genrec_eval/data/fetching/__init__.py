"""Public data sets from their publishers: licence, checksum, safe unpacking."""
