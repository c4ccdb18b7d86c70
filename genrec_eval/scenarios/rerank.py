"""Candidate re-ranking: order a given set, with the full ranking and the exact expectation beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.scenarios.ranking.base import OFFERED, VALIDITY, RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.metrics.base import Metric
    from genrec_eval.scenarios.base import Check, Prepared
    from genrec_eval.scenarios.ranking.conditions import Condition
    from genrec_eval.scenarios.ranking.score import Part

SAMPLED, FULL = "sampled", "full"
MOST_CELLS = 200_000_000
"""Most candidate entries that are kept; more would not fit into memory."""


class RerankOptions(RankingOptions):
    """Options of the re-ranking scenario."""

    metrics: tuple[str, ...] = Field(
        ("ndcg", "recall", "mrr", "hit_rate"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k.",
    )
    candidates: Literal["given", "uniform", "popularity"] = Field(
        "uniform",
        description="given: the candidates that the data set brings (impressions). uniform, popularity: the"
        " relevant items and as many others as `negatives` says, drawn evenly or by training counts, without"
        " replacement, never from the history.",
    )
    negatives: PositiveInt = Field(100, description="Candidates that are drawn beside the relevant items.")
    full: bool = Field(
        True,
        description="With drawn candidates: rank all items new to the user as well, and report it and what"
        " the sample can be expected to give beside the sampled figures.",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        # by value: a suite that was stored with its defaults names every option
        if self.candidates == "given" and self.negatives != type(self).model_fields["negatives"].default:
            raise ValueError("negatives are drawn only with candidates: uniform or popularity")
        if self.relevance != "binary" and self.candidates != "given" and self.full:
            raise ValueError("the expectation under sampling needs relevance: binary; set full: false")
        if (self.candidates == "given") != (self.split.method == "given"):
            raise ValueError("candidates: given and split: {method: given} belong together")
        return self


class Rerank(RankingScenario):
    """Order candidates.

    Sampled candidates answer another question than the catalogue does and can order models the other way
    round, so the sampler is recorded, and the figures of the full ranking stand beside the sampled ones.
    """

    name: ClassVar[str] = "rerank"
    title: ClassVar[str] = "Candidate re-ranking"
    summary: ClassVar[str] = "Orders given or sampled candidates; sampled ones beside the full ranking."
    Options: ClassVar[type[StrictModel]] = RerankOptions
    validity: ClassVar[Mapping[str, tuple[str, float]]] = {**VALIDITY, **OFFERED}

    @property
    def _both(self) -> bool:
        return bool(self.options.candidates != "given" and self.options.full)

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """Two cases per user where the full ranking is asked for as well."""
        import numpy as np

        from genrec_eval.scenarios.ranking.rows import sampled_users, take

        split, _, facts = super().cases(dataset)
        if self.options.candidates == "given":
            if split.candidates is None:
                raise UsageError(
                    f"the cases of data set '{dataset.name}' bring no candidates; use candidates: uniform"
                )
            return split, {}, facts
        rows = sampled_users(split.users, self.options.max_users, self.seed)
        if rows is not None:  # before the candidates are drawn, which are many
            facts["users_sampled_from"] = len(np.unique(split.users))
            split = take(split, rows)
        split, drawn = _with_candidates(split, self.options, self.seed, self._both)
        kinds = np.array([SAMPLED, FULL] if self._both else [SAMPLED])
        facts |= {
            "sampler": f"{self.options.candidates}, without replacement, outside history and truth",
            "negatives": self.options.negatives,
            "negatives_drawn": drawn,
            "candidates": f"the relevant items and {self.options.negatives:,} others per case, drawn"
            f" {'evenly' if self.options.candidates == 'uniform' else 'by training counts'} without"
            " replacement outside the history"
            + ("; beside them, in questions of their own, all items new to the user" if self._both else ""),
        }
        return split, {"candidates_are": np.tile(kinds, len(split.users) // len(kinds))}, facts

    def condition(self) -> Condition | None:
        """Which candidates a case is about."""
        from genrec_eval.scenarios.ranking.conditions import CONDITIONS, Condition

        if self.options.candidates == "given":
            return None
        values = (FULL, SAMPLED) if self._both else (SAMPLED,)
        return Condition("candidates_are", values, CONDITIONS["candidates_are"][1])

    def _expected(self) -> list[Metric]:
        """The exact expectation of the sampled figures, for the metrics that have one."""
        from genrec_eval.metrics.sampled import EXPECTED, expected

        if not self._both or self.options.candidates != "uniform":
            return []
        # the expectation is that of the definition with its defaults: other parameters, other numbers
        plain = [m for m in self._own_and_always()[0] if m.definition.name in EXPECTED and "(" not in m.id]
        found = [expected(m, self.options.negatives) for m in plain]
        return list({metric.id: metric for metric in found}.values())

    def metrics(self) -> Sequence[Metric]:
        """The metrics in full and sampled, the exact expectation of the latter, list validity."""
        first, always = super().metrics(), len(self.validity)
        return [*first[:-always], *self._expected(), *first[-always:]]

    def checks(self) -> Sequence[Check]:
        """A list as long as the catalogue may end where the candidates do."""
        return [check for check in super().checks() if not check.metric.startswith("short")]

    def width(self, prepared: Prepared) -> int:
        """The whole catalogue where the full ranking is asked for."""
        return len(prepared.context["items"]) if self._both else super().width(prepared)

    def read_depth(self, context: Mapping[str, pa.Table]) -> int:
        """See :meth:`width`."""
        return len(context["items"]) if self._both else super().read_depth(context)

    def parts(self, cases: pa.Table) -> list[Part]:
        """Expectations are taken over the full rankings."""
        from genrec_eval.scenarios.ranking.score import Part

        parts = super().parts(cases)
        if expected := self._expected():
            rows = cases.column("candidates_are").to_numpy(zero_copy_only=False) == FULL
            parts.append(Part(expected, {metric.id: metric.id for metric in expected}, rows))
        return parts


def _with_candidates(split: Split, options: RerankOptions, seed: int, both: bool) -> tuple[Split, int]:
    """Candidates of each case, and how many items were drawn in all; two cases each when ``both``."""
    import numpy as np

    from genrec_eval.core.randomness import generator
    from genrec_eval.protocol.arrays import Ragged
    from genrec_eval.scenarios.ranking.rows import take

    n_items, n = len(split.training.items), len(split.users)
    wide = n * (options.negatives + (n_items if both else 0))
    if wide > MOST_CELLS:
        raise UsageError(
            f"{n:,} users with {n_items:,} items make {wide:,} candidates, more than fit into memory"
            f" ({MOST_CELLS:,}); set max_users, or full: false"
        )
    counts = np.bincount(split.training.interactions.item, minlength=n_items)
    popular = counts if options.candidates == "popularity" else None
    ids = split.training.users.ids
    lists, drawn = [], 0
    for row in range(n):
        taken = np.unique(np.concatenate([split.history[row], split.truth[row]]))
        rng = generator(seed, "candidates", ids[int(split.users[row])].as_py(), row)
        chosen = _drawn(rng, taken, n_items, options.negatives, popular)
        drawn += len(chosen)
        both_kinds = np.concatenate([split.truth[row], chosen]).astype(np.int32)
        lists.append(np.sort(both_kinds))  # the order of the candidates must not give the truth away
        if both:  # what the sample is drawn from: a seen item is no candidate of either
            rest = np.ones(n_items, bool)
            rest[split.history[row]] = False
            rest[split.truth[row]] = True
            lists.append(np.flatnonzero(rest).astype(np.int32))
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
    candidates = Ragged(offsets, np.concatenate(lists) if lists else np.empty(0, np.int32))
    twice = take(split, np.repeat(np.arange(n), 2 if both else 1))
    return replace(twice, candidates=candidates), drawn


def _drawn(rng: Any, taken: Any, n_items: int, count: int, popular: Any) -> Any:
    """Up to ``count`` distinct items outside ``taken``, evenly or in proportion to ``popular``."""
    import numpy as np

    if popular is None:
        free = n_items - len(taken)
        places = rng.choice(free, min(count, free), replace=False, shuffle=False)
        # the i-th item that is not taken: as many taken ones lie before it as there are at most that far
        return places + np.searchsorted(taken - np.arange(len(taken)), places, side="right")
    chances = popular.astype(float)
    chances[taken] = 0.0
    left = np.flatnonzero(chances)
    # exponential keys over the weights: the least are a draw without replacement in proportion to them
    keys = rng.exponential(size=len(left)) / chances[left]
    return left[np.argsort(keys, kind="stable")[:count]]
