"""Adaptability: how fast does a model follow when what a user wants changes?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.scenarios.ranking.base import RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.metrics.base import Metric, UnitScores
    from genrec_eval.scenarios.base import ScoredUnits
    from genrec_eval.scenarios.ranking.conditions import Condition


class PreferenceShiftOptions(RankingOptions):
    """Options of the preference-shift scenario."""

    metrics: tuple[str, ...] = Field(
        ("ndcg", "recall", "hit_rate"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k.",
    )
    since: tuple[NonNegativeInt, ...] = Field(
        (0, 1, 2, 5, 10), min_length=1, description="How many interactions after the shift are known."
    )
    before: PositiveInt = Field(20, description="Most interactions before the shift that are known.")

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if len(set(self.since)) < len(self.since):
            raise ValueError("since names a number twice")
        return self


class PreferenceShift(RankingScenario):
    """Splice two people: the history of one, then the first interactions of the other, whose future is asked.

    Each user with truth is paired with a user who shares as little as possible of the item attributes (at
    random where the items have none). For each number in ``since`` the history is the other person's latest
    items followed by that many of the user's own latest; the control (``since=settled``) is the user's own
    history alone, of the same length as the longest. The difference to the control is the cost of the shift;
    how it falls with ``since`` is how fast a model adapts.

    Requests are about nobody that training knows under that name: the user id of a spliced person is new.
    """

    name: ClassVar[str] = "preference-shift"
    title: ClassVar[str] = "Preference shift"
    summary: ClassVar[str] = "Asks after a user's taste has changed, by how much of the new taste is known."
    Options: ClassVar[type[StrictModel]] = PreferenceShiftOptions
    anonymous: ClassVar[bool] = True

    def condition(self) -> Condition | None:
        """How many interactions after the shift are known."""
        from genrec_eval.scenarios.ranking.conditions import CONDITIONS, Condition

        values: Sequence[Any] = (*(str(n) for n in self.options.since), "settled")
        return Condition("since", values, CONDITIONS["since"][1])

    def metrics(self) -> Sequence[Metric]:
        """The metrics under each condition, what the shift costs by each, then list validity."""
        first, always = super().metrics(), len(self.validity)
        return [*first[:-always], *(made for made, _, _ in self._lost()), *first[-always:]]

    def _lost(self) -> list[tuple[Metric, str, str]]:
        """Each metric of what the shift costs, and the ids of the control and of the shifted metric."""
        from genrec_eval.scenarios.ranking.conditions import LOST, under

        condition, found = self.condition(), []
        assert condition is not None
        for metric in self._own_and_always()[0]:
            if metric.definition.bounds != (0.0, 1.0) or isinstance(metric.function, type):
                continue
            definition = replace(
                metric.definition,
                name=f"{LOST}{metric.definition.name}",
                title=f"Lost {metric.definition.title}",
                summary=f"What the shift costs: {metric.definition.title} without it minus with it.",
                formula=f"{metric.definition.title} (since=settled) minus {metric.definition.title}",
                direction="lower",
                bounds=(-1.0, 1.0),
                values="real",
            )
            settled = under(metric, condition, "settled").id
            for value in condition.values[:-1]:
                made = under(replace(metric, definition=definition), condition, value)
                found.append((made, settled, under(metric, condition, value).id))
        return found

    def score(
        self,
        cases: pa.Table,
        context: Mapping[str, pa.Table],
        records: Iterable[pa.RecordBatch],
    ) -> ScoredUnits:
        """What the shift costs is the difference of a user's two scores."""
        scored = super().score(cases, context, records)
        scores = dict(scored.scores)
        for metric, settled, shifted in self._lost():
            scores[metric.id] = _difference(scores[settled], scores[shifted])
        return replace(scored, scores=scores)

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """One case per user and number of known interactions, and the control."""
        import numpy as np

        from genrec_eval.scenarios.ranking.rows import joined, latest_of, take

        split, _, facts = super().cases(dataset)
        since = np.array(self.options.since)
        enough = np.flatnonzero(split.history.lengths >= max(int(since.max()), 1))
        if len(enough) < 2:
            raise UsageError(
                f"scenario 'preference-shift': fewer than two users have {max(int(since.max()), 1)}"
                " known items; lower the greatest number of since"
            )
        split = take(split, enough)
        n, steps = len(enough), len(since) + 1
        partner = _strangers(split, self.seed)
        rows = np.repeat(np.arange(n), steps)
        known = np.tile(np.append(since, 0), n)
        settled = np.tile(np.arange(steps) == steps - 1, n)
        old = latest_of(split.history.take(partner[rows]), np.where(settled, 0, self.options.before))
        own = latest_of(split.history.take(rows), np.where(settled, self.options.before + since.max(), known))
        cases = take(split, rows)
        history = joined(_without(old, cases.truth, len(split.dataset.items)), own)
        label = np.where(settled, "settled", known.astype(str))
        facts |= {
            "users_evaluated": len(np.unique(split.users)),
            "truth_pairs": len(split.truth.values),
            "excluded_users": {
                **split.facts.get("excluded_users", {}),
                "too-few-known": int(split.facts.get("users_evaluated", n)) - len(np.unique(split.users)),
            },
            "shift": "spliced histories of two users",
            "histories": f"at most {self.options.before} items of another user, then the latest"
            f" {', '.join(map(str, self.options.since))} of the user's own, in a question each; and as"
            " control the user's own alone",
        }
        return replace(cases, history=history), {"since": label}, facts


