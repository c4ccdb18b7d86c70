"""What doctests of the package leave out."""

from __future__ import annotations

import importlib.util

# modules that import an optional package at their top cannot be read where it is missing
collect_ignore_glob = ["genrec_eval/metrics/huggingface/scripts/*"]  # what evaluate.load reads: no modules
if not importlib.util.find_spec("torch"):
    collect_ignore_glob.append("genrec_eval/reference/neural/*")
if not importlib.util.find_spec("evaluate"):
    collect_ignore_glob.append("genrec_eval/metrics/huggingface/modules.py")
