"""The executor for models that answer many users at once: arrays in, parquet out."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genrec_eval.core.errors import GenrecError
from genrec_eval.core.fingerprint import RECIPE, digest
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.exchange import Tally
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.progress import Task
from genrec_eval.engine.records import drop_stale, part_name, write_part
from genrec_eval.models.check import Malformed, clip
from genrec_eval.models.check_batch import check_batch, failed
from genrec_eval.protocol.arrays import PAD, Vocabulary
from genrec_eval.protocol.batch import RankBatch, RankedBatch
from genrec_eval.protocol.model import BatchModel
from genrec_eval.protocol.status import CODES, FAILED, Status
from genrec_eval.protocol.tables import RECORDS

if TYPE_CHECKING:
    from genrec_eval.scenarios.base import Prepared, Scenario

_KEY = b"genrec_eval.key"


def play_batches(
    scenario: Scenario,
    prepared: Prepared,
    rows: np.ndarray,
    model: BatchModel,
    names: tuple[str, str],
    journal: Journal,
    folder: Path,
    chunk: int,
    repeats: int,
    task: Task,
) -> Tally:
    """Play all cases in chunks; a chunk whose part lies complete under the same key is not repeated.

    Parameters
    ----------
    names
        Model and scenario, as in the suite.
    chunk
        Cases per chunk; memory is bounded by it.
    """
    identity = model.identity()
    identity_digest = digest(identity)
    journal.add_identity(identity_digest, identity)
    cases = prepared.cases.select(["case", "unit", "arm"])
    order = model.arrange(prepared.cases.column("unit").take(rows).combine_chunks())
    rows = rows if order is None else rows[order]
    tally, number = Tally(), 0
    for repeat in range(repeats):
        for start in range(0, len(rows), chunk):
            some = rows[start : start + chunk]
            batch = replace(scenario.batch(prepared, some), repeat=repeat)
            key = _chunk_key(batch, cases.take(some), identity_digest)
            path = folder / part_name(*names, number)
            number += 1
            cached, failed = _stored_key(path) == key, 0
            if cached:
                tally.cached += len(some)
            else:
                table = _play_chunk(model, batch, prepared, some, names)
                status = table.column("status").cast(pa.string())
                failed = int(pc.sum(pc.is_in(status, pa.array(sorted(FAILED)))).as_py())
                # without a key it is not taken for done: memory that ran out may be there next time
                done = not pc.all(pc.equal(status, str(Status.ERROR))).as_py()
                write_part(path, table, {_KEY.decode(): key} if done else None)
                journal.add_chunk(key, identity_digest, path.name, len(some))
                tally.calls += len(some)
                tally.attempts += len(some)
            task.advance(len(some), cached=cached, failed=failed)
    drop_stale(folder, *names, kept=number)
    return tally


def _chunk_key(batch: RankBatch, cases: pa.Table, identity_digest: str) -> str:
    content = hashlib.sha256()
    for array in (batch.history.offsets, batch.history.values, batch.user_codes):
        content.update(array.tobytes())
    if batch.candidates is not None:
        content.update(batch.candidates.offsets.tobytes())
        content.update(batch.candidates.values.tobytes())
    for words in (batch.users, *(cases.column(name) for name in ("case", "unit", "arm"))):
        _add(content, words)
    what = [content.hexdigest(), batch.k, batch.repeat]
    return digest([RECIPE, "rank-batch", *what, _catalogue(batch.items), identity_digest])


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


def _stored_key(path: Path) -> str | None:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return metadata.get(_KEY, b"").decode()


def _play_chunk(
    model: BatchModel, batch: RankBatch, prepared: Prepared, rows: np.ndarray, names: tuple[str, str]
) -> pa.Table:
    sent = time.time()
    try:
        ranked = model.rank(batch)
        if not isinstance(ranked, RankedBatch):
            raise Malformed(f"the answer is a {type(ranked).__name__}, not a RankedBatch")
        ranked = check_batch(batch, ranked)
    except GenrecError:
        raise
    except Malformed as error:
        ranked = failed(len(batch), error.status, str(error))
    except Exception as error:  # a model may raise anything; its users get the status, the run goes on
        ranked = failed(len(batch), Status.ERROR, f"{type(error).__name__}: {clip(str(error), 500)}")
    return _table(ranked, batch, prepared, rows, names, sent, time.time())


def _table(
    ranked: RankedBatch,
    batch: RankBatch,
    prepared: Prepared,
    rows: np.ndarray,
    names: tuple[str, str],
    sent: float,
    end: float,
) -> pa.Table:
    n, items = len(batch), ranked.items
    status = np.zeros(n, np.uint8) if ranked.status is None else ranked.status.copy()
    errors = {row: scrub(str(sentence)) for row, sentence in ranked.errors.items()}
    filled = items != PAD
    top = len(batch.items)
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.count_nonzero(filled, axis=1))]).astype(np.int32))
    codes = items.ravel() if filled.all() else items[filled]
    ids = batch.items.ids
    if ranked.unknown:
        ids = pa.concat_arrays([ids, pa.array(ranked.unknown, pa.string())])
        codes = np.where(codes < 0, top - 2 - codes, codes)
    listed = ids.take(pa.array(codes))
    columns = {
        "model": _constant(names[0], n),
        "scenario": _constant(names[1], n),
        "case": prepared.cases.column("case").take(rows).combine_chunks(),
        "unit": prepared.cases.column("unit").take(rows).combine_chunks(),
        "arm": prepared.cases.column("arm").take(rows).combine_chunks(),
        "repeat": pa.array(np.full(n, batch.repeat, np.int16)),
        "step": pa.array(np.zeros(n, np.int16)),
        "status": pa.DictionaryArray.from_arrays(pa.array(status.astype(np.int32)), [str(s) for s in CODES]),
        "error": pa.array([errors.get(row) for row in range(n)], pa.string()) if errors else None,
        "items": pa.ListArray.from_arrays(offsets, listed),
        "attempts": pa.array(np.ones(n, np.int16)),
        "cached": pa.array(np.zeros(n, np.bool_)),
        "sent": pa.array(np.full(n, sent)),
        "end": pa.array(np.full(n, end)),
    }
    if ranked.scores is not None:
        scores = pa.array(ranked.scores[filled].astype(np.float64))
        columns["item_scores"] = pa.ListArray.from_arrays(offsets, scores)
    arrays = [
        pa.nulls(n, f.type) if columns.get(f.name) is None else columns[f.name].cast(f.type) for f in RECORDS
    ]
    return pa.Table.from_arrays(arrays, schema=RECORDS)


def _constant(word: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [word])
