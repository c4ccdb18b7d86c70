"""What a gate says: terminal, Markdown, JUnit, annotations, JSON and page from one object."""
