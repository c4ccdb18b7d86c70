"""From columns as read to a dataset: ids to codes, order in time, duplicates counted, tables aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.data.dataset import Dataset, GivenCases, Interactions
from genrec_eval.data.tables.duplicates import duplicates
from genrec_eval.data.tables.ids import by_id, codes_of
from genrec_eval.data.tables.log import CaseLog, Log, Rows
from genrec_eval.data.tables.numbers import ratings_of, times_of
from genrec_eval.data.tables.streams import clip
from genrec_eval.protocol.arrays import Int32, Int64, Ragged, Vocabulary, distinct_of, stable_order

_LISTS = ("truth", "history", "candidates")


def assemble(
    log: Log,
    *,
    name: str,
    digest: str,
    item_table: pa.Table | None = None,
    user_table: pa.Table | None = None,
    given: CaseLog | None = None,
    groups: tuple[str, ...] = (),
    licence: str | None = None,
    source: str | None = None,
    facts: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
) -> Dataset:
    """Make the dataset.

    ``item_table`` and ``user_table`` have distinct string ids in their first column, ``item`` and
    ``user``; ids that only the interactions or the given cases know are added below with empty
    attributes, items by id. With ``given`` cases the log may be empty.

    Raises
    ------
    UsageError
        For the first missing id, rating or time, and for ratings that are not finite.
    """
    told = list(warnings)
    columns = {} if given is None else _flat(given)
    user, item, listed, user_ids, item_ids = _encoded(log, given, columns)
    rating = None if log.rating is None else ratings_of(log, log.rating)
    timestamp = None if log.timestamp is None else times_of(log, log.timestamp, told)
    users, user_place = _align(user_table, user_ids, "user")
    items, item_place = _align(item_table, item_ids, "item")
    user, item = user_place[user], item_place[item]

    read = len(item)
    user, user_of_case = user[:read], user[read:]
    order: Int64 = np.arange(read) if timestamp is None else stable_order(timestamp)
    keep, again = duplicates(user, item, timestamp, rating, order)
    examples = [
        f"rows {a + 1} and {b + 1}: user {clip(users.column(0)[int(user[a])])},"
        f" item {clip(items.column(0)[int(item[a])])}"
        for a, b in again.examples
    ]
    if again.count:
        told.append(
            f"{again.count} duplicate rows are dropped, the first of each kept; {'; '.join(examples)}"
        )
    order = order[keep]
    interactions = Interactions(
        user=user[order],
        item=item[order],
        rating=None if rating is None else rating[order],
        timestamp=None if timestamp is None else timestamp[order],
        row=order,
    )
    ambiguous = _ambiguous(items)
    if ambiguous:
        told.append(f"{ambiguous} titles are shared by several items; text alone cannot tell them apart")
    strangers = _added(items, item_table)
    if strangers:
        some = ", ".join(clip(item) for item in items.column("item").slice(items.num_rows - strangers, 3))
        told.append(
            f"{strangers} of {len(item_ids)} items of the interactions are not among the items described,"
            f" which are matched by id: {some}"
        )
    cases = None
    if given is not None:
        lists = {role: Ragged(columns[role][0], item_place[codes]) for role, codes in listed.items()}
        cases = _cases(given, user_of_case, lists, interactions, told)
    return Dataset(
        name=name,
        users=Vocabulary(users.column("user")),
        items=Vocabulary(items.column("item")),
        interactions=interactions,
        item_table=items,
        user_table=users,
        groups=groups,
        digest=digest,
        licence=licence,
        source=source,
        given=cases,
        facts={
            "rows_read": read,
            "interactions": len(interactions),
            "duplicates_dropped": again.count,
            "duplicates_with_another_rating": again.conflicting,
            "duplicate_examples": examples,
            "users": users.num_rows,
            "items": items.num_rows,
            "items_without_interactions": items.num_rows - len(distinct_of(item)),
            "items_added_from_interactions": strangers,
            "users_added_from_interactions": _added(users, user_table),
            "ambiguous_titles": ambiguous,
            **({} if cases is None else {"given_cases": len(cases)}),
            **(facts or {}),
            "warnings": told,
        },
    )


def _flat(given: CaseLog) -> dict[str, tuple[Int64, pa.Array]]:
    """Offsets and ids of each kind of list."""
    columns = {}
    for role in _LISTS:
        column: pa.ChunkedArray | None = getattr(given, role)
        if column is None:
            continue
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        columns[role] = (offsets, pc.list_flatten(column))
    return columns


def _encoded(
    log: Log, given: CaseLog | None, columns: Mapping[str, tuple[Int64, pa.Array]]
) -> tuple[Int32, Int32, dict[str, Int32], pa.Array, pa.Array]:
    """Codes of users (those of the cases below), of items, of listed items; ids of users and items."""
    users = [codes_of(log, "user", log.user)]
    items = [codes_of(log, "item", log.item)]
    if given is not None:
        users.append(codes_of(given, "user", given.user))
        for role, (offsets, ids) in columns.items():
            items.append(codes_of(_Places(given, offsets), role, ids))
    (user, *of_cases), user_ids = _merged(users)
    (item, *lists), item_ids = _merged(items)
    place, item_ids = by_id(np.arange(len(item_ids), dtype=np.int32), item_ids)
    listed = {role: place[codes] for role, codes in zip(columns, lists, strict=True)}
    return np.concatenate([user, *of_cases]), place[item], listed, user_ids, item_ids


class _Places(Rows):
    """The places in the lists of all cases, so that a missing id is found in its case's row."""

    def __init__(self, given: CaseLog, offsets: Int64) -> None:
        def where(place: int) -> str:
            return given.where(int(np.searchsorted(offsets, place, "right")) - 1)

        super().__init__(where=where, names=given.names)


