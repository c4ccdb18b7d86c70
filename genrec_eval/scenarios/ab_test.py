"""A/B tests: what an experiment that is over says about its arms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.requests import Kind, Logged, Request
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.metrics.base import Metric

NO_MISMATCH = 0.001
"""p-value of the sample-ratio check below which nothing is concluded (Fabijan et al. 2019)."""


class Guardrail(StrictModel):
    """An outcome that is looked at after every day, and stops an arm as soon as the evidence is there."""

    outcome: str = Field(description="Column of the log.")
    better: Literal["higher", "lower"] = Field("higher", description="Which way is no harm.")
    margin: NonNegativeFloat = Field(
        0.0, description="Harm that is tolerated, in units of the outcome per user."
    )
    per: Literal["user", "exposure"] = Field(
        "user", description="A user's sum over the window, or their mean over its exposures."
    )
    window: PositiveInt = Field(
        1, description="Days of a user that count, from the first on; a user is looked at once they are over."
    )
    level: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence that holds over all looks of this guardrail together."
    )
    start: PositiveFloat = Field(
        20,
        description="Users who carry the spread of the smaller arm (about its events, where they are rare)"
        " before whom nothing is concluded.",
    )
    planned: PositiveInt | None = Field(
        None, description="Users of both arms at whom the boundary is tightest; those of the log by default."
    )


class ABTestOptions(StrictModel):
    """Options of the A/B test."""

    control: str = Field(description="Arm that the others are compared with.")
    metrics: tuple[str, ...] = Field(
        ("mean_outcome", "effect", "lift"),
        min_length=1,
        description="Metrics of experiments, as in effect(outcome=clicks).",
    )
    guardrails: tuple[Guardrail, ...] = Field((), description="Outcomes that stop an arm, one entry each.")
    missing: Literal["zero", "exclude"] = Field(
        "zero", description="Assigned users without any outcome count with 0, or are left out and counted."
    )
    first_days: PositiveInt = Field(
        7, description="Days of a user that count as the first, where effects are split by day."
    )
    groups: tuple[str, ...] = Field(
        (), description="Groups of the log; every effect is also given for each of their values."
    )


class ABTest(Scenario):
    """Compare the arms of an exposure log with its control, user by user as they were assigned.

    Nothing is asked: models are arms (adapter ``logged``). The case table holds a user a row, with the sums
    of each outcome that metrics and guardrails are made of.
    """

    name: ClassVar[str] = "ab-test"
    kind: ClassVar[Kind | Logged] = "log"
    needs_data: ClassVar[bool] = True
    data_of: ClassVar[str] = "exposures"
    paired: ClassVar[bool] = False
    title: ClassVar[str] = "A/B test"
    summary: ClassVar[str] = "Compares the arms of an exposure log: effects, CUPED, sample ratio, guardrails."
    Options: ClassVar[type[StrictModel]] = ABTestOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case",)

    def prepare(self, dataset: Any) -> Prepared:
        """Add up each user's outcomes; one case per user of any arm."""
        if dataset is None:
            raise UsageError(
                "scenario 'ab-test' needs data: name an exposure log of the suite with 'data: NAME'"
            )
        for metric in self.metrics():
            if metric.definition.on != "experiment":
                raise UsageError(
                    f"scenario 'ab-test': metric '{metric.id}' is about {metric.definition.on}, not about an"
                    " experiment"
                )
        from genrec_eval.scenarios.ab_cases import prepare

        return prepare(dataset, self.options, self.metrics())

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options, the sample ratio, and the decision of each guardrail."""
        from genrec_eval.metrics.registry import metric

        spelled = [*self.options.metrics, "sample_ratio", *self._stops()]
        return list({one.id: one for one in map(metric, spelled)}.values())

    def _stops(self) -> list[str]:
        named = dict.fromkeys(guardrail.outcome for guardrail in self.options.guardrails)
        return [f"stopped_for_harm(outcome={name})" for name in named]

    def checks(self) -> Sequence[Check]:
        """The split is as planned, and no guardrail stopped the arm."""
        from genrec_eval.metrics.registry import metric

        ratio = Check(
            claim="The arms have the sizes that were planned",
            metric="sample_ratio",
            rule="at_least",
            margin=NO_MISMATCH,
        )
        stops = [
            Check(claim="No guardrail stops the arm", metric=metric(spelled).id, rule="at_most", margin=0.0)
            for spelled in self._stops()
        ]
        return [ratio, *stops]

    def request(self, prepared: Prepared, case: Case) -> Request:
        """Never called: nothing is asked."""
        raise NotImplementedError("an A/B test asks nothing")

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """The arm that each user was assigned to: what came of it is the outcome."""
        return cases.select(["unit", "arm"])

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one arm against the control."""
        from genrec_eval.scenarios.ab_cases import score

        return score(self.metrics(), self.options, cases, context, records)
