"""The executor for models that answer many users at once: arrays in, parquet out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genrec_eval.core.errors import GenrecError
from genrec_eval.core.fingerprint import digest
from genrec_eval.engine.batch_records import chunk_key, record_table
from genrec_eval.engine.exchange import Tally
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.progress import Task
from genrec_eval.engine.records import drop_stale, part_name, write_part
from genrec_eval.models.check import Malformed, clip
from genrec_eval.models.check_batch import check_batch, check_rated, failed, failed_rating
from genrec_eval.protocol.batch import RankBatch, RankedBatch, RateBatch, RatedBatch
from genrec_eval.protocol.model import BatchModel
from genrec_eval.protocol.status import FAILED, Status

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
    asked = cases.take(rows)
    order = model.arrange(asked.column("unit").combine_chunks(), asked.column("case").combine_chunks())
    rows = rows if order is None else rows[order]
    tally, number = Tally(), 0
    for repeat in range(repeats):
        for start in range(0, len(rows), chunk):
            some = rows[start : start + chunk]
            own = cases.take(some)
            batch = replace(scenario.batch(prepared, some), repeat=repeat)
            if isinstance(batch, RankBatch):
                batch = replace(batch, cases=own.column("case").combine_chunks())
            key = chunk_key(batch, own, identity_digest)
            path = folder / part_name(*names, number)
            number += 1
            cached, failed = _stored_key(path) == key, 0
            if cached:
                tally.cached += len(some)
            else:
                table = _play_chunk(model, batch, own, names)
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


def _stored_key(path: Path) -> str | None:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException):
        return None
    return metadata.get(_KEY, b"").decode()


def _play_chunk(
    model: BatchModel, batch: RankBatch | RateBatch, cases: pa.Table, names: tuple[str, str]
) -> pa.Table:
    sent = time.time()
    answer: RankedBatch | RatedBatch
    try:
        answer = _answer(model, batch)
    except GenrecError:
        raise
    except Malformed as error:
        answer = _failed(batch, error.status, str(error))
    except Exception as error:  # a model may raise anything; its users get the status, the run goes on
        answer = _failed(batch, Status.ERROR, f"{type(error).__name__}: {clip(str(error), 500)}")
    return record_table(answer, batch, cases, names, sent, time.time())


def _answer(model: BatchModel, batch: RankBatch | RateBatch) -> RankedBatch | RatedBatch:
    if isinstance(batch, RateBatch):
        rated = model.rate(batch)
        if not isinstance(rated, RatedBatch):
            raise Malformed(f"the answer is a {type(rated).__name__}, not a RatedBatch")
        return check_rated(batch, rated)
    ranked = model.rank(batch)
    if not isinstance(ranked, RankedBatch):
        raise Malformed(f"the answer is a {type(ranked).__name__}, not a RankedBatch")
    return check_batch(batch, ranked)


def _failed(batch: RankBatch | RateBatch, status: Status, sentence: str) -> RankedBatch | RatedBatch:
    return (
        failed_rating(batch, status, sentence)
        if isinstance(batch, RateBatch)
        else failed(len(batch), status, sentence)
    )
