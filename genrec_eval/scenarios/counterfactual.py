"""Counterfactual disclosure: what changes when a model is told an attribute of the same person?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.requests import Kind, Logged, RankRequest
from genrec_eval.scenarios.arms.attributes import Attribute, Name, in_order, or_a_name, set_named
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits
from genrec_eval.scenarios.ranking.base import VALIDITY
from genrec_eval.scenarios.ranking.options import looked_at

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.metrics.base import Metric
    from genrec_eval.protocol.batch import RankBatch
    from genrec_eval.scenarios.arms.asked import Asked

Similarity = Literal["jaccard", "serp", "serp_notebook", "prag", "prag_k_plus_1", "prag_common"]
Reworded = Literal["paraphrase", "order", "language"]

DEFAULT_METRICS = (
    "neutral_noise(arm=*)",
    "neutral_similarity",
    "neutral_similarity(of=jaccard,value=*)",
    "arm_similarity(arm=*)",
    "relative_similarity",
    "snsr",
    "snsv",
    "snsr_excess",
    "quadrant(of=jaccard,outcome=harmful)",
    "quadrant(of=jaccard,outcome=beneficial)",
    "quadrant(of=jaccard,outcome=unjustified)",
    "quadrant(of=jaccard,outcome=stable)",
    "preference_alignment(of=jaccard)",
)

ALWAYS = {name: VALIDITY[name] for name in ("invalid", "duplicate", "seen", "short")}
"""What is always measured of the lists of all ways of asking, and claimed about every model."""


class Robustness(StrictModel):
    """Attributes that are disclosed once more, under a change that should make no difference."""

    typo: tuple[str, ...] = Field((), description="Attributes whose values are also disclosed misspelt.")
    order: tuple[str, ...] = Field(
        (), description="Attributes that are also disclosed in each wording of the arm `order`."
    )
    language: tuple[str, ...] = Field(
        (), description="Attributes that are also disclosed in each wording of the arm `language`."
    )


class CounterfactualOptions(StrictModel):
    """Options of counterfactual disclosure."""

    k: PositiveInt = Field(20, le=10_000, description="Length of the lists that are asked for.")
    attributes: Annotated[
        dict[Name, Attribute], Field(min_length=1), BeforeValidator(set_named), AfterValidator(in_order)
    ] = Field(
        "basic",  # type: ignore[arg-type]  # the validator reads the set of this name
        json_schema_extra=or_a_name,
        description="What is disclosed: name of a shipped set (basic, the default, or fairllm), path of a"
        " file relative to the suite, or attributes by name.",
    )
    wordings: Annotated[dict[Name, Reworded], AfterValidator(in_order)] = Field(
        default_factory=dict,
        description="Other words to ask in, by the name the prompt knows them by: `paraphrase`, `order` (of"
        " words or of the parts of the request) or `language`.",
    )
    robustness: Robustness = Field(
        default_factory=lambda: Robustness.model_validate({}),
        description="Which attributes are also disclosed misspelt or in other wordings.",
    )
    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({}),
        description="What is training and what is truth.",
    )
    metrics: tuple[str, ...] = Field(
        DEFAULT_METRICS,
        min_length=1,
        description="Metrics on arms. Without `attribute`, `of` or @ they are taken for every attribute and"
        " similarity, at k; value=* is every value, arm=* every arm that is asked.",
    )
    similarities: tuple[Similarity, ...] = Field(
        ("jaccard", "serp", "prag"), min_length=1, description="How the likeness of two lists is measured."
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
        return looked_at(metrics, info.data.get("k"))

    @field_validator("robustness")
    @classmethod
    def _known(cls, robustness: Robustness, info: ValidationInfo) -> Robustness:
        attributes, wordings = info.data.get("attributes"), info.data.get("wordings")
        for arm in Robustness.model_fields:
            named = getattr(robustness, arm)
            for name in named:
                if attributes is not None and name not in attributes:
                    raise ValueError(
                        f"{arm}: there is no attribute '{name}'{did_you_mean(name, attributes)}"
                        f" (attributes: {', '.join(attributes)})"
                    )
            if len(set(named)) < len(named):
                raise ValueError(f"{arm}: an attribute is named twice")
            if named and arm != "typo" and wordings is not None and arm not in wordings.values():
                raise ValueError(
                    f"{arm}: no wording is of this arm; name one, as in wordings: {{mine: {arm}}}"
                )
        return robustness

    @model_validator(mode="after")
    def _misspelt(self) -> Self:
        from genrec_eval.scenarios.arms.variants import ways_of

        ways_of(self)  # refuses values that cannot be misspelt
        return self

    def worded(self, arm: str) -> list[str]:
        """Names of the wordings of an arm."""
        return [name for name, of in self.wordings.items() if of == arm]


class Counterfactual(Scenario):
    """Ask about the same people neutrally, in other words, and with each value of each attribute disclosed.

    One case per user and way of asking, with the id ``user#way``: ``u1#neutral``, ``u1#gender.female``,
    ``u1#typo.gender.female``, ``u1#german.gender.female``. The arm of a disclosed value is ``sensitive``
    where it is the user's own or nobody knows, and ``counterfactual`` where it is not.

    Repeats are independent samples: with two or more of them, how much the neutral lists differ among
    themselves is the noise that the rest is held against. A wording changes something only where the model
    reads ``wording``: a prompt that knows it, a service, a function with a parameter of this name.
    """

    name: ClassVar[str] = "counterfactual"
    kind: ClassVar[Kind | Logged] = "rank"
    needs_data: ClassVar[bool] = True
    title: ClassVar[str] = "Counterfactual disclosure"
    summary: ClassVar[str] = (
        "Asks about the same users with and without each value of gender, age, ...: what changes, over noise."
    )
    Options: ClassVar[type[StrictModel]] = CounterfactualOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "status", "items")

    _asked: tuple[Prepared, Asked] | None = None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Split the data, and ask about each user in every way."""
        if dataset is None:
            raise UsageError(
                "scenario 'counterfactual' needs data: name a data set of the suite with 'data: NAME'"
            )
        self.metrics()  # a misspelt metric is refused before anything is played
        from genrec_eval.scenarios.arms.cases import make_cases

        return make_cases(dataset, self.options, self.seed)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options for every attribute and similarity, then those of list validity."""
        from genrec_eval.scenarios.arms.measured import measured

        validity = self._validity()
        return [*measured(self.options, validity), *validity]

    def _validity(self) -> list[Metric]:
        from genrec_eval.scenarios.ranking.base import bind_at

        return [bind_at(name, self.options.k) for name in ALWAYS]

    def checks(self) -> Sequence[Check]:
        """Claims of list validity, made about every model."""
        return [
            Check(claim=claim, metric=f"{name}@{self.options.k}", rule="at_most", margin=tolerated)
            for name, (claim, tolerated) in ALWAYS.items()
        ]

    def _what_is_asked(self, prepared: Prepared) -> Asked:
        from genrec_eval.scenarios.arms.asked import Asked

        if self._asked is None or self._asked[0] is not prepared:
            self._asked = (prepared, Asked.of(prepared, self.options.history_limit))
        return self._asked[1]

    def request(self, prepared: Prepared, case: Case) -> RankRequest:
        """The user's history, what is disclosed, and in which words."""
        return self._what_is_asked(prepared).request(case, self.options.k)

    def batch(self, prepared: Prepared, rows: np.ndarray) -> RankBatch:
        """The same as :meth:`request`, for many cases as arrays."""
        return self._what_is_asked(prepared).batch(rows, self.options.k)

    def asked(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> pa.Table:
        """The case table with the ids of items for their codes, and without numbers of ways."""
        from genrec_eval.scenarios.ranking.records import with_ids

        found = super().asked(cases, context).drop_columns(["way"])
        return with_ids(found, ("truth", "history", "candidates"), context["items"])

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model; a unit is a user with all its lists."""
        from genrec_eval.scenarios.arms.score import score

        validity = self._validity()
        held = {metric.id for metric in validity}
        own = [metric for metric in self.own() if metric.id not in held]
        return score(own, validity, self.options, cases, context, records)
