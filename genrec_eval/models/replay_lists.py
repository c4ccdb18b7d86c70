"""Recorded ranked lists as a batch model."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.models.check_batch import OK, check_batch, encode_ids
from genrec_eval.models.replay_store import Store
from genrec_eval.protocol.arrays import PAD, Int32, Int64, Vocabulary, distinct_of
from genrec_eval.protocol.batch import RankBatch, RankedBatch
from genrec_eval.protocol.model import BatchModel
from genrec_eval.protocol.status import CODES, Status

if TYPE_CHECKING:
    from genrec_eval.models.replay import Format, ReplaySpec

_INVALID, _MISSING = CODES.index(Status.INVALID), CODES.index(Status.MISSING)


def open_lists(path: Path, form: Format, spec: ReplaySpec) -> ReplayModel:
    """Open a file of recorded lists; raises a UsageError that names what is wrong with it."""
    from genrec_eval.models.replay_readers import read_store

    store = read_store(path, form, spec)
    identity = {
        "adapter": "replay",
        "file": digest_file(path),
        "format": form,
        "columns": dict(sorted(spec.columns.items())),
        "separator": spec.separator,
    }
    return ReplayModel(store, identity, path)


class ReplayModel(BatchModel):
    """Answers with what was recorded for a case, else for its user.

    Where users are asked several questions, a file of lists by user answers all of them alike; one by
    case id, such as the records of an earlier run, tells them apart. Users without a record get the
    status ``MISSING``. Lists longer than asked are cut to k, and counted; nulls, NaN and scores of
    another length make a user's list ``INVALID``.
    """

    def __init__(self, store: Store, identity: dict[str, Any], path: Path) -> None:
        self._store = store
        self._path = path
        self._identity = identity
        self._lock = threading.Lock()
        self._missing = self._used = 0
        self._found = 0
        self._cut = 0
        self._untold = 0
        self._planned_users: Any = None
        self._planned_rows: Int64 = np.empty(0, np.int64)
        self._position = 0

    def identity(self) -> dict[str, Any]:
        """Digest of the file and how it is read."""
        return dict(self._identity)

    def facts(self) -> dict[str, int]:
        """Counts worth showing once the users are known: recorded, missing, never asked, cut to k."""
        recorded = len(self._store.users)
        return {
            "recorded users": recorded,
            "users without a record": self._missing,
            "records never asked for": recorded - self._used,
            "questions answered by another's list": self._found - self._used,
            "lists cut to k": self._cut,
            **({"variants and repeats without a list of their own": self._untold} if self._untold else {}),
        }

    def arrange(self, users: Any, cases: Any = None) -> Int64:
        """Order the users as they stand in the file; those without a record come last."""
        if isinstance(users, pa.ChunkedArray):
            users = users.combine_chunks()
        rows = self._look_up(users, cases)
        order = np.argsort(np.where(rows < 0, len(self._store.users), rows), kind="stable")
        keys = users if cases is None else cases
        self._planned_users, self._planned_rows = keys.take(pa.array(order)), rows[order]
        self._position = 0
        self._missing = int(np.count_nonzero(rows < 0))
        self._found = len(rows) - self._missing
        self._used = len(distinct_of(rows[rows >= 0]))
        return order.astype(np.int64, copy=False)

    def rank(self, batch: RankBatch) -> RankedBatch:
        """Read the lists of the batch; cheapest in the order of :meth:`arrange`."""
        with self._lock:
            rows = self._rows(batch)
            if batch.profiles is not None or batch.wordings is not None:
                rows = self._of_their_own(batch, rows)
            filler = _Filler(len(batch), batch.k, batch.items)
            filler.status[rows < 0] = _MISSING
            order = np.argsort(rows, kind="stable")
            order = order[int((rows < 0).sum()) :]
            try:
                for piece in self._store.take(rows[order]):
                    part = order[piece.start : piece.start + len(piece.items)]
                    filler.fill(part, piece.items, piece.scores)
            except UnicodeDecodeError as error:  # arrow takes the bytes of a file for UTF-8 on its word
                raise UsageError(f"{self._path} holds an id that is not UTF-8 text: {error}") from None
            if self._store.refused:
                for position in np.flatnonzero(np.isin(rows, np.fromiter(self._store.refused, np.int64))):
                    status, sentence = self._store.refused[int(rows[position])]
                    filler.refuse(int(position), CODES.index(status), sentence)
            self._cut += filler.cut
        return check_batch(batch, filler.result())

    def _rows(self, batch: RankBatch) -> Int64:
        users = batch.users
        if isinstance(users, pa.ChunkedArray):
            users = users.combine_chunks()
        n = len(users)
        keys = users if batch.cases is None else batch.cases
        if self._planned_users is None:
            return self._look_up(users, batch.cases)
        # The planned order is checked rather than searched: one comparison instead of a hash table
        # of all recorded users for every chunk.
        if not self._planned_users.slice(self._position, n).equals(keys):
            rows = self._look_up(users, batch.cases)
            if n and rows[-1] >= 0:
                self._position = int(np.searchsorted(self._planned_rows[: self._found], rows[-1])) + 1
            return rows
        rows = self._planned_rows[self._position : self._position + n]
        self._position += n
        return rows

    def _of_their_own(self, batch: RankBatch, rows: Int64) -> Int64:
        """Rows for questions that differ in what is told of a user, and are asked again.

        Only a list recorded for the case answers what is asked with an attribute disclosed or in other
        words, and only one recorded as ``case@1``, ``case@2``, ... a repeat: the list of the user, or the
        same list again, would show no change whatever the model would have said.
        """
        told = np.zeros(len(rows), bool)
        for words in [*(batch.profiles or ()), *(() if batch.wordings is None else (batch.wordings,))]:
            told |= np.asarray(words.is_valid())
        asked = batch.users if batch.cases is None else batch.cases
        keys = pc.binary_join_element_wise(asked, f"@{batch.repeat}", "") if batch.repeat else asked
        own = pc.index_in(keys.cast(pa.string()), value_set=self._store.users).fill_null(-1)
        found = own.to_numpy(zero_copy_only=False).astype(np.int64)
        bare = (found < 0) & (told | (batch.repeat > 0))
        self._untold += int(np.count_nonzero(bare & (rows >= 0)))
        return np.where(found >= 0, found, np.where(bare, -1, rows))

    def _look_up(self, users: Any, cases: Any = None) -> Int64:
        found = pc.index_in(users.cast(pa.string()), value_set=self._store.users)
        if cases is not None and not cases.equals(users):
            found = pc.coalesce(pc.index_in(cases.cast(pa.string()), value_set=self._store.users), found)
        return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


class _Filler:
    """Collects pieces into the matrix of one batch."""

    def __init__(self, n: int, k: int, vocabulary: Vocabulary) -> None:
        self.items: Int32 = np.full((n, k), PAD, np.int32)
        self.scores: Any = None
        self.status = np.full(n, OK, np.uint8)
        self.errors: dict[int, str] = {}
        self.unknown: dict[str, int] = {}
        self.cut = 0
        self._bare: list[Int64] = []
        self._k, self._vocabulary = k, vocabulary

    def refuse(self, row: int, status: int, sentence: str) -> None:
        self.items[row] = PAD
        self.status[row] = status
        self.errors[row] = sentence

    def fill(self, rows: Int64, items: Any, scores: Any) -> None:
        """Write the lists of one piece to ``rows`` of the matrix."""
        if pa.types.is_fixed_size_list(items.type):
            items = items.cast(pa.large_list(items.type.value_type))
        offsets = items.offsets.to_numpy().astype(np.int64, copy=False)
        lengths = np.diff(offsets)
        kept = np.minimum(lengths, self._k)
        self.cut += int((lengths > self._k).sum())
        columns = np.arange(self._k)
        slots = columns < kept[:, None]
        values = _values(items, offsets, kept, slots)
        codes, unknown = encode_ids(values, self._vocabulary)
        self._remember(codes, unknown)
        block = np.full(slots.shape, PAD, np.int32)
        block[slots] = codes
        self.items[rows] = block
        self._check_nulls(rows, items, values, slots)
        if scores is not None and scores.null_count == len(scores):  # the column is there, and empty
            self._bare.append(rows)
        elif scores is not None:
            self._fill_scores(rows, scores, lengths, kept, slots)

    def result(self) -> RankedBatch:
        """The batch, no wider than its longest list."""
        for row in np.concatenate([np.empty(0, np.int64), *self._bare]) if self.scores is not None else ():
            if self.status[row] == OK and (self.items[row] != PAD).any():
                self.refuse(int(row), _INVALID, "the recorded list has no scores, and others have")
        used = np.flatnonzero((self.items != PAD).any(axis=0))
        width = int(used[-1]) + 1 if len(used) else 1
        return RankedBatch(
            items=self.items[:, :width],
            unknown=list(self.unknown),
            scores=None if self.scores is None else self.scores[:, :width],
            status=self.status if (self.status != OK).any() else None,
            errors=self.errors,
        )

    def _remember(self, codes: Int32, unknown: list[str]) -> None:
        """Number the unknown ids of this piece among those of the batch."""
        if unknown:
            numbers = [self.unknown.setdefault(name, len(self.unknown)) for name in unknown]
            local = codes <= -2
            codes[local] = -2 - np.asarray(numbers, np.int32)[-2 - codes[local]]

    def _check_nulls(self, rows: Int64, items: Any, values: Any, slots: Any) -> None:
        if items.null_count:
            for at in np.flatnonzero(items.is_null().to_numpy(zero_copy_only=False)):
                self.refuse(int(rows[at]), _INVALID, "the recorded list is null")
        if values.null_count:
            where = np.zeros(slots.shape, bool)
            where[slots] = values.is_null().to_numpy(zero_copy_only=False)
            for at in np.flatnonzero(where.any(axis=1)):
                sentence = f"items[{int(where[at].argmax())}] is null; ids are strings or integers"
                self.refuse(int(rows[at]), _INVALID, sentence)

    def _fill_scores(self, rows: Int64, scores: Any, lengths: Int64, kept: Int64, slots: Any) -> None:
        if pa.types.is_fixed_size_list(scores.type):
            scores = scores.cast(pa.large_list(scores.type.value_type))
        offsets = scores.offsets.to_numpy().astype(np.int64, copy=False)
        if self.scores is None:
            self.scores = np.zeros(self.items.shape)
        wrong = np.diff(offsets) != lengths
        if wrong.any():
            for at in np.flatnonzero(wrong & (self.status[rows] == OK)):
                found = int(offsets[at + 1] - offsets[at])
                sentence = f"scores holds {found} values for {int(lengths[at])} items"
                self.refuse(int(rows[at]), _INVALID, sentence)
            kept = np.where(wrong, 0, kept)
            slots = slots & ~wrong[:, None]
        values = _values(scores, offsets, kept, slots).cast(pa.float64())
        block = np.zeros(slots.shape)
        block[slots] = values.fill_null(np.nan).to_numpy(zero_copy_only=False)
        self.scores[rows] = block


def _values(lists: Any, offsets: Int64, kept: Int64, slots: Any) -> Any:
    """The first ``kept`` values of each list, one after the other."""
    if int(kept.sum()) == int(offsets[-1] - offsets[0]) and bool((kept == np.diff(offsets)).all()):
        return lists.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
    at = (offsets[:-1, None] + np.arange(slots.shape[1]))[slots]
    return lists.values.take(pa.array(at))
