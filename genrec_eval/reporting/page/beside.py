"""What lies beside a run and is shown with it: the verdict of its gate, and the run before it."""

from __future__ import annotations

from typing import Any

from genrec_eval.audit.gating.opening import GATE_FILE
from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.page.material import Material

MOST_BYTES = 20_000_000


def gate_of(material: Material) -> dict[str, Any] | None:
    """The panel of the gate, where the run directory holds a ``gate.json``.

    Raises
    ------
    UsageError
        When the file cannot be read as a verdict of the gate, or is one on another run.
    """
    from genrec_eval.audit.gating.types import GateResult
    from genrec_eval.reporting.caution import denied, doubts
    from genrec_eval.reporting.gate.panel import panel
    from genrec_eval.reporting.results import read_json

    path = material.directory / GATE_FILE
    if not path.is_file():
        return None
    again = "decide it again with 'genrec-eval gate', or remove the file"
    if path.stat().st_size > MOST_BYTES:
        raise UsageError(f"{path} is larger than {MOST_BYTES:,} bytes: no verdict of a gate; {again}")
    document = read_json(path, again)
    try:
        result = GateResult.from_json(document, str(path))
    except UsageError as error:
        raise UsageError(f"{error}; {again}") from None
    if result.run_id != material.results.run:
        raise UsageError(
            f"{path} is about run {result.run_id}, and this one is {material.results.run}; {again}"
        )
    against = denied(material.run, (row.slice for row in result.rows))
    return panel(
        result,
        material.order,
        titles=material.results.title,
        cautioned=lambda slice, n: doubts(against, slice, n),
    )


def comparison_of(material: Material) -> dict[str, Any] | None:
    """What changed since an earlier run; None where none is named."""
    if material.comparison is None:
        return None
    from genrec_eval.reporting.comparison.panel import panel

    return panel(material.comparison, material.order, titles=material.results.title)
