"""The case table: one row per user and way of asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int32, Int64
from genrec_eval.scenarios.arms.own import own_values
from genrec_eval.scenarios.arms.variants import Way, ways_of
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.catalogue import item_table
from genrec_eval.scenarios.ranking.groups import groups_of
from genrec_eval.scenarios.ranking.options import RankingOptions
from genrec_eval.scenarios.ranking.records import list_column
from genrec_eval.scenarios.ranking.rows import sampled_users, take

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.scenarios.counterfactual import CounterfactualOptions

MOST_ENTRIES = 500_000_000
"""Most history items in the case table: each user's history stands in it once per way of asking."""


def make_cases(dataset: Dataset, options: CounterfactualOptions, seed: int) -> Prepared:
    """Split the data, and repeat each user's case for every way of asking.

    Raises
    ------
    UsageError
        When a column of own values or a group is not in the data, or tells nobody from anybody.
    """
    from genrec_eval.data.quality.leakage import audit

    split = options.split.apply(dataset, options.min_rating, seed)
    items = item_table(dataset, split, RankingOptions.model_validate({}))
    findings = audit(split, items.column("train_count").to_numpy())
    facts: dict[str, Any] = {**split.facts, "leakage": [finding.to_json() for finding in findings]}
    first = np.sort(np.unique(split.users, return_index=True)[1])
    if len(first) < len(split.users):
        facts["later_cases_of_a_user_left_out"] = len(split.users) - len(first)
        split = take(split, first)
    rows = sampled_users(split.users, options.max_users, seed)
    if rows is not None:
        facts["users_sampled_from"] = len(split.users)
        split = take(split, rows)
    ways = ways_of(options)
    if len(split.history.values) * len(ways) > MOST_ENTRIES:
        raise UsageError(
            f"scenario 'counterfactual': {len(split.users):,} users asked in {len(ways)} ways are more than"
            " the case table may hold; set max_users"
        )
    own = {
        name: own_values("counterfactual", dataset, split.users, name, one)
        for name, one in options.attributes.items()
    }
    cases = _table(dataset, split, options, ways, {name: codes for name, (codes, _) in own.items()})
    return Prepared(
        cases=cases,
        context={"items": items, "ways": _ways_table(ways)},
        training=split.training,
        future=split.held_out,
        facts={
            **facts,
            "cases": len(cases),
            "units": len(split.users),
            "ways": len(ways),
            "own_values": {name: said for name, (_, said) in own.items()},
        },
    )


def _ways_table(ways: Sequence[Way]) -> pa.Table:
    names = ("slug", "arm", "attribute", "value", "disclosed", "wording")
    return pa.table({name: pa.array([getattr(way, name) for way in ways], pa.string()) for name in names})


def _table(
    dataset: Dataset,
    split: Split,
    options: CounterfactualOptions,
    ways: Sequence[Way],
    own: Mapping[str, Int32],
) -> pa.Table:
    n, m = len(split.users), len(ways)
    unit = np.repeat(np.arange(n), m)
    way = np.tile(np.arange(m, dtype=np.int16), n)
    ids = dataset.users.ids.take(pa.array(split.users))
    units = ids.take(pa.array(unit))
    of_way = pa.array(way)
    slugs = pa.array([one.slug for one in ways], pa.string()).take(of_way)
    columns: dict[str, Any] = {
        "case": pc.binary_join_element_wise(units, slugs, "#"),
        "unit": units,
        "arm": _arms(ways, own, options, n),
        "way": of_way,
    }
    for name in ("attribute", "value", "disclosed", "wording"):
        words = pa.array([getattr(one, name) for one in ways], pa.string())
        columns[name] = words.take(of_way)
    for name, codes in own.items():
        values = pa.array(options.attributes[name].values, pa.string())
        columns[f"own.{name}"] = values.take(pa.array(codes, mask=codes < 0)).take(pa.array(unit))
    for name, column in groups_of("counterfactual", dataset, split.users, None, options.groups).items():
        columns[name] = column.take(pa.array(unit))
    columns["truth"] = list_column(split.truth.take(unit))
    columns["history"] = list_column(split.history.take(unit))
    if split.candidates is not None:
        columns["candidates"] = list_column(split.candidates.take(unit))
    return pa.table(columns)


def _arms(
    ways: Sequence[Way], own: Mapping[str, Int32], options: CounterfactualOptions, n: int
) -> pa.DictionaryArray:
    """The arm of each case: of a disclosed value, whether it is known to be another's."""
    names = list(dict.fromkeys([*(way.arm for way in ways), "counterfactual"]))
    codes: Int64 = np.tile(np.array([names.index(way.arm) for way in ways]), (n, 1))
    for column, way in enumerate(ways):
        if way.arm == "sensitive" and way.attribute is not None:
            theirs = own[way.attribute]
            value = options.attributes[way.attribute].values.index(str(way.value))
            codes[(theirs >= 0) & (theirs != value), column] = names.index("counterfactual")
    return pa.DictionaryArray.from_arrays(pa.array(codes.ravel().astype(np.int32)), pa.array(names))
