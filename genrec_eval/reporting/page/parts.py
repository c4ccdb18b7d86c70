"""Where the parts of the report are wired in: one line a part, beside one ``include`` in the template.

A part is a function of :class:`Material` whose result the templates see under the part's name; None where
there is nothing to say, and then its partial is left out. ``SCENARIO_PARTS`` get the scenario too, and the
templates see them as ``s.parts.<name>``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genrec_eval.reporting.charts.draw import charts_of
from genrec_eval.reporting.contents.contents import contents
from genrec_eval.reporting.fairness.part import fairness_of
from genrec_eval.reporting.instances.part import instances_of
from genrec_eval.reporting.page.beside import comparison_of, gate_of
from genrec_eval.reporting.page.material import Material

PARTS: dict[str, Callable[[Material], Any]] = {
    "charts": charts_of,
    "gate": gate_of,
    "comparison": comparison_of,
    "instances": instances_of,
    "audit": contents,  # last: what is signed names the digest of what the instances wrote
}
"""Name in the templates → function."""

SCENARIO_PARTS: dict[str, Callable[[Material, str], Any]] = {"fairness": fairness_of}
"""Name in the templates, under ``s.parts`` → function."""


def parts(material: Material) -> dict[str, Any]:
    """All parts of the report that stand beside the scenarios."""
    return {name: part(material) for name, part in PARTS.items()}


def scenario_parts(material: Material, scenario: str) -> dict[str, Any]:
    """All parts of one scenario's section."""
    return {name: part(material, scenario) for name, part in SCENARIO_PARTS.items()}
