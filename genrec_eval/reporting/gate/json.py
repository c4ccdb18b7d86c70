"""The verdict object as strict JSON."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.reporting.strict import strict, write_strict


def gate_json(result: GateResult) -> str:
    """Schema and exit code first, then everything that the object holds."""
    return strict(result.to_json())


def write_gate_json(result: GateResult, path: Path) -> Path:
    """Write :func:`gate_json` and return the path."""
    return write_strict(result.to_json(), path)
