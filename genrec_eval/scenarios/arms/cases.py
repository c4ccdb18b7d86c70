"""The case table: one row per user and way of asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.protocol.arrays import Int32, Int64
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
    from genrec_eval.scenarios.arms.attributes import Attribute
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
    own = {name: _own(dataset, split.users, name, one) for name, one in options.attributes.items()}
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


def _own(dataset: Dataset, users: Int32, name: str, attribute: Attribute) -> tuple[Int32, str]:
    """int32[n], which value each user has, -1 where nobody knows; and what to say of it."""
    known = dataset.user_table.column_names[1:]
    column = attribute.column or name
    unknown = np.full(len(users), -1, np.int32)
    if column not in known:
        if attribute.column is None:
            return unknown, f"not known: the users have no column '{name}'"
        raise UsageError(
            f"scenario 'counterfactual': attribute '{name}': the users of data set '{dataset.name}' have no"
            f" column '{column}'{did_you_mean(column, known)} (columns: {', '.join(known) or 'none'})"
        )
    try:
        said = dataset.user_table.column(column).combine_chunks().cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"scenario 'counterfactual': attribute '{name}': the column '{column}' of data set"
            f" '{dataset.name}' holds neither text nor numbers; name another column"
        ) from None
    coded = said.take(pa.array(users)).dictionary_encode()
    place = {value: code for code, value in enumerate(attribute.values)}
    words = coded.dictionary.to_pylist()
    meant = [place.get(attribute.own.get(word, word), -1) for word in words]
    of = np.append(np.array(meant, np.int32), np.int32(-1))
    codes = of[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)].astype(np.int32)
    found = int(np.count_nonzero(codes >= 0))
    strange = [repr(word[:40]) for word, code in zip(words, meant, strict=True) if code < 0]
    if attribute.column is not None:
        _refuse_useless(dataset, name, attribute, codes, strange)
    note = f"known of {found:,} of {len(users):,} users"
    return codes, note + (f"; no value is {', '.join(strange[:5])} of the column" if strange else "")


def _refuse_useless(
    dataset: Dataset, name: str, attribute: Attribute, codes: Int32, strange: list[str]
) -> None:
    """A column that was asked for, and tells nobody from anybody."""
    where = (
        f"scenario 'counterfactual': attribute '{name}': the column '{attribute.column}' of data set"
        f" '{dataset.name}'"
    )
    if not (codes >= 0).any():
        raise UsageError(
            f"{where} holds none of the values ({', '.join(strange[:5]) or 'nothing at all'}, and not"
            f" {', '.join(attribute.values[:5])}); say what they stand for, as in"
            f" own: {{{strange[0] if strange else 'x'}: {attribute.values[0]}}}"
        )
    if len(codes) > 1 and (codes == codes[0]).all():
        raise UsageError(
            f"{where} says '{attribute.values[codes[0]]}' of everybody, so that no two people can be told"
            " apart by it; drop the column to ask about the values all the same"
        )


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
