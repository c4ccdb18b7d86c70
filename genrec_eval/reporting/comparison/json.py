"""The comparison as strict JSON."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.reporting.strict import strict, write_strict


def comparison_json(comparison: Comparison) -> str:
    """Schema and soundness first, then everything that the object holds."""
    return strict(comparison.to_json())


def write_comparison_json(comparison: Comparison, path: Path) -> Path:
    """Write :func:`comparison_json` and return the path."""
    return write_strict(comparison.to_json(), path)
