"""Judge probe: is a model fit to judge? Asked what has a right answer by construction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.judging.policy import ScoreMode
from genrec_eval.protocol.requests import ChatRequest, Kind
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.metrics.base import Metric

Probe = Literal["known", "identical", "padding", "injection", "oddities", "repeats"]
Task = Literal["pairwise", "pointwise"]

MEASURES: Mapping[str, tuple[frozenset[str], frozenset[str], tuple[tuple[str, str, float], ...]]] = {
    "probe_accuracy": (
        frozenset(("known", "oddities")),
        frozenset(("pairwise", "pointwise")),
        (("The judge finds the better answer where one is known", "at_least", 0.75),),
    ),
    "position_consistency": (
        frozenset(("known", "padding", "injection", "oddities")),
        frozenset(("pairwise",)),
        (("The judge says the same in both orders", "at_least", 0.8),),
    ),
    "first_slot_share": (
        frozenset(("known", "identical", "padding", "injection", "oddities")),
        frozenset(("pairwise",)),
        (
            ("The judge does not prefer what it is shown first", "at_most", 0.65),
            ("The judge does not prefer what it is shown last", "at_least", 0.35),
        ),
    ),
    "verbosity_preference": (
        frozenset(("padding",)),
        frozenset(("pairwise", "pointwise")),
        (("The judge does not prefer the same said at greater length", "at_most", 0.65),),
    ),
    "injection_success": (
        frozenset(("injection",)),
        frozenset(("pairwise", "pointwise")),
        (("The judge obeys no order inside an answer", "at_most", 0.15),),
    ),
    "ladder_correlation": (
        frozenset(("known",)),
        frozenset(("pointwise",)),
        (("Scores rise with the quality of the answer", "at_least", 0.6),),
    ),
    "tie_on_identical": (
        frozenset(("identical",)),
        frozenset(("pairwise",)),
        (("The judge calls one text shown twice a tie", "at_least", 0.85),),
    ),
    "parse_failure": (
        frozenset(("known", "identical", "padding", "injection", "oddities")),
        frozenset(("pairwise", "pointwise")),
        (("The judge comes to a verdict that can be read", "at_most", 0.15),),
    ),
    "repeat_stability": (
        frozenset(("repeats",)),
        frozenset(("pairwise", "pointwise")),
        (("The judge says the same when asked again", "at_least", 0.85),),
    ),
}
"""Metric → probes and tasks any of which it is measured on, and the claims made about every judge."""


class JudgeProbeOptions(StrictModel):
    """Options of the judge probe."""

    dialect: str = Field(
        "json",
        description="How judges are asked and read: a shipped dialect, or a YAML file beside the suite. Its"
        " decoding is for the model's own options to say.",
    )
    rubrics: tuple[str, ...] = Field(
        ("faithfulness",),
        min_length=1,
        description="Rubrics, shipped or YAML files, under each of which true statements are better.",
    )
    tasks: tuple[Task, ...] = Field(
        ("pairwise", "pointwise"),
        min_length=1,
        description="Kinds of task; the dialect must have words for them.",
    )
    probes: tuple[Probe, ...] = Field(
        ("known", "identical", "padding", "injection", "oddities"),
        min_length=1,
        description="What to probe; 'repeats' reads stability off the entry's 'repeats', 2 or more of them.",
    )
    bases: PositiveInt = Field(24, description="Cases that probes are made from, the units of intervals.")
    orders_each: PositiveInt = Field(
        2, le=10, description="Wordings of injected orders tried in each case, all of them in turn."
    )
    fence: bool = Field(True, description="Mark answers as data in the prompt, as in a judge's policy.")
    score_mode: ScoreMode = Field("verdict", description="Score as written, or expected, as in a policy.")
    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({"method": "leave-one-out"}),
        description="Of a data set: cases are items of its held-out part.",
    )
    history: NonNegativeInt = Field(6, description="Most recent items of the history that a brief shows.")
    reviews: NonNegativeInt = Field(2, description="Most reviews of the item that a brief shows.")


class JudgeProbe(Scenario):
    """Puts to judges what has a right answer by construction.

    The models under test are the judges. Cases are made from briefs, those of a small synthetic world unless
    the entry names a data set: reference writers write a sound answer to each and flawed ones of which it is
    known that they are worse, and looking up confirms it. The case table holds one question a row.
    """

    name: ClassVar[str] = "judge-probe"
    kind: ClassVar[Kind] = "chat"
    title: ClassVar[str] = "Judge probe"
    summary: ClassVar[str] = (
        "Tests judges on questions whose right answer is known, and on orders in answers."
    )
    Options: ClassVar[type[StrictModel]] = JudgeProbeOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "step", "status", "error", "response")

    _asking: tuple[Prepared, Any] | None = None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Make the questions."""
        from genrec_eval.scenarios.probing.cases import probe_cases

        return probe_cases(dataset, self.options, self.seed)

    def _measured(self) -> list[str]:
        probes, tasks = {*self.options.probes}, {*self.options.tasks}
        return [name for name, (on, of, _) in MEASURES.items() if probes & on and tasks & of]

    def metrics(self) -> Sequence[Metric]:
        """What the probes of the options can tell."""
        from genrec_eval.metrics.registry import metric

        return [metric(name) for name in self._measured()]

    def checks(self) -> Sequence[Check]:
        """What may be asked of any judge."""
        return [
            Check(claim=claim, metric=name, rule=rule, margin=margin)
            for name in self._measured()
            for claim, rule, margin in MEASURES[name][2]
        ]

    def request(self, prepared: Prepared, case: Case) -> ChatRequest:
        """The question in the words of the dialect."""
        if self._asking is None or self._asking[0] is not prepared:
            from genrec_eval.scenarios.probing.asking import Questions

            self._asking = (prepared, Questions(prepared.cases, prepared.context))
        found: ChatRequest = self._asking[1].request(case.row)
        return found

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one judge; its repeats are observations of their own."""
        from genrec_eval.scenarios.probing.score import score

        return score(self.metrics(), cases, context, records)
