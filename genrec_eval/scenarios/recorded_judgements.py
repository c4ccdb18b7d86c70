"""Recorded judgements: what a log says of its judges, of the people in it, or of the systems judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.requests import Kind, Logged, Request
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.metrics.base import Metric

READS = {
    "judgement log": "judgements",
    "pairs": "preferences of systems",
    "alpaca pairs": "AlpacaEval's systems",
}
"""What a metric may be about, of :attr:`Definition.on`, in words."""


class RecordedOptions(StrictModel):
    """Options of recorded judgements."""

    by: tuple[Literal["judge", "arm", "system"], ...] = Field(
        ("judge",),
        min_length=1,
        description="Columns of the log that tell its arms apart, whose values are joined by a dot: judges,"
        " ways of asking (arm), or the systems judged. People are arms by their names where judges are.",
    )
    metrics: tuple[str, ...] = Field(
        ("no_verdict", "judge_accuracy", "judge_kappa"),
        min_length=1,
        description="Metrics of judgements, as in judge_accuracy(unparsed=tie); with by: [system] also those"
        " of pairs, as win_rate.",
    )
    groups: tuple[Literal["category", "system", "other"], ...] = Field(
        (), description="Columns of the log; every figure is also given for each of their values."
    )
    dialect: str | None = Field(
        None, description="Shipped dialect by which the recorded texts are read; without one none is."
    )
    text: Literal["raw", "label"] = Field(
        "raw", description="Which column of the log holds what the judge wrote, verdict and all."
    )
    verdicts: Literal["texts", "recorded"] = Field(
        "texts",
        description="Whose verdicts count where there is a text: those that our dialect reads from it, or"
        " those that were recorded.",
    )
    published: bool = Field(
        True, description="Whether figures that came with the data are claims that ours must meet."
    )

    @model_validator(mode="after")
    def _once(self) -> RecordedOptions:
        for key in ("by", "groups"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key} names a column twice")
        return self


class RecordedJudgements(Scenario):
    """Score the judges, people or systems of a log of judgements by what it holds.

    Nothing is asked: models are arms (adapter ``logged``). The case table holds an item and arm a row; what
    was said about it lies in the table ``judgements``, and the texts that were read in ``texts``.
    """

    name: ClassVar[str] = "recorded-judgements"
    kind: ClassVar[Kind | Logged] = "log"
    needs_data: ClassVar[bool] = True
    data_of: ClassVar[str] = "judgements"
    title: ClassVar[str] = "Recorded judgements"
    summary: ClassVar[str] = (
        "Replays a log of judgements: agreement with people, orders, repeats, win rates, published figures."
    )
    Options: ClassVar[type[StrictModel]] = RecordedOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case",)

    def prepare(self, dataset: Any) -> Prepared:
        """Read the texts, once per judgement; one case per item of any arm."""
        if dataset is None:
            raise UsageError(
                "scenario 'recorded-judgements' needs data: name a log of the suite with 'data: NAME'"
            )
        wanted = self.metrics()
        for metric in wanted:
            about = metric.definition.on
            if about not in READS:
                raise UsageError(
                    f"scenario 'recorded-judgements': metric '{metric.id}' is about {about}, not about"
                    f" {', '.join(READS.values())}"
                )
            if about != "judgement log" and "system" not in self.options.by:
                raise UsageError(
                    f"scenario 'recorded-judgements': metric '{metric.id}' is about systems, and arms are"
                    f" told apart by {' and '.join(self.options.by)}; add system to by"
                )
        from genrec_eval.scenarios.recorded.cases import prepare

        return prepare(dataset, self.options, wanted)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options."""
        from genrec_eval.metrics.registry import metric

        return list({one.id: one for one in map(metric, self.options.metrics)}.values())

    def published(self, context: Mapping[str, pa.Table], arms: Mapping[str, str]) -> Sequence[Check]:
        """The figures that came with the data, of metrics that are measured."""
        if not self.options.published or "published" not in context:
            return ()
        measured = {one.id for one in self.metrics()}
        models: dict[str, list[str]] = {}
        for model, arm in arms.items():
            models.setdefault(arm, []).append(model)
        return [
            Check(
                claim=row["claim"],
                metric=row["metric"],
                rule="published",
                margin=row["value"],
                tolerance=row["tolerance"],
                model=model,
                slice=row["slice"],
                gate=True,
            )
            for row in context["published"].to_pylist()
            if row["metric"] in measured
            for model in models.get(row["arm"], ())
        ]

    def request(self, prepared: Prepared, case: Case) -> Request:
        """Never called: nothing is asked."""
        raise NotImplementedError("recorded judgements ask nothing")

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """The items of each prompt, whoever judged them."""
        return cases.select(["unit", "key"])

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one arm."""
        from genrec_eval.scenarios.recorded.scores import score

        return score(self.metrics(), cases, context, records)