def _merged(parts: Sequence[tuple[Int32, pa.Array]]) -> tuple[list[Int32], pa.Array]:
    """Codes of all parts in one vocabulary, in order of first appearance."""
    if len(parts) == 1:
        return [parts[0][0]], parts[0][1]
    encoded = pa.concat_arrays([ids.cast(pa.string()) for _, ids in parts]).dictionary_encode()
    place = encoded.indices.to_numpy().astype(np.int32)
    starts = np.cumsum([0, *(len(ids) for _, ids in parts)])
    return [
        place[start : start + len(ids)][codes] for start, (codes, ids) in zip(starts, parts, strict=False)
    ], encoded.dictionary


def _cases(
    given: CaseLog, user: Int32, lists: Mapping[str, Ragged], interactions: Interactions, told: list[str]
) -> GivenCases:
    history = lists.get("history")
    if history is None:
        n = int(max(interactions.user.max(initial=-1), user.max(initial=-1))) + 1
        history = Ragged.group(interactions.user, interactions.item, n).take(user.astype(np.int64))
    return GivenCases(
        user=user,
        history=history,
        truth=lists["truth"],
        candidates=lists.get("candidates"),
        timestamp=None if given.timestamp is None else times_of(given, given.timestamp, told),
    )


def _align(table: pa.Table | None, ids: pa.Array, role: str) -> tuple[pa.Table, Int32]:
    """The table with a row for every id, and the row of each id."""
    if table is None:
        return pa.table({role: ids}), np.arange(len(ids), dtype=np.int32)
    place = Vocabulary(table.column(role)).encode(ids).copy()
    missing = np.flatnonzero(place < 0)
    place[missing] = table.num_rows + np.arange(len(missing))
    if len(missing):
        extra = pa.table({role: ids.take(pa.array(missing))})
        table = pa.concat_tables([table, extra], promote_options="default").combine_chunks()
    return table, place


def _added(table: pa.Table, given: pa.Table | None) -> int:
    return 0 if given is None else table.num_rows - given.num_rows


def _ambiguous(items: pa.Table) -> int:
    if "title" not in items.column_names:
        return 0
    counts = items.column("title").drop_null().value_counts()
    return int(pc.sum(pc.greater(counts.field("counts"), 1)).as_py() or 0)
