"""Sequential recommendation: the very next item, given everything before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.scenarios.ranking.base import VALIDITY, RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.protocol.arrays import Int64


class NextItemOptions(RankingOptions):
    """Options of the next-item scenario."""

    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({"method": "leave-one-out"}),
        description="What is training and what is to be foreseen.",
    )
    metrics: tuple[str, ...] = Field(
        ("hit_rate", "ndcg", "mrr"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k.",
    )
    targets: Literal["first", "all"] = Field(
        "first",
        description="first: one question per case of the split. all: one for each test item in its turn, the"
        " earlier ones known.",
    )
    most_targets: PositiveInt = Field(10, description="targets: all: most questions per case of the split.")

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.split.method == "random" or self.split.draws:
            raise ValueError(
                "the next item is what comes next in time, and this split draws the test at random; set a"
                " split by time, or pick: last"
            )
        if self.targets == "first" and self.most_targets != type(self).model_fields["most_targets"].default:
            raise ValueError("most_targets is an option of targets: all")
        return self


class NextItem(RankingScenario):
    """Foresee the next item; the history holds everything before it, in order.

    With ``targets: all`` a user is asked several times and is still one unit.
    """

    name: ClassVar[str] = "next-item"
    title: ClassVar[str] = "Next item"
    summary: ClassVar[str] = "Foresees the very next item of a sequence, one relevant item per question."
    Options: ClassVar[type[StrictModel]] = NextItemOptions

    @property
    def validity(self) -> dict[str, tuple[str, float]]:  # type: ignore[override]
        """Where people may come back to items, a seen one is no flaw."""
        keeps = self.options.split.repeats == "keep"
        return {name: claim for name, claim in VALIDITY.items() if not (keeps and name == "seen")}

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """One case per target, with the targets before it as history."""
        split, _, facts = super().cases(dataset)
        most = 1 if self.options.targets == "first" else self.options.most_targets
        asked = next_items(split, most)
        return asked, {}, {**facts, "targets": self.options.targets, "truth_pairs": len(asked.users)}


def next_items(split: Split, most: int) -> Split:
    """A case for each of the first ``most`` items of every truth, with those before it in its history."""
    import numpy as np

    from genrec_eval.protocol.arrays import Ragged
    from genrec_eval.scenarios.ranking.rows import joined

    truth = split.truth
    counts = np.minimum(truth.lengths, most)
    rows = np.repeat(np.arange(len(truth)), counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    target = truth.offsets[rows] + step
    before = np.concatenate([[0], np.cumsum(step)]).astype(np.int64)
    earlier = np.repeat(truth.offsets[rows] - before[:-1], step) + np.arange(before[-1])
    return replace(
        split,
        users=split.users[rows],
        truth=Ragged(np.arange(len(rows) + 1, dtype=np.int64), truth.values[target]),
        history=joined(split.history.take(rows), Ragged(before, truth.values[earlier])),
        grades=None if split.grades is None else split.grades[target],
        rejected=None if split.rejected is None else split.rejected.take(rows),
        candidates=None if split.candidates is None else split.candidates.take(rows),
        cut=None if split.cut is None else _moments(split, rows, target, step),
    )


def _moments(split: Split, rows: Int64, target: Int64, step: Int64) -> Int64:
    """int64[cases], when each question is asked: the first at the cut, a later one when its target came."""
    import numpy as np

    assert split.cut is not None
    cut, log = split.cut[rows].copy(), split.held_out
    if log.timestamp is None:
        return cut
    later = np.flatnonzero(step > 0)
    width = max(len(split.dataset.items), 1)
    wanted = split.users[rows[later]].astype(np.int64) * width + split.truth.values[target[later]]
    pairs, wanted = np.unique(wanted, return_inverse=True)
    own = log.user.astype(np.int64) * width + log.item
    place = np.minimum(np.searchsorted(pairs, own), max(len(pairs) - 1, 0))
    known = pairs[place] == own if len(pairs) else np.zeros(len(own), bool)
    times, rank = np.unique(log.timestamp, return_inverse=True)
    span = len(times) + 1
    keys = np.sort(place[known] * span + rank[known])
    if not len(keys):
        return cut
    # of a user with several cases, the target's first time in this one
    found = np.searchsorted(keys, wanted * span + np.searchsorted(times, cut[later]))
    held = keys[np.minimum(found, len(keys) - 1)]
    of_pair = (found < len(keys)) & (held // span == wanted)
    cut[later[of_pair]] = times[held[of_pair] % span]
    return cut