def _difference(first: UnitScores, second: UnitScores) -> UnitScores:
    """Unit by unit, where both have a score."""
    from genrec_eval.metrics.base import UnitScores

    reasons = dict(first.reasons)
    for name, mask in second.reasons.items():
        new = mask & first.scored
        reasons[name] = reasons[name] | new if name in reasons else new
    return UnitScores(values=first.values - second.values, reasons=reasons)


def _without(lists: Any, banned: Any, n_items: int) -> Any:
    """Row by row, ``lists`` without the items of ``banned``: one's past must not hold the other's future."""
    import numpy as np

    from genrec_eval.protocol.arrays import Ragged

    rows = np.repeat(np.arange(len(lists)), lists.lengths)
    others = np.repeat(np.arange(len(banned)), banned.lengths)
    keep = ~np.isin(rows * n_items + lists.values, others * n_items + banned.values)
    return Ragged.group(rows[keep], lists.values[keep], len(lists))


def _strangers(split: Split, seed: int) -> Any:
    """int64[n], for each case another one whose history is of other attributes: the least alike of 20."""
    import numpy as np
    import pyarrow.compute as pc

    from genrec_eval.core.randomness import generator

    n = len(split.users)
    rng = generator(seed, "preference shift")
    drawn = (np.arange(n)[:, None] + rng.integers(1, n, size=(n, min(20, n - 1)))) % n
    oneself = split.users[drawn] == split.users[:, None]  # another case of the same user is no stranger
    described = split.dataset.item_table
    if "genres" not in described.column_names:
        return drawn[np.arange(n), np.argmin(oneself, axis=1)]
    lists = described.column("genres").combine_chunks()
    coded = lists.flatten().dictionary_encode()
    owner = np.repeat(
        np.arange(len(lists)), pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    )
    table = np.zeros((len(lists), max(len(coded.dictionary), 1)))
    codes = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    np.add.at(table, (owner, codes), 1.0)
    rows = np.repeat(np.arange(n), split.history.lengths)
    taste = np.zeros((n, table.shape[1]))
    np.add.at(taste, rows, table[split.history.values])
    taste /= np.maximum(np.linalg.norm(taste, axis=1, keepdims=True), 1e-12)
    alike = np.where(oneself, np.inf, np.einsum("nd,nmd->nm", taste, taste[drawn]))
    return drawn[np.arange(n), np.argmin(alike, axis=1)]
