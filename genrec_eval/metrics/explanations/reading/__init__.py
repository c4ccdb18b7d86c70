"""Parts of the reader of texts, one file per sort of thing that it looks for."""
