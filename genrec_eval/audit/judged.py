"""Judgements to scores of a run: policies applied to what lies in ``judgements.parquet``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.metrics.base import Bool, UnitScores
from genrec_eval.protocol.arrays import Float64

if TYPE_CHECKING:
    from genrec_eval.audit.run_tables import RunTables
    from genrec_eval.scenarios.base import Scenario, ScoredUnits

LENGTH = "length"
"""The covariate that the judgements hold themselves."""


@dataclass(slots=True)
class Covariates:
    """Scores of scenarios that win rates are controlled for, by (scenario, model, metric)."""

    held: dict[tuple[str, str, str], tuple[pa.Array, UnitScores]] = field(default_factory=dict)

    def keep(self, scenario: Scenario, name: str, model: str, scored: ScoredUnits) -> None:
        """Keep what the questions of a scenario are controlled for."""
        for question in scenario.questions:
            for metric in question.judging.control:
                if metric in scored.scores:
                    self.held[name, model, metric] = (scored.units, scored.scores[metric])

    def differences(
        self, name: str, models: Sequence[str], other: str, control: Sequence[str], units: pa.Array
    ) -> dict[str, dict[str, tuple[Float64, Bool]]]:
        """Model → covariate → its value minus that of the other model, and where both are known."""
        found: dict[str, dict[str, tuple[Float64, Bool]]] = {}
        for model in models:
            for metric in control:
                if metric == LENGTH:
                    continue
                own, known = self._placed(name, model, metric, units)
                base, there = self._placed(name, other, metric, units)
                found.setdefault(model, {})[metric] = (own - base, known & there)
        return found

    def _placed(self, name: str, model: str, metric: str, units: pa.Array) -> tuple[Float64, Bool]:
        held = self.held.get((name, model, metric))
        if held is None:
            return np.zeros(len(units)), np.zeros(len(units), bool)
        ids, scores = held
        rows = pc.index_in(ids.cast(pa.string()), value_set=units).to_numpy(zero_copy_only=False)
        placed = scores.place(rows.astype(np.int64), len(units), "absent")
        return placed.values, placed.scored


def judged_scores(
    run: RunTables, name: str, scenario: Scenario, covariates: Covariates
) -> Iterator[tuple[str, pa.Array, Mapping[str, UnitScores], tuple[str, ...]]]:
    """Model, unit ids, scores by metric and remarks, for each question and model of a scenario."""
    from genrec_eval.audit.annotations import annotated_scores
    from genrec_eval.judging.annotation.stored import AnnotatedQuestion
    from genrec_eval.judging.resolve import COLUMNS, resolve
    from genrec_eval.protocol.tables import JUDGEMENTS

    asked = any(not isinstance(question, AnnotatedQuestion) for question in scenario.questions)
    judgements = run.judgements(name, COLUMNS) if asked else JUDGEMENTS.empty_table()
    units = pc.unique(run.cases(name).column("unit").combine_chunks()).cast(pa.string())
    models = [model for model, of in run.played() if of == name]
    for question in scenario.questions:
        judging, extra = question.judging, None
        if judging.against is not None:
            extra = covariates.differences(name, models, judging.against, judging.control, units)
        if isinstance(question, AnnotatedQuestion):
            solved = annotated_scores(run, name, scenario, question, judgements, units, models)
        else:
            solved = resolve(judgements, question, units, models, extra)
        for model, found in solved.items():
            yield model, units, found.scores, found.remarks
