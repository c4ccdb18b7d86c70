"""Two data sets as one: a catalogue of both, the target's interactions, the source's beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.data.dataset import Dataset, Interactions, Training
from genrec_eval.data.splits.split import Split
from genrec_eval.protocol.arrays import Int32, Vocabulary, stable_order


@dataclass(frozen=True, slots=True)
class Both:
    """The two data sets in one vocabulary.

    Attributes
    ----------
    dataset
        The target's interactions over the users and items of both.
    source
        The source's interactions in the same codes.
    target_items
        Codes of the target's items.
    shared_users
        User ids that occur on both sides, taken for the same person.
    only_source
        Users of the source alone.
    """

    dataset: Dataset
    source: Interactions
    target_items: Int32
    shared_users: int
    only_source: int


def both(source: Dataset, target: Dataset, name: str, shared_users: bool) -> Both:
    """Put ``source`` and ``target`` into one vocabulary; equal item ids are different items."""
    taken = pc.is_in(source.items.ids, value_set=target.items.ids)
    items = _prefixed(source.items.ids, taken, name)
    known = pc.is_in(source.users.ids, value_set=target.users.ids)
    users = source.users.ids if shared_users else _prefixed(source.users.ids, known, name)
    _refuse_twice(source.name, name, "item", pa.concat_arrays([items, target.items.ids]))
    if not shared_users:
        _refuse_twice(source.name, name, "user", pa.concat_arrays([users, target.users.ids]))
    people = Vocabulary(
        pa.concat_arrays(
            [target.users.ids, users.filter(pc.invert(pc.is_in(users, value_set=target.users.ids)))]
        )
    )
    catalogue = Vocabulary(pa.concat_arrays([target.items.ids, items]))
    log = source.interactions
    recoded = Interactions(
        user=people.encode(users)[log.user],
        item=(log.item + len(target.items)).astype(np.int32),
        rating=log.rating,
        timestamp=log.timestamp,
    )
    return Both(
        dataset=replace(
            target,
            users=people,
            items=catalogue,
            item_table=_stacked(target.item_table, source.item_table, catalogue.ids, "item"),
            user_table=_stacked(target.user_table, source.user_table, people.ids, "user"),
            digest=digest({"target": target.digest, "source": source.digest, "shared_users": shared_users}),
        ),
        source=recoded,
        target_items=np.arange(len(target.items), dtype=np.int32),
        shared_users=int(pc.sum(known).as_py() or 0) if shared_users else 0,
        only_source=len(people) - len(target.users),
    )


def with_source(two: Both, split: Split, keep: bool) -> Training:
    """The training of ``split`` with the source's interactions in its place, or beside it when ``keep``."""
    training = split.training
    log = _concatenated(two.source, training.interactions) if keep else two.source
    return replace(
        training,
        interactions=log,
        reviews=training.reviews if keep else None,
        digest=digest({"training": training.digest, "source": two.dataset.digest, "kept": keep}),
    )


def _refuse_twice(of: str, name: str, what: str, ids: pa.Array) -> None:
    """Putting the name before an id may make another id that is there already."""
    counts = pc.value_counts(ids)
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        first = twice.field("values")[0].as_py()
        raise UsageError(
            f"scenario 'cross-domain': two {what}s of data set '{of}' and the target would both be called"
            f" '{first}'; give the source '{name}' another name in the suite"
        )


def _prefixed(ids: pa.Array, which: pa.Array, name: str) -> pa.Array:
    return pc.if_else(which, pc.binary_join_element_wise(pa.scalar(name), ids, ":"), ids)


def _stacked(first: pa.Table, second: pa.Table, ids: pa.Array, role: str) -> pa.Table:
    """Rows of both tables in the order of ``ids``; columns that differ in type are those of the first."""
    extra = len(ids) - len(first)
    columns = {role: ids}
    for name in [*first.column_names[1:], *second.column_names[1:]]:
        if name in columns:
            continue
        upper = first.column(name).combine_chunks() if name in first.column_names else None
        lower = second.column(name).combine_chunks() if name in second.column_names else None
        if lower is not None and len(lower) != extra:
            lower = None  # people of both sides: only the first says who they are
        known = [part.type for part in (upper, lower) if part is not None]
        kind = known[0] if known else pa.string()
        if lower is not None and lower.type != kind:
            lower = None
        columns[name] = pa.concat_arrays(
            [
                upper if upper is not None else pa.nulls(len(first), kind),
                lower if lower is not None else pa.nulls(extra, kind),
            ]
        )
    return pa.table(columns)


def _concatenated(first: Interactions, second: Interactions) -> Interactions:
    """Both logs in the order of time, where both have times."""
    timed = first.timestamp is not None and second.timestamp is not None
    rated = first.rating is not None and second.rating is not None
    user = np.concatenate([first.user, second.user])
    item = np.concatenate([first.item, second.item])
    rating = np.concatenate([first.rating, second.rating]) if rated else None
    when = np.concatenate([first.timestamp, second.timestamp]) if timed else None
    order = np.arange(len(user)) if when is None else stable_order(when)
    return Interactions(
        user=user[order],
        item=item[order],
        rating=None if rating is None else rating[order],
        timestamp=None if when is None else when[order],
    )
