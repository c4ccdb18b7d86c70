"""Generative retrieval: models that write semantic ids, token by token, which may name no item or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.ranking.base import VALIDITY, RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.metrics.base import Metric, UnitScores


class GenerativeRetrievalOptions(RankingOptions):
    """Options of the generative-retrieval scenario."""

    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({"method": "leave-one-out"}),
        description="What is training and what is to be foreseen.",
    )
    metrics: tuple[str, ...] = Field(
        ("hit_rate", "ndcg", "recall"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k. Each is given both ways: an"
        " ambiguous id counted as every item that it names, and as the first of them.",
    )


class GenerativeRetrieval(RankingScenario):
    """Rank by semantic ids.

    The items of the data must have a column ``semantic_id`` (a list of tokens; written without separators).
    A listed entry is read as a semantic id where there is one of that spelling, and else as an item id;
    anything else is invalid. Several items may share one semantic id. Comparing strings, as published
    evaluations do, counts such an id as a hit whichever item was meant (``resolve=any``); a system that shows
    one item for it is right only where that is the one (``resolve=first``, the first in the catalogue).
    """

    name: ClassVar[str] = "generative-retrieval"
    title: ClassVar[str] = "Generative retrieval"
    summary: ClassVar[str] = "Ranks by generated semantic ids: validity, collisions, repeated beams."
    Options: ClassVar[type[StrictModel]] = GenerativeRetrievalOptions
    validity: ClassVar[Mapping[str, tuple[str, float]]] = {
        **VALIDITY,
        "collision": ("Listed ids name one item each", 0.01),
    }

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """The cases of the split, with the ambiguity of ids among items and targets in the facts."""
        if "semantic_id" not in dataset.item_table.column_names:
            raise UsageError(
                f"scenario 'generative-retrieval': the items of data set '{dataset.name}' have no column"
                " 'semantic_id'; use the dataset semantic-ids, or files with such a list column"
            )
        from genrec_eval.scenarios.ranking.catalogue import ambiguous, spelled

        split, _, facts = super().cases(dataset)
        column = split.dataset.item_table.column("semantic_id")
        shared = ambiguous(column)
        ids = spelled(column)
        with_id = len(ids) - ids.null_count
        facts |= {
            "items_with_semantic_id": with_id,
            "distinct_semantic_ids": len(ids.unique().drop_null()),
            "items_that_share_their_id": int(shared.sum()),
            "share_of_items_that_share_their_id": float(shared.sum() / max(with_id, 1)),
            "share_of_ambiguous_targets": float(shared[split.truth.values].mean()),
        }
        return split, {}, facts

    def metrics(self) -> Sequence[Metric]:
        """Each metric both ways, then what both have in common and list validity."""
        named, always = self._named()
        apart = [metric for metric in named if self._apart(metric)]
        both = (made for made, _, _ in self._both(apart))
        return [*both, *(metric for metric in named if metric not in apart), *always]

    def _both(self, metrics: Sequence[Metric]) -> list[tuple[Metric, str, Literal["any", "first"]]]:
        found: list[tuple[Metric, str, Literal["any", "first"]]] = []
        for metric in metrics:
            for way in ("any", "first"):
                definition = replace(
                    metric.definition,
                    parameters={**metric.definition.parameters, "resolve": (None, ("any", "first"))},
                    traps=f"{metric.definition.traps} resolve=any credits a shared id for each of its items.",
                )
                made = replace(
                    metric, definition=definition, parameters={**metric.parameters, "resolve": way}
                )
                found.append((made, metric.id, way))
        return found

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """Score the same records twice: ids as strings, and each id as the first item that it names."""
        from genrec_eval.scenarios.ranking.score import Part, score
        from genrec_eval.scenarios.semantic_ids import by_first_item, by_semantic_id

        wanted, rest = self._own_and_always()
        plain = self._both(wanted)
        k = self.read_depth(context)
        batches = list(records)
        scores: dict[str, UnitScores] = {}
        scored: ScoredUnits | None = None
        for way, view in (("any", by_semantic_id), ("first", by_first_item)):
            table, own, answers = view(cases, context["items"], batches)
            names = {made.id: base for made, base, of in plain if of == way}
            parts = [Part(wanted, names)]
            if way == "first":
                parts = [Part([*wanted, *rest], {**names, **{m.id: m.id for m in rest}})]
            scored = score(parts, k, table, {**context, "items": own}, answers)
            scores |= scored.scores
        assert scored is not None
        return replace(scored, scores=scores)
