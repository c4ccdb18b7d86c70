"""Scores of ranked lists from stored records, averaged over repeats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Int64, Vocabulary
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.ranking_records import EXAMPLES, Chunk, Mask, RecordReader, ragged

NOT_ATTEMPTED = "not-attempted"
"""Reason of units that were never asked."""


def score(
    metrics: Sequence[Metric],
    k: int,
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.top_k.TopK.score`."""
    items = context["items"]
    units = cases.column("unit").combine_chunks()
    truth, history = ragged(cases.column("truth")), ragged(cases.column("history"))
    catalogue = Catalogue(train_counts=items.column("train_count").to_numpy())
    reader = RecordReader(cases.column("case").combine_chunks(), Vocabulary(items.column("item")), k)
    first: list[int] = []
    later: dict[int, list[Chunk]] = {}

    def lists(chunks: Iterable[Chunk], rows: list[Int64]) -> Iterator[RankedLists]:
        for chunk in chunks:
            rows.append(chunk.rows)
            yield RankedLists(
                items=chunk.items,
                truth=truth.take(chunk.rows),
                history=history.take(chunk.rows),
                answered=chunk.answered,
                catalogue=catalogue,
            )

    def first_repeat() -> Iterator[Chunk]:
        # metrics of the whole run need one repeat at a time; the others wait, as codes
        for repeat, chunk in reader.read(records):
            first[:] = first or [repeat]
            if repeat == first[0]:
                yield chunk
            else:
                later.setdefault(repeat, []).append(chunk)

    def one_repeat(chunks: Iterable[Chunk]) -> tuple[Int64, dict[str, UnitScores]]:
        rows: list[Int64] = []
        scores = score_lists(metrics, lists(chunks, rows))
        return np.concatenate([np.empty(0, np.int64), *rows]), scores

    streamed = one_repeat(first_repeat())
    by_repeat = {
        **{repeat: one_repeat(chunks) for repeat, chunks in later.items()},
        (first or [0])[0]: streamed,
    }
    repeats = [
        by_repeat[repeat] for repeat in sorted(by_repeat)
    ]  # sums must not depend on the records' order
    found = {
        metric.id: _over_repeats([(rows, scores.pop(metric.id)) for rows, scores in repeats], len(units))
        for metric in metrics
    }
    return ScoredUnits(
        units=units,
        scores=found,
        groups={
            name.removeprefix("group."): cases.column(name).combine_chunks()
            for name in cases.column_names
            if name.startswith("group.")
        },
        attempted=reader.attempted,
        answered=reader.answered,
        remark=_remark(found[f"invalid@{k}"], reader, items) if f"invalid@{k}" in found else None,
    )


def _remark(invalid: UnitScores, reader: RecordReader, items: pa.Table) -> str | None:
    """A model that speaks of other ids than the catalogue: the commonest mistake of a first run."""
    shares = invalid.values[invalid.scored]
    if not reader.strangers or not len(shares) or shares.mean() <= 0.5:
        return None
    strange, known = ([repr(text[:40]) for text in ids] for ids in (reader.strangers, _first_ids(items)))
    return (
        f"{shares.mean():.0%} of the listed ids are not in the catalogue, such as {', '.join(strange)};"
        f" its ids are like {', '.join(known)}"
    )


def _first_ids(items: pa.Table) -> list[str]:
    return [str(text) for text in items.column("item")[:EXAMPLES].to_pylist()]


def _over_repeats(repeats: list[tuple[Int64, UnitScores]], n: int) -> UnitScores:
    """Mean over the repeats in which a unit has a value; its first reason where it has none."""
    placed = [scores.place(rows, n, NOT_ATTEMPTED) for rows, scores in repeats]
    if len(placed) == 1:
        return placed[0]
    sums, counts = np.zeros(n), np.zeros(n, np.int64)
    for scores in placed:
        sums += np.where(scores.scored, scores.values, 0.0)
        counts += scores.scored
    free = counts == 0
    reasons: dict[str, Mask] = {}
    # a unit that was asked once was asked: what became of the answer comes before "not-attempted"
    for name in [*(name for s in placed for name in s.reasons if name != NOT_ATTEMPTED), NOT_ATTEMPTED]:
        for scores in placed:
            if name in scores.reasons:
                mask = scores.reasons[name] & free
                reasons[name] = reasons.get(name, np.zeros(n, bool)) | mask
                free = free & ~mask
    totals = [scores.total for scores in placed if scores.total is not None]
    if not totals:
        return UnitScores(values=sums / np.maximum(counts, 1), reasons=reasons)
    reaches = [scores.reach for scores in placed if scores.reach is not None]
    return UnitScores(
        values=sums / len(placed),  # a unit that is absent from a repeat has no influence on its value
        reasons=reasons,
        total=float(np.mean(totals)),
        reach=float(np.mean(reaches)) if len(reaches) == len(placed) else None,
    )
