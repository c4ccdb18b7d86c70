"""Parts of the checker of claims: what a claim is about, and one file per sort of thing that is claimed."""
