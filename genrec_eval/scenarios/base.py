"""The Scenario contract: what to ask, how to play it, how to score the records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.core.registry import Registry
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.requests import Kind, Logged, Request
from genrec_eval.protocol.responses import Answer

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset, Interactions, Training
    from genrec_eval.judging.question import Question
    from genrec_eval.judging.types import Exhibit
    from genrec_eval.metrics.base import Metric, UnitScores
    from genrec_eval.protocol.batch import RankBatch, RateBatch
    from genrec_eval.scenarios.evidence import Evidence

SCENARIOS = Registry(
    "scenario",
    {
        "top-k": "genrec_eval.scenarios.top_k:TopK",
        "next-item": "genrec_eval.scenarios.next_item:NextItem",
        "rating": "genrec_eval.scenarios.rating:Rating",
        "rerank": "genrec_eval.scenarios.rerank:Rerank",
        "cold-start": "genrec_eval.scenarios.cold_start:ColdStart",
        "cross-domain": "genrec_eval.scenarios.cross_domain:CrossDomain",
        "preference-shift": "genrec_eval.scenarios.preference_shift:PreferenceShift",
        "bundle": "genrec_eval.scenarios.bundle:Bundle",
        "page": "genrec_eval.scenarios.page:Page",
        "ab-test": "genrec_eval.scenarios.ab_test:ABTest",
        "generative-retrieval": "genrec_eval.scenarios.generative_retrieval:GenerativeRetrieval",
        "explanation": "genrec_eval.scenarios.explanation:Explanation",
        "recorded-judgements": "genrec_eval.scenarios.recorded_judgements:RecordedJudgements",
        "review-summary": "genrec_eval.scenarios.summary:ReviewSummary",
        "judge-probe": "genrec_eval.scenarios.judge_probe:JudgeProbe",
        "counterfactual": "genrec_eval.scenarios.counterfactual:Counterfactual",
    },
    group="genrec_eval.scenarios",
)

Ask = Callable[[Request], Awaitable[Answer]]
"""Put one request to the model under test; the engine numbers the steps of a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to ask."""

    id: str
    unit: str
    arm: str = "neutral"
    row: int
    """Row in the scenario's case table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A claim that a scenario makes on its own account, about every model unless it names one."""

    claim: str
    metric: str
    rule: str
    """``"at_least"``, ``"at_most"`` or ``"published"``."""
    margin: float
    """For ``"published"``: the published figure."""
    tolerance: float | None = None
    """For ``"published"``: the greatest difference."""
    model: str | None = None
    slice: str = "all"
    gate: bool = False
    """Whether it decides the exit code, as a claim of the suite does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A scenario that is ready to be played.

    Attributes
    ----------
    cases
        pyarrow table, one row per case: ``case``, ``unit``, ``arm``, a string column
        ``group.<name>`` per group, and whatever the scenario needs to score (``truth``, ...).
    context
        Named pyarrow tables that scoring needs beside the cases (``items``, ...).
    training
        What models may learn from; None when the scenario has no data.
    future
        The held-out interactions, handed to models with a planted leak and to no other.
    facts
        Counts worth showing: protocol, split, leakage, excluded users by reason.
    """

    cases: pa.Table
    context: Mapping[str, pa.Table] = field(default_factory=dict)
    training: Training | None = None
    future: Interactions | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredUnits:
    """Scores of one model in one scenario.

    Attributes
    ----------
    units
        pyarrow string array, n unit ids, in the order of the case table.
    scores
        Metric id → scores of the n units.
    groups
        Group name → pyarrow string array[n]; null where unknown.
    attempted, answered
        bool[n] each.
    remark
        A sentence on what is plainly amiss with the answers as a whole; None when nothing is.
    """

    units: pa.Array
    scores: Mapping[str, UnitScores]
    groups: Mapping[str, pa.Array]
    attempted: np.ndarray
    answered: np.ndarray
    remark: str | None = None


