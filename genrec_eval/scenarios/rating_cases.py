"""The case table of the rating scenario, the requests made from it, and the scores of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import Metric
from genrec_eval.metrics.rated import RatedPairs
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged, Vocabulary
from genrec_eval.protocol.batch import RateBatch
from genrec_eval.scenarios.base import Prepared, ScoredUnits
from genrec_eval.scenarios.ranking.cases import case_ids
from genrec_eval.scenarios.ranking.groups import groups_of
from genrec_eval.scenarios.ranking.records import (
    ANSWERED,
    NOT_ATTEMPTED,
    USABLE,
    list_column,
    ragged,
    rows_of,
    status_codes,
)
from genrec_eval.scenarios.ranking.rows import entries, latest, sampled_users
from genrec_eval.scenarios.ranking.units import Units

if TYPE_CHECKING:
    from genrec_eval.scenarios.rating import RatingOptions


def prepare(dataset: Dataset, options: RatingOptions, seed: int) -> Prepared:
    """One case per user with test ratings; all of them count, whatever their height."""
    from genrec_eval.data.quality.leakage import audit

    if dataset.interactions.rating is None:
        raise UsageError(
            f"data set '{dataset.name}' has no ratings to predict; name the column that holds them"
        )
    split = options.split.apply(dataset, None, seed)
    dataset = split.dataset
    if split.grades is None:
        raise UsageError(f"the split '{options.split.method}' keeps no ratings of the test part")
    train = split.training.interactions
    users, truth, history, grades = split.users, split.truth, split.history, split.grades
    findings = audit(split, np.bincount(train.item, minlength=len(dataset.items)))
    facts: dict[str, Any] = {
        **split.facts,
        "leakage": [finding.to_json() for finding in findings],
        "cases": len(users),
    }
    rows = sampled_users(split.users, options.max_users, seed)
    if rows is not None:
        facts["users_sampled_from"], facts["cases"] = len(np.unique(users)), len(rows)
        grades = grades[entries(truth, rows)]
        users, truth, history = users[rows], truth.take(rows), history.take(rows)
    ids = dataset.users.ids.take(pa.array(users))
    columns: dict[str, Any] = {
        "case": case_ids(ids, users),
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(len(users), np.int32), pa.array(["neutral"])),
        **groups_of("rating", dataset, users, history.lengths, options.groups),
        "targets": list_column(truth),
        "ratings": pa.ListArray.from_arrays(
            pa.array(truth.offsets, pa.int32()), pa.array(grades, pa.float64())
        ),
        "history": list_column(history),
    }
    assert train.rating is not None
    scale = {"low": [float(train.rating.min())], "high": [float(train.rating.max())]}
    return Prepared(
        cases=pa.table(columns),
        context={"items": pa.table({"item": dataset.items.ids}), "scale": pa.table(scale)},
        training=split.training,
        future=split.held_out,
        facts=facts,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests are made of: the case table's columns as arrays."""

    users: pa.Array
    user_codes: Int32
    targets: Ragged
    history: Ragged
    items: Vocabulary

    @classmethod
    def of(cls, prepared: Prepared, history_limit: int | None) -> Asked:
        """Read ``prepared``, keeping the latest ``history_limit`` items of each history."""
        assert prepared.training is not None
        users = prepared.cases.column("unit").combine_chunks()
        history = ragged(prepared.cases.column("history"))
        return cls(
            users=users,
            user_codes=prepared.training.users.encode(users),
            targets=ragged(prepared.cases.column("targets")),
            history=history if history_limit is None else latest(history, history_limit),
            items=prepared.training.items,
        )

    def named(self, lists: Ragged, row: int) -> tuple[str, ...]:
        """The ids of one list."""
        return tuple(self.items.strings[code] for code in lists[row].tolist())

    def batch(self, rows: Int64) -> RateBatch:
        """Requests of the cases at ``rows``."""
        return RateBatch(
            users=self.users.take(pa.array(rows)),
            user_codes=self.user_codes[rows],
            targets=self.targets.take(rows),
            history=self.history.take(rows),
            items=self.items,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Predictions of one model beside the truth.

    Attributes
    ----------
    pairs
        Of the units that were asked.
    units
        All units.
    rows
        int64[len(pairs)], which of the units they are.
    attempted, answered
        bool[units].
    """

    pairs: RatedPairs
    units: Units
    rows: Int64
    attempted: np.ndarray
    answered: np.ndarray


def score(
    metrics: Sequence[Metric],
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.rating.Rating.score`."""
    found = rated(cases, context, records)
    ids = found.units.ids
    return ScoredUnits(
        remark=_remark(found.pairs),
        units=ids,
        scores={m.id: m(found.pairs).place(found.rows, len(ids), "not-attempted") for m in metrics},
        groups=found.units.groups(cases),
        attempted=found.attempted,
        answered=found.answered,
    )


def rated(cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]) -> Rated:
    """Predictions beside the truth; those of several repeats are averaged."""
    n = len(cases)
    targets = ragged(cases.column("targets"))
    truth: Float64 = pc.list_flatten(cases.column("ratings")).to_numpy().astype(np.float64)
    sums, counts = np.zeros(len(truth)), np.zeros(len(truth), np.int64)
    attempted, answered = np.zeros(n, bool), np.zeros(n, bool)
    known = Vocabulary(cases.column("case"))
    for block in records:
        rows, codes = rows_of(known, block), status_codes(block)
        asked = codes != NOT_ATTEMPTED
        attempted[rows[asked]] = True
        answered[rows[asked & ANSWERED[codes]]] = True
        places, predicted = _predictions(block, rows, targets, asked & USABLE[codes])
        sums[places] += predicted
        counts[places] += 1
    units = Units.of(cases)
    asked_units, answered_units = units.any(attempted), units.any(answered)
    # the pairs of a user with several cases stand side by side; those of cases never asked are left out
    rows = np.flatnonzero(attempted)
    of = rows if units.of_case is None else units.of_case[rows]
    rows, of = rows[(order := np.argsort(of, kind="stable"))], of[order]
    places = entries(targets, rows)
    lengths = np.bincount(of, weights=targets.lengths[rows], minlength=len(units.ids)).astype(np.int64)
    asked_rows = np.flatnonzero(asked_units)
    pairs = RatedPairs(
        offsets=np.concatenate([[0], np.cumsum(lengths[asked_rows])]).astype(np.int64),
        truth=truth[places],
        predicted=np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[places],
        answered=answered_units[asked_rows],
        scale=(context["scale"].column("low")[0].as_py(), context["scale"].column("high")[0].as_py()),
    )
    return Rated(pairs=pairs, units=units, rows=asked_rows, attempted=asked_units, answered=answered_units)


def _predictions(
    block: pa.RecordBatch, rows: Int64, targets: Ragged, usable: np.ndarray
) -> tuple[Int64, Float64]:
    """Places among all pairs, and the finite predictions there; a list of another length counts as none."""
    lists = block.column("ratings")
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    fits = usable & (lengths == targets.lengths[rows])
    kept = lists.filter(pa.array(fits))
    values = kept.flatten().cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    places = entries(targets, rows[fits])
    finite = np.isfinite(values)
    return places[finite], values[finite]


def _remark(pairs: RatedPairs) -> str | None:
    """A model that rates on another scale: percentages, probabilities, scores of a ranking."""
    held = pairs.predicted[np.isfinite(pairs.predicted)]
    low, high = pairs.scale
    beyond = (held < low - (high - low)) | (held > high + (high - low))
    if not len(held) or beyond.mean() <= 0.5:
        return None
    return (
        f"{beyond.mean():.0%} of the predicted ratings are far off the scale of the training"
        f" ({low:g} to {high:g}), such as {held[beyond][0]:g}"
    )
