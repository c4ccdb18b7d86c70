"""Metrics that are scored beside every scenario: of how its exchanges ended, and of groups of its units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from genrec_eval.audit.answers import COLUMNS, answers_of
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.grouped.by_group import GroupedUnits, base_of, score_units
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.scenarios.ranking.groups import named_groups
from genrec_eval.scenarios.ranking.units import Units

if TYPE_CHECKING:
    from genrec_eval.audit.run_tables import RunTables
    from genrec_eval.scenarios.base import Scenario

RECORDED = "replay"
"""Adapter whose answers were recorded elsewhere."""


class Derived:
    """What is scored beside one scenario of a run.

    Parameters
    ----------
    scenario
        Named ``name`` in the run.
    cases
        Its case table.
    """

    def __init__(self, run: RunTables, name: str, scenario: Scenario, cases: pa.Table) -> None:
        self.run, self.name, self.cases = run, name, cases
        self.aside = scenario.aside()
        metrics = scenario.metrics()
        self.on_answers = [metric for metric in metrics if metric.definition.on == "answers"]
        bases = [(metric, base_of(metric)) for metric in metrics if metric.definition.on == "units"]
        self.on_units = [(metric, base.id) for metric, base in bases if base is not None]
        self._groups: dict[str, GroupCodes] | None = None

    def scores(self, model: str, scored: Mapping[str, UnitScores]) -> dict[str, UnitScores]:
        """Scores of the units, in the order of the case table, beside those that the scenario gave."""
        found: dict[str, UnitScores] = {}
        if self.on_answers:
            declared = (self.run.run["suite"].get("models") or {}).get(model) or {}
            answers = answers_of(
                self.cases,
                self.run.records(model, self.name, (*COLUMNS, "step") if self.aside else COLUMNS),
                declared.get("adapter") != RECORDED,
                self.aside,
            )
            found = {metric.id: metric(answers) for metric in self.on_answers}
        return found | self.of_groups({**scored, **found})

    def of_groups(self, scored: Mapping[str, UnitScores]) -> dict[str, UnitScores]:
        """Those of the groups of units whose base is in ``scored``."""
        return {
            metric.id: score_units(metric, GroupedUnits(scored[base], self.groups))
            for metric, base in self.on_units
            if base in scored
        }

    @property
    def groups(self) -> Mapping[str, GroupCodes]:
        """The groups that are asked for, of each unit."""
        if self._groups is None:
            named = {str(metric.parameters["by"]) for metric, _ in self.on_units}
            held = Units.of(self.cases).groups(self.cases)
            self._groups = {name: named_groups(held[name]) for name in sorted(named & held.keys())}
        return self._groups
