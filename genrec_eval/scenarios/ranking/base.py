"""Scenarios of ranked lists: split, ask, score; subclasses say which cases and under which conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.requests import Kind, RankRequest
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.metrics.base import Metric
    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.protocol.batch import RankBatch
    from genrec_eval.scenarios.ranking.asked import Asked
    from genrec_eval.scenarios.ranking.conditions import Condition
    from genrec_eval.scenarios.ranking.score import Part

VALIDITY = {
    "invalid": ("Lists hold no unknown items", 0.01),
    "duplicate": ("Lists repeat no item", 0.01),
    "seen": ("Lists hold no item the user has already had", 0.01),
    "short": ("Lists have the full length", 0.01),
    "tied": ("Scores tell the listed items apart", 0.5),
    "misordered": ("Scores fall along the list", 0.01),
    # less than one of ten slots, and more than what reads texts gives to a new item or two that it likes by
    # chance: 5 % in one of 20 worlds of 200 or 300 items, 9 % at most
    "future": ("Lists hold hardly more items of the future than by chance", 0.09),
    "peeking": ("Lists do not follow what is popular in the test", 0.5),
}
"""Metric that is always measured → the claim made about every model, and the share that is tolerated."""

OFFERED = {"outside": ("Lists hold no item that was not offered", 0.01)}
"""What is measured and claimed besides where every case has candidates of its own."""

OF_THE_KNOWN = ("tied", "future", "peeking")
"""Those of :data:`VALIDITY` that say nothing where training does not know the items: there, knowing the new
ones is the task, and a model that cannot has nothing to tell them apart by."""

DEEPEST = {"peeking": 10}
"""Metric that is always measured → its greatest cutoff: it compares all pairs of slots."""


class RankingScenario(Scenario):
    """Ask for a ranked list per case of a split.

    The case table holds, besides the common columns, ``truth`` and ``history`` as list<int32>, and where the
    split offers them ``grades``, ``rejected``, ``candidates`` and ``cut``: codes are rows of the context
    table ``items`` (see :func:`genrec_eval.scenarios.ranking.catalogue.item_table`).
    """

    kind: ClassVar[Kind] = "rank"
    needs_data: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = RankingOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "status", "items", "item_scores")
    validity: ClassVar[Mapping[str, tuple[str, float]]] = VALIDITY
    """What is always measured and claimed about every model."""

    anonymous: ClassVar[bool] = False
    """Whether requests are about people that training does not know under any name: user ids are case ids."""

    _asked: tuple[Prepared, Asked] | None = None

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """The cases, further columns of the case table, and further facts."""
        return self.options.split.apply(dataset, self.options.min_rating, self.seed), {}, {}

    def candidates(self, split: Split) -> Int32 | None:
        """What every case chooses from; the split's own candidates, or the whole catalogue, when None."""
        return None

    def condition(self) -> Condition | None:
        """What sets cases apart that are asked of the same unit; None when all are alike."""
        return None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Split the data and make the cases."""
        if dataset is None:
            raise UsageError(
                f"scenario '{self.name}' needs data: name a data set of the suite with 'data: NAME'"
            )
        metrics = self._measured()  # a misspelt metric is refused before anything is played
        from genrec_eval.scenarios.ranking.cases import make_cases

        split, columns, facts = self.cases(dataset)
        return make_cases(
            self.name,
            split.dataset,
            split,
            self.options,
            self.seed,
            metrics=metrics,
            columns=columns,
            facts=facts,
            candidates=self.candidates(split),
        )

    def _measured(self) -> list[Metric]:
        """The metrics of lists: those of the options, then those of list validity."""
        own, always = self._own_and_always()
        return [*own, *always]

    def _own_and_always(self) -> tuple[list[Metric], list[Metric]]:
        """The metrics of lists that the options add, each once, and those of list validity."""
        from genrec_eval.scenarios.elsewhere import ELSEWHERE

        named, always = self._named()
        return [metric for metric in named if metric.definition.on not in ELSEWHERE], always

    def _named(self) -> tuple[list[Metric], list[Metric]]:
        """The metrics that the options add, each once, and those of list validity.

        What a figure of groups compares is measured itself too: its values by group say which they are.
        """
        from genrec_eval.scenarios.elsewhere import with_bases

        always = [self._bind(self._always(name)) for name in self.validity]
        named = with_bases(self.name, map(self._bind, self.options.metrics), ("lists",), always)
        return named, list({metric.id: metric for metric in always}.values())

    def _always(self, name: str) -> str:
        """A metric of list validity with its cutoff."""
        return f"{name}@{min(self.options.k, DEEPEST.get(name, self.options.k))}"

    def _bind(self, spelling: str) -> Metric:
        return bind_at(spelling, self.options.k)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options, under each condition, then those of list validity."""
        from genrec_eval.scenarios.ranking.conditions import under

        condition, (named, always) = self.condition(), self._named()
        if condition is None:
            return [*named, *always]
        found = []
        for metric in named:
            apart = condition.values if self._apart(metric) else ()
            found += [under(metric, condition, value) for value in apart] or [metric]
        return [*found, *always]

    def _apart(self, metric: Metric) -> bool:
        """Whether a metric is given under each condition: neither list validity is, nor how answers end."""
        from genrec_eval.metrics.grouped.by_group import base_of
        from genrec_eval.scenarios.elsewhere import ELSEWHERE

        if metric.definition.on == "units":
            base = base_of(metric)
            return base is not None and base.id in {one.id for one in self._own_and_always()[0]}
        return metric.definition.on not in ELSEWHERE

    def checks(self) -> Sequence[Check]:
        """Claims of list validity, made about every model."""
        return [
            Check(claim=claim, metric=self._always(name), rule="at_most", margin=tolerated)
            for name, (claim, tolerated) in self.validity.items()
        ]

    def _what_is_asked(self, prepared: Prepared) -> Asked:
        from genrec_eval.scenarios.ranking.asked import Asked

        if self._asked is None or self._asked[0] is not prepared:
            self._asked = (prepared, Asked.of(prepared, self.options.history_limit, self.anonymous))
        return self._asked[1]

    def width(self, prepared: Prepared) -> int:
        """Length of the lists that are asked for."""
        k: int = self.options.k
        return k

    def request(self, prepared: Prepared, case: Case) -> RankRequest:
        """The user's history (the latest ``history_limit`` items), the candidates and k."""
        asked = self._what_is_asked(prepared)
        return RankRequest(
            user=case.id if self.anonymous else case.unit,
            history=asked.named(asked.history, case.row),
            k=self.width(prepared),
            candidates=asked.candidates_of(case.row),
        )

    def batch(self, prepared: Prepared, rows: np.ndarray) -> RankBatch:
        """The same as :meth:`request`, for many cases as arrays."""
        return self._what_is_asked(prepared).batch(rows, self.width(prepared))

    def parts(self, cases: pa.Table) -> list[Part]:
        """Which metrics are taken over which cases."""
        from genrec_eval.scenarios.ranking.conditions import under
        from genrec_eval.scenarios.ranking.score import Part

        condition, (own, always) = self.condition(), self._own_and_always()
        if condition is None:
            return [Part([*own, *always], {metric.id: metric.id for metric in [*own, *always]})]
        column = cases.column(condition.column).to_numpy(zero_copy_only=False)
        parts = [Part(always, {metric.id: metric.id for metric in always})]
        for value in condition.values:
            names = {under(metric, condition, value).id: metric.id for metric in own}
            parts.append(Part(own, names, column == value))
        return parts

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model; a unit's value is the mean over its repeats and cases.

        A user without any answer has an empty list, whose accuracy is 0; a user who was never asked
        has no value.
        """
        from genrec_eval.scenarios.ranking.score import score

        return score(self.parts(cases), self.read_depth(context), cases, context, records)

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """The case table with the ids of items for their codes."""
        from genrec_eval.scenarios.ranking.records import with_ids

        found = super().asked(cases, context)
        return with_ids(found, ("truth", "history", "rejected", "candidates"), context["items"])

    def read_depth(self, context: Mapping[str, pa.Table]) -> int:
        """How many items of a list are read."""
        k: int = self.options.k
        return k


def bind_at(spelling: str, k: int) -> Metric:
    """Read a metric; one that needs a cutoff and names none is taken at ``k``."""
    from genrec_eval.metrics.registry import metric

    try:
        return metric(spelling)
    except UsageError:
        if "@" in spelling:
            raise
        return metric(f"{spelling}@{k}")
