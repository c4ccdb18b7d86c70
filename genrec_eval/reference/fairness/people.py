"""What a model is told of people: by the question's profile, or by the table of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Int32, Int64, Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.hashing import UInt64, hash_strings, mix
from genrec_eval.reference.lists import Bools, row_numbers


def disclose(batch: RankBatch, conditions: Sequence[tuple[str, str]]) -> Bools:
    """bool[n], the rows whose profile discloses every one of these values of attributes."""
    holds = np.ones(len(batch), bool)
    for attribute, value in conditions:
        if batch.profiles is None or attribute not in batch.profiles.column_names:
            return np.zeros(len(batch), bool)
        holds &= _equal(batch.profiles.column(attribute), value)
    return holds


def anything_disclosed(batch: RankBatch) -> Bools:
    """bool[n], the rows whose profile discloses anything."""
    told = np.zeros(len(batch), bool)
    for column in [] if batch.profiles is None else batch.profiles.columns:
        told |= column.is_valid().to_numpy()
    return told


def variant_keys(batch: RankBatch, seed: int) -> UInt64:
    """A 64-bit key per row of what is disclosed, in whatever order of columns, and of the wording.

    0 where nothing is disclosed and the wording is the usual one.
    """
    said = (
        {} if batch.profiles is None else dict(zip(batch.profiles.column_names, batch.profiles, strict=True))
    )
    if batch.wordings is not None:
        said[""] = batch.wordings  # no attribute is called that
    keys = np.zeros(len(batch), np.uint64)
    for name, column in said.items():
        told = hash_strings(pc.fill_null(column.cast(pa.string()), ""), seed)
        keys += np.where(np.asarray(column.is_valid()), mix(told ^ hash_strings(pa.array([name]), seed)), 0)
    return keys


def members(model: str, training: Training, conditions: Sequence[tuple[str, str]]) -> Bools:
    """bool[users + 1], the users whose row of the table holds all these values; False for the last.

    Raises
    ------
    UsageError
        When the table has no such attribute, or no user of these values.
    """
    holds = np.ones(len(training.users), bool)
    for attribute, value in conditions:
        holds &= _holding(model, training, "user", training.user_table, attribute, value)
    if not holds.any():
        both = " and ".join(f"{attribute} '{value}'" for attribute, value in conditions)
        raise UsageError(
            f"reference model '{model}': no user of data set '{training.dataset}' has {both} at once"
        )
    return np.append(holds, False)


def items_of(model: str, training: Training, column: str, value: str) -> Bools:
    """bool[items], the items whose row of the table holds this value.

    Raises
    ------
    UsageError
        When the table has no such column, or no item of that value.
    """
    return _holding(model, training, "item", training.item_table, column, value)


def _holding(model: str, training: Training, row: str, table: pa.Table, column: str, value: str) -> Bools:
    """bool[n], the rows of a table of users or items that hold the value; there is at least one."""
    known = table.column_names[1:]
    if column not in known:
        raise UsageError(
            f"reference model '{model}': the {row}s of data set '{training.dataset}' have no column"
            f" '{column}'{did_you_mean(column, known)} (columns: {', '.join(known) or 'none'})"
        )
    of_value = _equal(_text(model, table, column), value)
    if not of_value.any():
        raise UsageError(
            f"reference model '{model}': no {row} of data set '{training.dataset}' has"
            f" {column} '{value}'{among(table.column(column), value)}"
        )
    return of_value


def among(column: pa.ChunkedArray, value: str) -> str:
    """What values there are, at the end of a sentence that says that one is not among them."""
    values = sorted(map(str, pc.unique(column.drop_null()).to_pylist()))
    some = ", ".join(values[:8]) + (", ..." if len(values) > 8 else "")
    return f"{did_you_mean(value, values)} (values: {some or 'none'})"


def rows_of(batch: RankBatch, rows: Int64, besides: Int32 | None = None) -> RankBatch:
    """Some rows of a batch without what they disclose; ``besides``, int32[rows, width], count as seen."""
    seen = batch.history.take(rows)
    if besides is not None:
        owner = np.repeat(np.arange(len(rows)), besides.shape[1])
        seen = Ragged.group(
            np.concatenate([row_numbers(seen), owner]),
            np.concatenate([seen.values, besides.ravel()]),
            len(rows),
        )
    return replace(
        batch,
        users=batch.users.take(pa.array(rows)),
        user_codes=batch.user_codes[rows],
        history=seen,
        candidates=None if batch.candidates is None else batch.candidates.take(rows),
        cases=None,
        profiles=None,
        wordings=None,
    )


def _text(model: str, table: pa.Table, column: str) -> pa.ChunkedArray:
    try:
        return table.column(column).cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"reference model '{model}': the column '{column}' holds {table.column(column).type} values;"
            " choose a column of text or numbers"
        ) from None


def _equal(column: pa.ChunkedArray, value: str) -> Bools:
    found: Bools = pc.equal(column.cast(pa.string()), value).fill_null(False).to_numpy()
    return found
