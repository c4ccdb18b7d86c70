"""Charts of a report: drawn by Altair and vl-convert without a browser, each with its table."""