class Scenario(ABC):
    """A family of cases with its way of playing and scoring them.

    Subclasses are built from their validated options; nothing heavy is imported before
    :meth:`prepare`.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind | Logged]
    """Kind of request that a model must answer to take part; ``"log"`` where nothing is asked, because the
    data hold what happened under each model, and models are arms of it."""
    needs_data: ClassVar[bool] = False
    """Whether an entry of a suite must name a data set; checked before anything is run."""
    data_of: ClassVar[str] = "interactions"
    """What its data sets must hold: ``holds`` of a dataset's spec."""
    writes: ClassVar[bool] = False
    """Whether answers are texts that a judge can be shown: see :meth:`exhibits`."""
    paired: ClassVar[bool] = True
    """Whether models can be compared unit by unit; False where each has units of its own."""
    title: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[StrictModel]]
    reads: ClassVar[tuple[str, ...] | None] = None
    """Columns of the records that :meth:`score` reads; all of them when None."""

    def __init__(self, options: Any, seed: int) -> None:
        self.options = options
        self.seed = seed
        self.datasets: dict[str, Dataset] = {}
        """The data sets of :meth:`others` by name; filled before :meth:`prepare`."""
        self.questions: tuple[Question, ...] = ()
        """What judges are asked about the answers; set by who builds the scenario from a suite or a run."""

    def others(self) -> tuple[str, ...]:
        """Names of further data sets of the suite that the scenario needs."""
        return ()

    @abstractmethod
    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Make the cases; called once per run."""

    @abstractmethod
    def metrics(self) -> Sequence[Metric]:
        """The metrics of this scenario, in the order of the report.

        Those on ``"answers"`` and ``"units"`` may be among them, with what the latter are made of; they are
        scored beside every scenario, and :meth:`score` computes the others, which :meth:`own` gives.
        """

    def own(self) -> list[Metric]:
        """Those of :meth:`metrics` that :meth:`score` computes."""
        from genrec_eval.scenarios.elsewhere import ELSEWHERE

        return [metric for metric in self.metrics() if metric.definition.on not in ELSEWHERE]

    def measured(self) -> list[Metric]:
        """The metrics of this scenario, and what its judges' verdicts come to.

        Raises
        ------
        UsageError
            When one of them compares groups by a metric that is not measured here.
        """
        from genrec_eval.scenarios.elsewhere import refuse_unmeasured

        judged = (metric for question in self.questions for metric in question.metrics())
        found = [*self.metrics(), *judged]
        refuse_unmeasured(self.name, self.kind, found)
        return found

    def checks(self) -> Sequence[Check]:
        """Built-in claims about every model."""
        return ()

    def published(self, context: Mapping[str, pa.Table], arms: Mapping[str, str]) -> Sequence[Check]:
        """Claims that the data bring with them, of scenarios of kind ``log``: figures published about them.

        Parameters
        ----------
        context
            The tables of :class:`Prepared`.
        arms
            Model → name of its arm in the log.
        """
        return ()

    def calls_per_case(self) -> tuple[int, int]:
        """Least and most requests that :meth:`play` sends for one case, once; where answers come."""
        return 1, 1

    def aside(self) -> frozenset[int]:
        """Steps of a case that ask in another way, whose fate is no part of how often it is answered."""
        return frozenset()

    @abstractmethod
    def request(self, prepared: Prepared, case: Case) -> Request:
        """The first request of a case."""

    async def play(self, prepared: Prepared, case: Case, ask: Ask) -> None:
        """Ask what there is to ask; one question unless overridden."""
        await ask(self.request(prepared, case))

    def batch(self, prepared: Prepared, rows: np.ndarray) -> RankBatch | RateBatch:
        """The requests of many cases at once; for scenarios of kind ``rank`` and ``rate``."""
        raise NotImplementedError(f"scenario '{self.name}' has no columnar form")

    def exhibits(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> Iterable[Exhibit]:
        """What judges may see of one model's answers, one exhibit per case, repeat and step to be judged.

        From the stored tables alone, in the order of the cases; cases without a record, and records without
        a text, have an exhibit whose answer is None.
        """
        raise NotImplementedError(f"scenario '{self.name}' has no texts to judge")

    def evidence(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> Iterable[Evidence]:
        """Texts of one model beside what they were checked against, for reports; none by default.

        ``cases`` may be a few rows of the case table; ``records`` are those of these cases.
        """
        return ()

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """What each case asked and is held against, so that cases of two runs can be told to be the same.

        One row per case: ``unit`` and whatever must be equal, with ids where the case table has codes, since
        codes shift with every item that a catalogue gains. Groups are no part of it.
        """
        return cases.select([name for name in cases.column_names if not name.startswith("group.")])

    @abstractmethod
    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model from the stored tables alone: pure, no network, no model.

        ``records`` come in any order and are joined to the cases by id. Cases without a record
        count as not attempted.
        """
