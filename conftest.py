"""What doctests of the package leave out."""

from __future__ import annotations

import importlib.util

# modules that import an optional package at their top cannot be read where it is missing
collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["genrec_eval/reference/neural/*"]
