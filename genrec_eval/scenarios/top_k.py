"""Top-k recommendation: given what a user did so far, which items come next?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.split_spec import SplitSpec
from genrec_eval.protocol.requests import Kind, RankRequest
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.metrics.base import Metric
    from genrec_eval.protocol.batch import RankBatch
    from genrec_eval.scenarios.top_k_cases import Asked

DEFAULT_METRICS = ("ndcg", "recall", "precision", "mrr", "hit_rate", "coverage", "popularity")

VALIDITY = {
    "invalid": "Lists hold no unknown items",
    "duplicate": "Lists repeat no item",
    "seen": "Lists hold no item the user has already had",
    "short": "Lists have the full length",
}
"""Metric that is always measured → the claim made about it."""

TOLERATED = 0.01
"""Share of flawed slots above which a model breaks a claim of :data:`VALIDITY`."""

_SPELLING = re.compile(
    r"([A-Za-z][\w-]*|[^()@]+:[A-Za-z_][\w.]*)(\([^()]*\))?(@(?P<k>[1-9]\d{0,8}))?", re.ASCII
)
"""A first look that needs no import; :mod:`genrec_eval.metrics.registry` reads it in full."""


class TopKOptions(StrictModel):
    """Options of the top-k scenario."""

    k: PositiveInt = Field(10, le=10_000, description="Length of the lists that are asked for.")
    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({}),
        description="What is training and what is truth.",
    )
    metrics: tuple[str, ...] = Field(
        DEFAULT_METRICS, min_length=1, description="Metrics, as in ndcg@10; without @ they are taken at k."
    )
    min_rating: float | None = Field(None, description="Only ratings from here up count as relevant.")
    groups: tuple[str, ...] = Field(
        (), description="Columns of the user table; every result is also given for each of their values."
    )
    history_limit: PositiveInt | None = Field(
        None, description="Most recent items sent with a request; the whole history by default."
    )
    max_users: PositiveInt | None = Field(
        None, description="Ask only about this many users, drawn at random from the seed."
    )

    @field_validator("metrics")
    @classmethod
    def _spellings(cls, metrics: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        k = info.data.get("k")
        for spelling in metrics:
            match = _SPELLING.fullmatch(spelling.strip())
            if match is None:
                raise PydanticCustomError(
                    "metric_spelling",
                    "metric '{spelling}' is not of the form name(parameter=value)@k",
                    {"spelling": spelling},
                )
            if k is not None and match["k"] is not None and int(match["k"]) > k:
                raise PydanticCustomError(
                    "metric_cutoff",
                    "metric '{spelling}' looks deeper than the lists are long: raise k from {k} to {cutoff} "
                    "or lower the cutoff",
                    {"spelling": spelling, "k": k, "cutoff": int(match["k"])},
                )
        return metrics


class TopK(Scenario):
    """Rank the catalogue for each user of the test period; the truth is what the user did there.

    The case table holds, besides the common columns, ``truth`` and ``history`` as list<int32>: rows
    of the context table ``items`` (``item``, ``train_count``, and ``title`` where the data has one).
    """

    name: ClassVar[str] = "top-k"
    kind: ClassVar[Kind] = "rank"
    needs_data: ClassVar[bool] = True
    title: ClassVar[str] = "Top-k recommendation"
    summary: ClassVar[str] = "Ranks the whole catalogue for each user; the truth is what the user did next."
    Options: ClassVar[type[StrictModel]] = TopKOptions

    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "status", "items")
    _asked: tuple[Prepared, Asked] | None = None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Split the data; one case per user who has truth."""
        if dataset is None:
            raise UsageError("scenario 'top-k' needs data: name a data set of the suite with 'data: NAME'")
        unknown = [name for name in self.options.groups if name not in dataset.user_table.column_names[1:]]
        if unknown:
            known = dataset.user_table.column_names[1:]
            raise UsageError(
                f"scenario 'top-k': the users of data set '{dataset.name}' have no column '{unknown[0]}'"
                f"{did_you_mean(unknown[0], known)} (columns: {', '.join(known) or 'none'});"
                f" take it out of the scenario's groups"
            )
        self.metrics()  # a misspelt metric is refused before anything is played
        from genrec_eval.scenarios.top_k_cases import prepare

        return prepare(dataset, self.options, self.seed)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options, then those of list validity."""
        spelled = [*self.options.metrics, *(f"{name}@{self.options.k}" for name in VALIDITY)]
        bound = [_bind(spelling, self.options.k) for spelling in spelled]
        return list({metric.id: metric for metric in bound}.values())

    def checks(self) -> Sequence[Check]:
        """Claims of list validity, made about every model."""
        return [
            Check(claim=claim, metric=f"{name}@{self.options.k}", rule="at_most", margin=TOLERATED)
            for name, claim in VALIDITY.items()
        ]

    def _what_is_asked(self, prepared: Prepared) -> Asked:
        from genrec_eval.scenarios.top_k_cases import Asked

        if self._asked is None or self._asked[0] is not prepared:
            self._asked = (prepared, Asked.of(prepared, self.options.history_limit))
        return self._asked[1]

    def request(self, prepared: Prepared, case: Case) -> RankRequest:
        """The user's history (the latest ``history_limit`` items) and k."""
        asked = self._what_is_asked(prepared)
        history = tuple(asked.items.strings[code] for code in asked.history[case.row].tolist())
        return RankRequest(user=case.unit, history=history, k=self.options.k)

    def batch(self, prepared: Prepared, rows: np.ndarray) -> RankBatch:
        """The same as :meth:`request`, for many users as arrays."""
        return self._what_is_asked(prepared).batch(rows, self.options.k)

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model; a unit's value is the mean over its repeats.

        A user without any answer has an empty list, whose accuracy is 0; a user who was never asked
        has no value.
        """
        from genrec_eval.scenarios.top_k_score import score

        return score(self.metrics(), self.options.k, cases, context, records)


def _bind(spelling: str, k: int) -> Metric:
    """Read a metric; one that needs a cutoff and names none is taken at ``k``."""
    from genrec_eval.metrics.registry import metric

    try:
        return metric(spelling)
    except UsageError:
        if "@" in spelling:
            raise
        return metric(f"{spelling}@{k}")
