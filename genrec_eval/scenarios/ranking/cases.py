"""The case table of ranking scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import Metric
from genrec_eval.protocol.arrays import Int32, Int64, distinct_of
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.asked import SHARED
from genrec_eval.scenarios.ranking.catalogue import item_table
from genrec_eval.scenarios.ranking.fitness import refuse_unmet
from genrec_eval.scenarios.ranking.groups import groups_of
from genrec_eval.scenarios.ranking.records import list_column
from genrec_eval.scenarios.ranking.rows import sampled_users, take

if TYPE_CHECKING:
    from genrec_eval.data.splits.split import Split
    from genrec_eval.scenarios.ranking.options import RankingOptions


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
    from genrec_eval.data.quality.leakage import audit

    if options.relevance == "binary":
        split = replace(split, grades=None)
    items = item_table(dataset, split, options)
    groups = _groups(scenario, dataset, split, options, bool(columns))
    refuse_unmet(scenario, dataset, split, items, metrics, candidates is not None, groups)
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
        groups = {name: column.take(pa.array(rows)) for name, column in groups.items()}
        said["cases"] = len(split.users)
    return Prepared(
        cases=_table(dataset, split, groups, extra),
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


def _groups(
    scenario: str, dataset: Dataset, split: Split, options: RankingOptions, conditions: bool
) -> dict[str, pa.Array]:
    lengths = split.history.lengths
    varied = conditions and bool((lengths != _of_first_case(lengths, split.users)).any())
    # where a condition decides how much of a history is known, its length is no property of the user
    return groups_of(scenario, dataset, split.users, None if varied else lengths, options.groups)


def _table(
    dataset: Dataset,
    split: Split,
    groups: Mapping[str, pa.Array],
    extra: Mapping[str, npt.NDArray[Any]],
) -> pa.Table:
    users, n = split.users, len(split.users)
    ids = dataset.users.ids.take(pa.array(users))
    columns: dict[str, Any] = {
        "case": case_ids(ids, users),
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array(["neutral"])),
    }
    columns |= groups
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
