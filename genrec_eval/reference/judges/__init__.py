"""Bundled judges: one that goes by rules, and flawed ones on which audits of judges are tried."""
