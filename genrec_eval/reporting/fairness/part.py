"""Where the panels on fairness are wired in: one line a panel, beside one template of the same name.

A panel is a function of :class:`Material` and a scenario. What it returns the template
``_fair_<name>.html.j2`` sees as ``panel``; None where the scenario has nothing of the kind, and then
the template is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genrec_eval.reporting.fairness.conflicts import conflicts
from genrec_eval.reporting.fairness.crossed import crossed
from genrec_eval.reporting.fairness.exposed import exposed
from genrec_eval.reporting.fairness.groups import groups
from genrec_eval.reporting.fairness.noise import noise
from genrec_eval.reporting.fairness.quadrants import quadrants
from genrec_eval.reporting.fairness.robust import robust
from genrec_eval.reporting.fairness.suppressed import suppressed
from genrec_eval.reporting.page.material import Material

PANELS: dict[str, Callable[[Material, str], Any]] = {
    "noise": noise,
    "quadrants": quadrants,
    "robust": robust,
    "exposed": exposed,
    "groups": groups,
    "crossed": crossed,
    "conflicts": conflicts,
    "suppressed": suppressed,
}
"""Name → function, in the order of the page."""


def fairness_of(material: Material, scenario: str) -> dict[str, Any] | None:
    """The panels of one scenario by name; None where there is none."""
    found = {name: panel(material, scenario) for name, panel in PANELS.items()}
    shown = {name: panel for name, panel in found.items() if panel is not None}
    return shown or None
