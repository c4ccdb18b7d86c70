"""Which groups, or which disclosed values, make a figure: the clause that ends the reason of a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from genrec_eval.metrics.base import Metric
from genrec_eval.scenarios.ranking.groups import named_groups

if TYPE_CHECKING:
    from genrec_eval.audit.run_tables import RunTables
    from genrec_eval.protocol.results import Estimate
    from genrec_eval.scenarios.base import Scenario


@dataclass(slots=True)
class Telling:
    """Looked up in the scores when a verdict is given.

    Attributes
    ----------
    metrics
        (scenario, metric id) → metric, of all that are measured and tell something.
    """

    run: RunTables
    scores: Path
    scenarios: Mapping[str, Scenario]
    metrics: Mapping[tuple[str, str], Metric]
    _names: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run: RunTables,
        scores: Path,
        scenarios: Mapping[str, Scenario],
        measured: Mapping[tuple[str, str], Metric],
    ) -> Telling:
        """Of all that is measured."""
        told = {key: one for key, one in measured.items() if one.definition.tells is not None}
        return cls(run, scores, scenarios, told)

    def __call__(self, estimate: Estimate) -> str:
        """A clause; empty where nothing is known of it."""
        from genrec_eval.audit.score import StoredScores

        metric = self.metrics.get((estimate.scenario, estimate.metric))
        plain = estimate.slice == "all" and estimate.baseline is None and estimate.value is not None
        if metric is None or metric.definition.tells is None or not plain:
            return ""
        with StoredScores(self.scores) as stored:
            read = stored.get(estimate.model, estimate.scenario, estimate.metric)
        if read is None or read[1].sums is None:
            return ""
        names = self._named(estimate.scenario, metric)
        return metric.definition.tells(read[1].sums[read[1].scored], names, metric.parameters)

    def _named(self, scenario: str, metric: Metric) -> Sequence[str]:
        key = scenario, metric.id
        if key not in self._names:
            self._names[key] = names_of(metric, self.run, scenario, self.scenarios[scenario])
        return self._names[key]


def names_of(metric: Metric, run: RunTables, name: str, scenario: Scenario) -> Sequence[str]:
    """What a metric sums apart, in the order of its sums: disclosed values, groups of items or of users.

    Parameters
    ----------
    name
        Of the scenario in the run.
    """
    parameters = metric.parameters
    if "attribute" in parameters:
        values: Sequence[str] = scenario.options.attributes[str(parameters["attribute"])].values
        return values
    by = str(parameters["by"])
    if "largest" in parameters:
        from genrec_eval.metrics.item_groups import item_groups
        from genrec_eval.scenarios.ranking.catalogue import catalogue_of

        groups = item_groups(catalogue_of(run.context(name)["items"]), by, metric.id)
        return groups.present(int(parameters["largest"]), metric.id, by).names
    return named_groups(run.cases(name).column(f"group.{by}")).names
