"""One file per metric family: pure functions that return per-unit vectors, metadata beside them."""
