"""What the report template is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genrec_eval.reporting.answer import sentence
from genrec_eval.reporting.results import Results


def page(results: Results, run: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Assemble the sections, in the order of the page."""
    return {"run": results.run, "sentence": sentence(results.verdicts)}
