"""Rating prediction: how many stars will a user give to items that the user rated later?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.requests import Kind, RateRequest
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.metrics.base import Metric
    from genrec_eval.protocol.batch import RateBatch
    from genrec_eval.scenarios.rating_cases import Asked

DEFAULT_METRICS = ("rmse", "mae", "rmse(average=macro)", "mae(average=macro)")
TOLERATED = 0.05
"""Share of ratings that may stay without a prediction."""


class RatingOptions(StrictModel):
    """Options of the rating scenario."""

    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({}),
        description="What is training and what is to be predicted.",
    )
    metrics: tuple[str, ...] = Field(DEFAULT_METRICS, min_length=1, description="Metrics of ratings.")
    groups: tuple[str, ...] = Field(
        (), description="Columns of the user table; every result is also given for each of their values."
    )
    history_limit: PositiveInt | None = Field(
        None, description="Most recent items sent with a request; the whole history by default."
    )
    max_users: PositiveInt | None = Field(
        None, description="Ask only about this many users, drawn at random from the seed."
    )


class Rating(Scenario):
    """Predict the ratings that each user gave in the test part.

    The case table holds ``targets`` (list<int32>, rows of the context table ``items``), ``ratings``
    (list<double>, the truth) and ``history``.
    """

    name: ClassVar[str] = "rating"
    kind: ClassVar[Kind] = "rate"
    needs_data: ClassVar[bool] = True
    title: ClassVar[str] = "Rating prediction"
    summary: ClassVar[str] = "Predicts the ratings that users gave to items in the test part."
    Options: ClassVar[type[StrictModel]] = RatingOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "status", "ratings")

    _asked: tuple[Prepared, Asked] | None = None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Split the ratings; one case per user who rated something in the test part."""
        if dataset is None:
            raise UsageError("scenario 'rating' needs data: name a data set of the suite with 'data: NAME'")
        self.metrics()  # a misspelt metric is refused before anything is played
        from genrec_eval.scenarios.rating_cases import prepare

        return prepare(dataset, self.options, self.seed)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options, then the share of missing predictions."""
        from genrec_eval.metrics.registry import metric
        from genrec_eval.scenarios.elsewhere import with_bases

        return with_bases(self.name, map(metric, (*self.options.metrics, "missing_ratings")), ("ratings",))

    def checks(self) -> Sequence[Check]:
        """Every rating that is asked for gets a prediction."""
        return [
            Check(
                claim="Every item gets a predicted rating",
                metric="missing_ratings",
                rule="at_most",
                margin=TOLERATED,
            )
        ]

    def _what_is_asked(self, prepared: Prepared) -> Asked:
        from genrec_eval.scenarios.rating_cases import Asked

        if self._asked is None or self._asked[0] is not prepared:
            self._asked = (prepared, Asked.of(prepared, self.options.history_limit))
        return self._asked[1]

    def request(self, prepared: Prepared, case: Case) -> RateRequest:
        """The items to rate and the user's history."""
        asked = self._what_is_asked(prepared)
        return RateRequest(
            user=case.unit,
            items=asked.named(asked.targets, case.row),
            history=asked.named(asked.history, case.row),
        )

    def batch(self, prepared: Prepared, rows: np.ndarray) -> RateBatch:
        """The same as :meth:`request`, for many users as arrays."""
        return self._what_is_asked(prepared).batch(rows)

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """The case table with the ids of items for their codes."""
        from genrec_eval.scenarios.ranking.records import with_ids

        return with_ids(super().asked(cases, context), ("targets", "history"), context["items"])

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model; predictions of several repeats are averaged before they are scored."""
        from genrec_eval.scenarios.rating_cases import score

        return score(self.own(), cases, context, records)
