"""The case table of ranking scenarios, and the requests made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import NEEDS, Metric
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Int32, Int64, Ragged, Vocabulary, distinct_of
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.catalogue import catalogue_of, item_table
from genrec_eval.scenarios.ranking.records import list_column, ragged

if TYPE_CHECKING:
    from genrec_eval.data.splits import Split
    from genrec_eval.scenarios.ranking.options import RankingOptions

HISTORY_BUCKETS = ("none", "1-9", "10-49", "50+")
SHARED = "candidates"
"""Context table of the candidates that all cases share."""
MOST_VALUES = 100
"""Groups with more values say nothing that a person could read."""
_BUCKET_STARTS = (1, 10, 50)


def make_cases(
    scenario: str,
    dataset: Dataset,
    split: Split,
    options: RankingOptions,
    seed: int,
    *,
    metrics: Iterable[Metric] = (),
    columns: Mapping[str, npt.NDArray[Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
    candidates: Int32 | None = None,
) -> Prepared:
    """One case per entry of ``split``.

    Parameters
    ----------
    metrics
        What will be measured; refused where the data does not offer what it needs.
    columns
        Further columns of the case table, one entry per case of the split.
    facts
        Further facts worth showing.
    candidates
        Item codes that every case chooses from; the split's own, or the whole catalogue, when None.

    Raises
    ------
    UsageError
        When a group or what a metric needs is not in the data.
    """
    from genrec_eval.data.leakage import audit

    if options.relevance == "binary":
        split = replace(split, grades=None)
    items = item_table(dataset, split, options)
    _refuse_unmet(scenario, dataset, split, items, metrics, candidates is not None)
    findings = audit(split, items.column("train_count").to_numpy())
    said: dict[str, Any] = {
        **split.facts,
        "leakage": [finding.to_json() for finding in findings],
        "relevance": options.relevance,
        "candidates": _chosen_from(split, candidates, len(items)),
        "cases": len(split.users),
        **(facts or {}),
    }
    rows = sampled_users(split.users, options.max_users, seed)
    extra = dict(columns or {})
    if rows is not None:
        said["users_sampled_from"] = len(distinct_of(split.users))
        split, extra = take(split, rows), {name: column[rows] for name, column in extra.items()}
        said["cases"] = len(split.users)
    return Prepared(
        cases=_table(scenario, dataset, split, options, extra),
        context={"items": items, **({} if candidates is None else {SHARED: _shared(candidates)})},
        training=split.training,
        future=split.held_out,
        facts=said,
    )


def _chosen_from(split: Split, shared: Int32 | None, n_items: int) -> str:
    if shared is not None:
        return f"{len(shared):,} of {n_items:,} items, the same for every case"
    if split.candidates is None:
        return f"the whole catalogue of {n_items:,} items"
    return f"given per case, {split.candidates.lengths.mean():,.1f} on average"


def _shared(candidates: Int32) -> pa.Table:
    return pa.table({"code": pa.array(candidates, pa.int32())})


def repeated(candidates: Int32, n: int) -> Ragged:
    """The same list for each of ``n`` cases."""
    return Ragged(np.arange(n + 1, dtype=np.int64) * len(candidates), np.tile(candidates, n))


def joined(first: Ragged, second: Ragged) -> Ragged:
    """Row by row, the list of ``first`` and then that of ``second``.

    >>> both = joined(Ragged.from_lists([[1], [2, 3]]), Ragged.from_lists([[4], []]))
    >>> both.values.tolist(), both.lengths.tolist()
    ([1, 4, 2, 3], [2, 2])
    """
    lengths = first.lengths + second.lengths
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.empty(int(offsets[-1]), np.int32)
    for part, starts in ((first, offsets[:-1]), (second, offsets[:-1] + first.lengths)):
        place = np.repeat(starts - part.offsets[:-1], part.lengths) + np.arange(len(part.values))
        values[place] = part.values
    return Ragged(offsets, values)


def take(split: Split, rows: Int64) -> Split:
    """The cases at ``rows`` of a split."""
    return replace(
        split,
        users=split.users[rows],
        truth=split.truth.take(rows),
        history=split.history.take(rows),
        grades=None if split.grades is None else split.grades[entries(split.truth, rows)],
        rejected=None if split.rejected is None else split.rejected.take(rows),
        candidates=None if split.candidates is None else split.candidates.take(rows),
        cut=None if split.cut is None else split.cut[rows],
    )


def entries(lists: Ragged, rows: Int64) -> Int64:
    """Positions in ``lists.values`` of the lists at ``rows``, one list after the other.

    >>> entries(Ragged.from_lists([[7, 8], [9], [5, 6]]), np.array([2, 0])).tolist()
    [3, 4, 0, 1]
    """
    lengths = lists.lengths[rows]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(lists.offsets[rows] - (ends - lengths), lengths) + np.arange(total)


def sampled_users(users: Int32, most: int | None, seed: int) -> Int64 | None:
    """Rows of the cases of ``most`` users, drawn at random; None when all are asked."""
    distinct = distinct_of(users)
    if most is None or most >= len(distinct):
        return None
    drawn = generator(seed, "top-k users").choice(len(distinct), most, replace=False)
    return np.flatnonzero(np.isin(users, distinct[np.sort(drawn)]))


def _table(
    scenario: str,
    dataset: Dataset,
    split: Split,
    options: RankingOptions,
    extra: Mapping[str, npt.NDArray[Any]],
) -> pa.Table:
    users, n = split.users, len(split.users)
    ids = dataset.users.ids.take(pa.array(users))
    columns: dict[str, Any] = {
        "case": case_ids(ids, users),
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array(["neutral"])),
    }
    lengths = split.history.lengths
    varied = bool(extra) and bool((lengths != _of_first_case(lengths, users)).any())
    # where a condition decides how much of a history is known, its length is no property of the user
    columns |= groups_of(scenario, dataset, users, None if varied else lengths, options.groups)
    columns["truth"] = list_column(split.truth)
    columns["history"] = list_column(split.history)
    if split.grades is not None:
        offsets = pa.array(split.truth.offsets, pa.int32())
        columns["grades"] = pa.ListArray.from_arrays(offsets, pa.array(split.grades, pa.float64()))
    for name, lists in (("rejected", split.rejected), ("candidates", split.candidates)):
        if lists is not None:
            columns[name] = list_column(lists)
    if split.cut is not None:
        columns["cut"] = pa.array(split.cut, pa.int64())
    columns.update({name: pa.array(column) for name, column in extra.items()})
    return pa.table(columns)


def _of_first_case(values: Int64, users: Int32) -> Int64:
    """For each case, the value of the first case of its user."""
    _, first, of = np.unique(users, return_index=True, return_inverse=True)
    return values[first[of]]


def case_ids(ids: pa.Array, users: Int32) -> pa.Array:
    """``ids`` of the users where each has one case, else ``user#1``, ``user#2``, ..."""
    if len(distinct_of(users)) == len(users):
        return ids
    order = np.argsort(users, kind="stable")
    ordered = users[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    place = np.empty(len(users), np.int64)
    place[order] = np.arange(len(users)) - np.repeat(starts, np.diff(np.append(starts, len(users)))) + 1
    return pc.binary_join_element_wise(ids, pa.array(place).cast(pa.string()), "#")


def groups_of(
    scenario: str, dataset: Dataset, users: Int32, lengths: Int64 | None, groups: Iterable[str]
) -> dict[str, pa.Array]:
    """Columns ``group.<name>`` of the cases of ``users``, and how long their histories are, unless None.

    Raises
    ------
    UsageError
        When the users have no such column, or it cannot name groups.
    """
    columns: dict[str, pa.Array] = {}
    known = dataset.user_table.column_names[1:]
    for name in groups:
        if name not in known:
            raise UsageError(
                f"scenario '{scenario}': the users of data set '{dataset.name}' have no column '{name}'"
                f"{did_you_mean(name, known)} (columns: {', '.join(known) or 'none'});"
                f" take it out of the scenario's groups"
            )
        columns[f"group.{name}"] = _group(scenario, dataset, name).take(pa.array(users))
    if lengths is None:
        return columns
    buckets = history_buckets(lengths)
    if "group.history" not in columns and len(pc.unique(buckets)) > 1:
        columns["group.history"] = buckets
    return columns


def _refuse_unmet(
    scenario: str,
    dataset: Dataset,
    split: Split,
    items: pa.Table,
    metrics: Iterable[Metric],
    shared: bool,
) -> None:
    offered = {"scores", "test_counts"}
    parts = {
        "grades": split.grades,
        "rejected": split.rejected,
        "candidates": split.candidates,
        "cut": split.cut,
    }
    offered |= {name for name, part in parts.items() if part is not None}
    offered |= {"candidates"} if shared else set()
    columns = {
        "attributes": "attributes",
        "embeddings": "embedding",
        "providers": "provider",
        "first_seen": "first_seen",
        "train_users": "train_users",
        "ambiguous": "semantic_id",
    }
    offered |= {name for name, column in columns.items() if column in items.column_names}
    for metric in metrics:
        for need in metric.needs:
            if need not in offered:
                raise UsageError(
                    f"scenario '{scenario}': metric '{metric.id}' needs {NEEDS.get(need, need)}, "
                    f"which data set '{dataset.name}' and this split do not offer; take it out of the metrics"
                )
    _refuse_unfit(scenario, items, metrics)


def _refuse_unfit(scenario: str, items: pa.Table, metrics: Iterable[Metric]) -> None:
    """Try every metric on nobody: what is wrong with its parameters shows before anything is paid for."""
    nobody = RankedLists(
        items=np.empty((0, 1), np.int32),
        truth=Ragged.from_lists([]),
        history=Ragged.from_lists([]),
        answered=np.empty(0, bool),
        catalogue=catalogue_of(items),
        grades=np.empty(0),
        rejected=Ragged.from_lists([]),
        candidates=Ragged.from_lists([]),
        scores=np.empty((0, 1)),
        cut=np.empty(0, np.int64),
    )
    for metric in metrics:
        if metric.definition.on != "lists":
            raise UsageError(
                f"scenario '{scenario}': metric '{metric.id}' is about {metric.definition.on}, not lists"
            )
        try:
            metric(nobody)
        except UsageError as error:
            raise UsageError(f"scenario '{scenario}': {error}") from None


def history_buckets(lengths: Int64) -> pa.Array:
    """The built-in group ``history``: how much training knows of a user.

    >>> history_buckets(np.array([0, 9, 10, 700])).to_pylist()
    ['none', '1-9', '10-49', '50+']
    """
    codes = np.searchsorted(_BUCKET_STARTS, lengths, side="right")
    return pa.array(HISTORY_BUCKETS).take(pa.array(codes))


def _group(scenario: str, dataset: Dataset, name: str) -> pa.Array:
    where = f"scenario '{scenario}': the column '{name}' of data set '{dataset.name}'"
    column = dataset.user_table.column(name).combine_chunks()
    try:
        values = column.cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"{where} holds {column.type} values, which cannot name groups; "
            "choose a column of text or numbers"
        ) from None
    distinct = len(pc.unique(values.drop_null()))
    if distinct > MOST_VALUES:
        raise UsageError(
            f"{where} has {distinct} values, and a group may have at most {MOST_VALUES}; "
            "choose a coarser column or put ranges in its place"
        )
    return values


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests are made of: the case table's columns as arrays."""

    users: pa.Array
    user_codes: Int32
    history: Ragged
    items: Vocabulary
    candidates: Ragged | None
    shared: Int32 | None
    """Candidates of all cases alike."""

    @classmethod
    def of(cls, prepared: Prepared, history_limit: int | None, anonymous: bool = False) -> Asked:
        """Read ``prepared``, keeping the latest ``history_limit`` items of each history."""
        assert prepared.training is not None
        users = prepared.cases.column("case" if anonymous else "unit").combine_chunks()
        history = ragged(prepared.cases.column("history"))
        if history_limit is not None:
            history = latest(history, history_limit)
        items = Vocabulary(prepared.context["items"].column("item"))
        cases = prepared.cases
        candidates = ragged(cases.column("candidates")) if "candidates" in cases.column_names else None
        table = prepared.context.get(SHARED)
        shared = None if table is None else table.column("code").to_numpy()
        known = np.full(len(users), -1, np.int32) if anonymous else prepared.training.users.encode(users)
        return cls(users, known, history, items, candidates, shared)

    def candidates_of(self, row: int) -> tuple[str, ...] | None:
        """What one case chooses from, as ids; None for the whole catalogue."""
        if self.shared is not None:
            return tuple(self.items.strings[code] for code in self.shared.tolist())
        return None if self.candidates is None else self.named(self.candidates, row)

    def named(self, lists: Ragged, row: int) -> tuple[str, ...]:
        """The ids of one list."""
        return tuple(self.items.strings[code] for code in lists[row].tolist())

    def batch(self, rows: Int64, k: int) -> RankBatch:
        """Requests of the cases at ``rows``."""
        return RankBatch(
            users=self.users.take(pa.array(rows)),
            user_codes=self.user_codes[rows],
            history=self.history.take(rows),
            k=k,
            items=self.items,
            candidates=self._candidates(rows),
        )

    def _candidates(self, rows: Int64) -> Ragged | None:
        if self.shared is not None:
            return repeated(self.shared, len(rows))
        return None if self.candidates is None else self.candidates.take(rows)


def latest(lists: Ragged, limit: int) -> Ragged:
    """The last ``limit`` entries of each list.

    >>> latest(Ragged.from_lists([[1, 2, 3], [4]]), 2).values.tolist()
    [2, 3, 4]
    """
    return latest_of(lists, np.full(len(lists), limit, np.int64))


def latest_of(lists: Ragged, limits: Int64) -> Ragged:
    """The last ``limits[i]`` entries of list i.

    >>> latest_of(Ragged.from_lists([[1, 2, 3], [4]]), np.array([2, 0])).values.tolist()
    [2, 3]
    """
    kept = np.minimum(lists.lengths, limits)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    source = np.repeat(lists.offsets[1:] - offsets[1:], kept) + np.arange(offsets[-1])
    return Ragged(offsets, lists.values[source])
