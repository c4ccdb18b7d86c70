"""From files to a data set: reading, ids, numbers, duplicates, order in time."""
