"""Check ranked lists of many users at once, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.models.check import ID_LENGTH, LARGEST_RATING, Malformed
from genrec_eval.protocol.arrays import PAD, Int32, Vocabulary
from genrec_eval.protocol.batch import RankBatch, RankedBatch, RateBatch, RatedBatch
from genrec_eval.protocol.status import CODES, Status

OK = CODES.index(Status.OK)


def failed(n: int, status: Status, sentence: str) -> RankedBatch:
    """A batch in which no user got an answer, for one and the same reason."""
    return RankedBatch(
        items=np.full((n, 1), PAD, np.int32),
        status=np.full(n, CODES.index(status), np.uint8),
        errors=dict.fromkeys(range(n), sentence),
    )


def check_batch(batch: RankBatch, ranked: RankedBatch) -> RankedBatch:
    """Return ``ranked`` with a status for every row that is not a proper answer.

    Raises
    ------
    Malformed
        When shapes or types are wrong for the whole batch.
    """
    n = len(batch)
    items = np.asarray(ranked.items)
    if items.dtype.kind not in "iu" or items.ndim != 2:
        raise Malformed(f"items is {items.dtype}[{items.ndim} axes]; catalogue codes are int32[n, k]")
    if len(items) != n:
        raise Malformed(f"items holds {len(items)} rows for {n} users")
    if items.shape[1] == 0:
        items = np.full((n, 1), PAD, np.int32)
    scores = None if ranked.scores is None else np.asarray(ranked.scores)
    if scores is not None and (scores.dtype.kind not in "fiu" or scores.shape != items.shape):
        raise Malformed(f"scores is {scores.dtype}{list(scores.shape)} beside items{list(items.shape)}")
    status = np.full(n, OK, np.uint8) if ranked.status is None else np.array(ranked.status, np.uint8)
    if status.shape != (n,) or (n and int(status.max()) >= len(CODES)):
        raise Malformed(f"status is not one known code for each of {n} users")
    errors = dict(ranked.errors)

    highest, lowest = len(batch.items) - 1, -1 - len(ranked.unknown)
    wrong = (items > highest) | (items < lowest)
    sentence = "items[{at}] is {value}; catalogue codes run from 0 to " + str(highest)
    _refuse(status, errors, wrong, items, sentence)
    hole = (items[:, :-1] == PAD) & (items[:, 1:] != PAD)
    _refuse(status, errors, hole, items, "items[{at}] is empty (-1) before the end of the list")
    _refuse_long(status, errors, items, ranked.unknown)
    if scores is not None:
        bad = ~np.isfinite(scores) & (items != PAD)
        _refuse(status, errors, bad, scores, "scores holds {value} at position {at}")
    dropped = np.isin(status, [CODES.index(Status.INVALID), CODES.index(Status.OVERSIZED)])
    dropped |= wrong.any(axis=1) | hole.any(axis=1)  # whatever status the model gave them
    if dropped.any():  # codes out of range must not reach a metric as indices
        items = np.where(dropped[:, None], np.int32(PAD), items)
    changed = ranked.status is not None or bool((status != OK).any())
    return RankedBatch(
        items=items.astype(np.int32, copy=False),
        unknown=ranked.unknown,
        scores=None if scores is None else scores.astype(np.float64, copy=False),
        status=status if changed else None,
        errors=errors,
    )


def failed_rating(batch: RateBatch, status: Status, sentence: str) -> RatedBatch:
    """A batch in which no user got a rating, for one and the same reason."""
    n = len(batch)
    return RatedBatch(
        ratings=np.full(len(batch.targets.values), np.nan),
        status=np.full(n, CODES.index(status), np.uint8),
        errors=dict.fromkeys(range(n), sentence),
    )


def check_rated(batch: RateBatch, rated: RatedBatch) -> RatedBatch:
    """Return ``rated`` with a status for every user with an infinite rating, or one on no scale.

    Raises
    ------
    Malformed
        When shapes or types are wrong for the whole batch.
    """
    n, ratings = len(batch), np.asarray(rated.ratings)
    if ratings.dtype.kind not in "fiu" or ratings.shape != batch.targets.values.shape:
        raise Malformed(
            f"ratings is {ratings.dtype}{list(ratings.shape)} for {len(batch.targets.values)} items to rate"
        )
    status = np.full(n, OK, np.uint8) if rated.status is None else np.array(rated.status, np.uint8)
    if status.shape != (n,) or (n and int(status.max()) >= len(CODES)):
        raise Malformed(f"status is not one known code for each of {n} users")
    ratings, errors = ratings.astype(np.float64), dict(rated.errors)
    rows = np.repeat(np.arange(n), batch.targets.lengths)
    with np.errstate(invalid="ignore"):
        wild = np.flatnonzero(np.abs(ratings) > LARGEST_RATING)
    for place in wild[np.unique(rows[wild], return_index=True)[1]].tolist():
        what = "infinite" if np.isinf(ratings[place]) else f"{ratings[place]:g}, which is on no scale"
        errors[int(rows[place])] = f"a predicted rating is {what}"
        status[rows[place]] = CODES.index(Status.INVALID)
    ratings[status[rows] != OK] = np.nan
    return RatedBatch(ratings=ratings, status=status, errors=errors)


def encode_ids(ids: pa.Array, vocabulary: Vocabulary) -> tuple[Int32, list[str]]:
    """Codes of ids of any integer, string or dictionary type.

    Every distinct id is looked up once, however often it occurs.

    Returns
    -------
    codes, unknown
        int32[n] with -1 for nulls and ``-2 - j`` for ``unknown[j]``.

    Raises
    ------
    Malformed
        When ids are neither strings nor integers.
    """
    coded = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
    words = coded.dictionary
    if not (is_text(words.type) or pa.types.is_integer(words.type)):
        raise Malformed(f"items are of type {words.type}; ids are strings or integers")
    table = np.append(vocabulary.encode(words), np.int32(PAD))
    missing = np.flatnonzero(table[:-1] == PAD)
    unknown: list[str] = []
    if len(missing):
        # A dictionary may hold words that no list uses: only those that occur are worth keeping.
        used = np.zeros(len(words) + 1, bool)
        used[coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)] = True
        missing = missing[used[missing]]
        names = words.take(pa.array(missing)).cast(pa.string())
        kept = names.is_valid().to_numpy(zero_copy_only=False)
        unknown = names.filter(names.is_valid()).to_pylist()
        table[missing[kept]] = -2 - np.arange(len(unknown), dtype=np.int32)
    return table[coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)], unknown


def is_text(kind: Any) -> bool:
    """Whether an arrow type holds strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _refuse(status: Any, errors: dict[int, str], bad: Any, values: Any, sentence: str) -> None:
    invalid = CODES.index(Status.INVALID)
    for row in np.flatnonzero(bad.any(axis=1) & (status == OK)):
        at = int(bad[row].argmax())
        errors[int(row)] = sentence.format(at=at, value=values[row, at])
        status[row] = invalid


def _refuse_long(status: Any, errors: dict[int, str], items: Int32, unknown: list[str]) -> None:
    for number, name in enumerate(unknown):
        if len(name) > ID_LENGTH:
            sentence = f"an id has {len(name):,} characters; an id may have {ID_LENGTH:,}"
            for row in np.flatnonzero((items == -2 - number).any(axis=1) & (status == OK)):
                errors[int(row)] = sentence
                status[row] = CODES.index(Status.OVERSIZED)
