"""Explanation: why this item for this user? Written from a brief, checked against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.brief import Brief
from genrec_eval.protocol.requests import ChatRequest, Kind
from genrec_eval.protocol.responses import ChatResponse
from genrec_eval.scenarios.arms.attributes import Attribute, Attributes, or_a_name
from genrec_eval.scenarios.base import Case, Check, Prepared, Scenario, ScoredUnits

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.judging.types import Exhibit
    from genrec_eval.metrics.base import Metric
    from genrec_eval.scenarios.evidence import Evidence

Variant = Literal["paraphrase", "without_cited"]

DEFAULT_METRICS = (
    "length",
    "usr",
    "opening_share",
    "fcr",
    "div",
    "no_feature",
    "supported",
    "claims",
    "fact_recall",
    "swap_margin",
    "counterfactual",
    "paraphrase_stability",
    "superlatives",
    "urgency",
)
ALWAYS: Mapping[str, tuple[str, str, float]] = {
    "contradicted(of=texts)": ("Texts do not contradict the catalogue or the history", "at_most", 0.1),
    "not_in_source(of=texts)": ("Texts claim nothing that no source holds", "at_most", 0.1),
    "fabricated_history(of=texts)": ("Texts invent nothing about the user's past", "at_most", 0.1),
    "swap_fit": ("Texts are about their user and their item", "at_most", 0.75),
    "preference_consistency": ("Texts do not argue from what the user dislikes", "at_least", 0.8),
    "sensitive_mentions": ("Texts do not speak of protected attributes", "at_most", 0.05),
    "flattery": ("Texts do not flatter", "at_most", 0.05),
    "orders_to_judge": ("Texts give no orders to a judge", "at_most", 0.05),
    "padding": ("Texts are not padded", "at_most", 0.5),
}
"""Metric that is always measured → the claim made about every model, its rule and margin."""


class ExplanationOptions(StrictModel):
    """Options of the explanation scenario."""

    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({}),
        description="What is training and what is held out; explained items come from the held-out part.",
    )
    cases_per_user: PositiveInt = Field(1, description="Most items explained to one user, drawn by seed.")
    max_users: PositiveInt | None = Field(
        200, description="Ask only about this many users, drawn by seed; null for all."
    )
    history: NonNegativeInt = Field(8, description="Most recent items of the history that a brief shows.")
    reviews: NonNegativeInt = Field(
        3, description="Most reviews of the item, by other users and from the training, that a brief shows."
    )
    disclose: tuple[str, ...] = Field(
        (), description="Columns of the user table that briefs disclose; a text has no business with them."
    )
    min_rating: float | None = Field(None, description="Explain only items that the user rated from here up.")
    metrics: tuple[str, ...] = Field(
        DEFAULT_METRICS, min_length=1, description="Metrics of texts and of explanations."
    )
    variants: tuple[Variant, ...] = Field(
        ("paraphrase", "without_cited"),
        description="Further questions: the same facts in other words, and without what the text cites.",
    )
    attributes: Attributes = Field(
        default_factory=dict,
        json_schema_extra=or_a_name,
        description="What further questions disclose of the user, a value at a time, to be compared with each"
        " other and with the neutral text: name of a shipped set (basic, fairllm), path of a file relative to"
        " the suite, or attributes by name. Each value is one more question about every case.",
    )
    groups: tuple[str, ...] = Field(
        (), description="Columns of the user table; every result is also given for each of their values."
    )
    instruction: str | None = Field(
        None, min_length=1, description="The task in your own words; the facts stand where it says {brief}."
    )

    @model_validator(mode="after")
    def _neutral(self) -> Self:
        for name, attribute in self.attributes.items():
            said = next((one for one in (name, attribute.column) if one in self.disclose), None)
            if said is not None:
                raise ValueError(
                    f"attributes: '{name}' is disclosed by every brief already, so that none is neutral; take"
                    f" '{said}' out of disclose"
                )
        return self


class Explanation(Scenario):
    """Explain to users why items that they went on to have are recommended.

    The case table holds ``item``, ``brief`` (JSON of :class:`~genrec_eval.protocol.brief.Brief`),
    ``reference`` (what the user wrote, null where nothing is known), ``feature`` (what that is about),
    ``rating`` (held out) and, for each disclosed attribute, ``own.NAME`` (the user's own value, null where
    nobody knows).
    """

    name: ClassVar[str] = "explanation"
    kind: ClassVar[Kind] = "chat"
    needs_data: ClassVar[bool] = True
    writes: ClassVar[bool] = True
    title: ClassVar[str] = "Explanation"
    summary: ClassVar[str] = "Has models explain recommendations and looks every claim up."
    Options: ClassVar[type[StrictModel]] = ExplanationOptions
    reads: ClassVar[tuple[str, ...] | None] = ("case", "repeat", "step", "status", "text", "response")

    _asking: tuple[Prepared, Any] | None = None
    _shown: Any = None

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Split the data and draw the pairs of user and item."""
        if dataset is None:
            raise UsageError(
                "scenario 'explanation' needs data: name a data set of the suite with 'data: NAME'"
            )
        self.metrics()  # a misspelt metric is refused before anything is played
        from genrec_eval.scenarios.writing.cases import explanation_cases

        return explanation_cases(dataset, self.options, self.seed)

    def metrics(self) -> Sequence[Metric]:
        """The metrics of the options, then those that every model is checked by."""
        from genrec_eval.metrics.registry import metric
        from genrec_eval.scenarios.elsewhere import with_bases

        bound = [*self._named(), *map(metric, self._always())]
        told = ("disclosures",) if self._attributes() else ()
        return with_bases(self.name, bound, ("texts", "explanations", *told))

    def _named(self) -> Sequence[Metric]:
        """The metrics of the options."""
        from genrec_eval.scenarios.writing.measured import measured

        return measured(self.options.metrics, self._attributes())

    def _attributes(self) -> Mapping[str, Attribute]:
        """What is disclosed a value at a time; nothing where texts have no user."""
        found: Mapping[str, Attribute] = getattr(self.options, "attributes", {})
        return found

    def _told(self) -> Sequence[tuple[str, str]]:
        """Attribute and value of every disclosure, in the order in which they are asked."""
        from genrec_eval.scenarios.writing.asking import told_of

        return told_of(self._attributes())

    def calls_per_case(self) -> tuple[int, int]:
        """One for the text, and for each variant and value; what cites nothing has no counterfactual."""
        from genrec_eval.scenarios.writing.asking import WITHOUT_CITED, steps_of

        variants = getattr(self.options, "variants", ())
        most = 1 + len(steps_of(variants, self._told()))
        return most - (WITHOUT_CITED in variants), most

    def aside(self) -> frozenset[int]:
        """What is disclosed a value at a time: ``value_gap(of=refusal_rate)`` and others are about these."""
        from genrec_eval.scenarios.writing.asking import spelled, steps_of

        told = self._told()
        steps = steps_of(getattr(self.options, "variants", ()), told)
        return frozenset(steps[spelled(*one)] for one in told)

    def _always(self) -> Mapping[str, tuple[str, str, float]]:
        return ALWAYS

    def checks(self) -> Sequence[Check]:
        """Claims of soundness, made about every model."""
        return [
            Check(claim=claim, metric=metric, rule=rule, margin=margin)
            for metric, (claim, rule, margin) in self._always().items()
        ]

    def _asked(self, prepared: Prepared) -> Any:
        """Reader and catalogue of a prepared scenario; made once."""
        if self._asking is None or self._asking[0] is not prepared:
            from genrec_eval.scenarios.writing.asked import Asked

            self._asking = (prepared, Asked.of(prepared))
        return self._asking[1]

    def _brief(self, prepared: Prepared, case: Case) -> Brief:
        return Brief.from_json(prepared.cases.column("brief")[case.row].as_py())

    def request(self, prepared: Prepared, case: Case) -> ChatRequest:
        """The task and the facts."""
        from genrec_eval.scenarios.writing.asking import request_of

        return request_of(self._brief(prepared, case), instruction=self.options.instruction)

    async def play(self, prepared: Prepared, case: Case, ask: Any) -> None:
        """Ask for the text, then for the wanted variants and disclosures, each a step of its own."""
        from genrec_eval.scenarios.writing.asking import PARAPHRASE, WITHOUT_CITED, disclosing, request_of

        brief, instruction = self._brief(prepared, case), self.options.instruction
        answer = await ask(request_of(brief, instruction=instruction))
        if PARAPHRASE in self.options.variants:
            await ask(request_of(brief, PARAPHRASE, instruction))
        for attribute, value in self._told():
            await ask(request_of(disclosing(brief, attribute, value), instruction=instruction))
        if WITHOUT_CITED in self.options.variants and isinstance(answer.response, ChatResponse):
            varied = self._asked(prepared).counterfactual(brief, answer.response.text)
            if varied is not None:
                await ask(request_of(varied, WITHOUT_CITED, instruction))

    def exhibits(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> Iterator[Exhibit]:
        """The text of each case and repeat, with the facts that it was written from."""
        from genrec_eval.scenarios.writing.exhibits import exhibits

        return exhibits(cases, records, self.options.instruction)

    def evidence(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> Iterator[Evidence]:
        """The text of each case with its claims, what else was found in it, and its variants."""
        from genrec_eval.scenarios.writing.evidence import Shown

        if self._shown is None or self._shown.context is not context:
            self._shown = Shown(context)
        return self._shown.evidence(cases, records, self.options.variants, self._told())

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score one model; a user's value is the mean over repeats and cases."""
        from genrec_eval.scenarios.writing.score import score

        return score(self.own(), self.options.variants, cases, context, records, self._told())
