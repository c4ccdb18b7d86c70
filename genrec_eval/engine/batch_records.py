"""Columnar answers: the key of a chunk, and its table of records."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import pyarrow as pa

from genrec_eval.core.fingerprint import RECIPE, digest
from genrec_eval.core.secrets import scrub
from genrec_eval.protocol.arrays import PAD, Vocabulary
from genrec_eval.protocol.batch import RankBatch, RankedBatch, RateBatch, RatedBatch
from genrec_eval.protocol.status import CODES
from genrec_eval.protocol.tables import RECORDS


def chunk_key(batch: RankBatch | RateBatch, cases: pa.Table, identity_digest: str) -> str:
    """Digest of everything that decides the answers to a batch."""
    content = hashlib.sha256()
    for array in (batch.history.offsets, batch.history.values, batch.user_codes):
        content.update(array.tobytes())
    rates = isinstance(batch, RateBatch)
    chosen = batch.targets if isinstance(batch, RateBatch) else batch.candidates
    if chosen is not None:
        content.update(chosen.offsets.tobytes())
        content.update(chosen.values.tobytes())
    for words in (batch.users, *(cases.column(name) for name in ("case", "unit", "arm"))):
        _add(content, words)
    if isinstance(batch, RankBatch):
        _add_disclosed(content, batch)
    what = [content.hexdigest(), 0 if isinstance(batch, RateBatch) else batch.k, batch.repeat]
    kind = "rate-batch" if rates else "rank-batch"
    return digest([RECIPE, kind, *what, _catalogue(batch.items), identity_digest])


def _add_disclosed(content: hashlib._Hash, batch: RankBatch) -> None:
    """What a model is told of people, and in which words; nothing where it is told nothing."""
    told = (
        [] if batch.profiles is None else list(zip(batch.profiles.column_names, batch.profiles, strict=True))
    )
    if batch.wordings is not None:
        told.append(("wording", batch.wordings))
    for name, words in told:
        content.update(name.encode() + b"\0")
        content.update(np.asarray(words.is_null()).tobytes())  # nothing said is not an empty text
        _add(content, words.fill_null(""))


@lru_cache(maxsize=1)
def _catalogue(items: Vocabulary) -> str:
    """Codes mean nothing without the catalogue they point into."""
    content = hashlib.sha256()
    _add(content, items.ids)
    return content.hexdigest()


def _add(content: hashlib._Hash, words: pa.Array | pa.ChunkedArray) -> None:
    whole = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    array = whole.cast(pa.large_string())
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        _, offsets, characters = pa.concat_arrays([chunk]).buffers()
        bounds = np.frombuffer(offsets, np.int64, len(chunk) + 1)
        content.update(bounds.tobytes())
        content.update(memoryview(characters)[: bounds[-1]] if characters is not None else b"")


def record_table(
    answer: RankedBatch | RatedBatch,
    batch: RankBatch | RateBatch,
    cases: pa.Table,
    names: tuple[str, str],
    sent: float,
    end: float,
) -> pa.Table:
    """The answers to a batch as records; ``cases`` has the columns case, unit and arm."""
    n = len(batch)
    status = np.zeros(n, np.uint8) if answer.status is None else answer.status.copy()
    errors = {row: scrub(str(sentence)) for row, sentence in answer.errors.items()}
    columns = {
        "model": _constant(names[0], n),
        "scenario": _constant(names[1], n),
        "case": cases.column("case").combine_chunks(),
        "unit": cases.column("unit").combine_chunks(),
        "arm": cases.column("arm").combine_chunks(),
        "repeat": pa.array(np.full(n, batch.repeat, np.int16)),
        "step": pa.array(np.zeros(n, np.int16)),
        "status": pa.DictionaryArray.from_arrays(pa.array(status.astype(np.int32)), [str(s) for s in CODES]),
        "error": pa.array([errors.get(row) for row in range(n)], pa.string()) if errors else None,
        "attempts": pa.array(np.ones(n, np.int16)),
        "cached": pa.array(np.zeros(n, np.bool_)),
        "sent": pa.array(np.full(n, sent)),
        "end": pa.array(np.full(n, end)),
    }
    if isinstance(answer, RatedBatch):
        assert isinstance(batch, RateBatch)
        values = pa.array(answer.ratings, pa.float64(), mask=np.isnan(answer.ratings))
        columns["ratings"] = pa.ListArray.from_arrays(pa.array(batch.targets.offsets, pa.int32()), values)
    else:
        assert isinstance(batch, RankBatch)
        columns.update(_lists(answer, batch))
    arrays = [
        pa.nulls(n, f.type) if columns.get(f.name) is None else columns[f.name].cast(f.type) for f in RECORDS
    ]
    return pa.Table.from_arrays(arrays, schema=RECORDS)


def _lists(ranked: RankedBatch, batch: RankBatch) -> dict[str, pa.Array]:
    items = ranked.items
    filled = items != PAD
    top = len(batch.items)
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.count_nonzero(filled, axis=1))]).astype(np.int32))
    codes = items.ravel() if filled.all() else items[filled]
    ids = batch.items.ids
    if ranked.unknown:
        ids = pa.concat_arrays([ids, pa.array(ranked.unknown, pa.string())])
        codes = np.where(codes < 0, top - 2 - codes, codes)
    listed = ids.take(pa.array(codes))
    columns = {"items": pa.ListArray.from_arrays(offsets, listed)}
    if ranked.scores is not None:
        scores = pa.array(ranked.scores[filled].astype(np.float64))
        columns["item_scores"] = pa.ListArray.from_arrays(offsets, scores)
    return columns


def _constant(word: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [word])
