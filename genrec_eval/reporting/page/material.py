"""What every part of the report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.reporting.instances.types import BESIDE
from genrec_eval.reporting.results import Results


@dataclass(frozen=True, slots=True)
class Material:
    """One run, as the parts of its report read it.

    Attributes
    ----------
    results
        Estimates, verdicts and coverage.
    run
        The parsed ``run.json``; any key may be missing.
    directory
        The run directory, for scores, records and what lies beside them.
    order
        Models, in the order of the report: position is hue and marker.
    flaws
        Model → its planted flaw.
    against
        An earlier run, or None.
    comparison
        With that earlier run; None where there is none.
    sidecar
        Where the instances go that do not fit into the page; nowhere when None.
    beside
        Most instances of the sidecar; all when None.
    """

    results: Results
    run: Mapping[str, Any]
    directory: Path
    order: Sequence[str]
    flaws: Mapping[str, str] = field(default_factory=dict)
    against: Path | None = None
    comparison: Comparison | None = None
    sidecar: Path | None = None
    beside: int | None = BESIDE
