"""From a run directory to what people read: terminal, HTML, Markdown."""
