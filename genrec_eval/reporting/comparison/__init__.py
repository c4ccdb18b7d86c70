"""What a comparison says: terminal, Markdown, JSON and page from one object."""
