"""Scores of ranked lists from stored records: by case, then over repeats, then over a unit's cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged, Vocabulary
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.ranking.asked import SHARED
from genrec_eval.scenarios.ranking.catalogue import catalogue_of
from genrec_eval.scenarios.ranking.groups import named_groups
from genrec_eval.scenarios.ranking.records import EXAMPLES, Chunk, Mask, RecordReader, ragged
from genrec_eval.scenarios.ranking.rows import entries, repeated
from genrec_eval.scenarios.ranking.units import Units

NOT_ATTEMPTED = "not-attempted"
"""Reason of units that were never asked."""


@dataclass(frozen=True, slots=True)
class Part:
    """Metrics that are taken over some of the cases.

    Attributes
    ----------
    metrics
        What is computed.
    names
        Metric id in the result → id in ``metrics``.
    rows
        bool[n], the cases; None for all.
    """

    metrics: Sequence[Metric]
    names: Mapping[str, str]
    rows: Mask | None = None


def score(
    parts: Sequence[Part],
    k: int,
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.ranking.base.RankingScenario.score`."""
    items = context["items"]
    reader = RecordReader(cases.column("case").combine_chunks(), Vocabulary(items.column("item")), k)
    asked = _Asked.of(cases, catalogue_of(items), context.get(SHARED))
    units = Units.of(cases)
    first: list[int] = []
    later: dict[int, list[Chunk]] = {}

    def first_repeat() -> Iterator[Chunk]:
        # metrics of the whole run need one repeat at a time; the others wait, as codes
        for repeat, chunk in reader.read(records):
            first[:] = first or [repeat]
            if repeat == first[0]:
                yield chunk
            else:
                later.setdefault(repeat, []).append(chunk)

    streamed = _one_repeat(parts, asked, first_repeat())
    by_repeat = {repeat: _one_repeat(parts, asked, chunks) for repeat, chunks in later.items()}
    by_repeat[(first or [0])[0]] = streamed
    repeats = [by_repeat[repeat] for repeat in sorted(by_repeat)]  # sums must not depend on records' order
    found: dict[str, UnitScores] = {}
    whose = {name: GroupCodes(units.first(one.codes), one.names) for name, one in asked.groups.items()}
    for number, part in enumerate(parts):
        metrics = {metric.id: metric for metric in part.metrics}
        for name, of in part.names.items():
            placed = [
                one[number].scores[of].place(one[number].cases, len(cases), NOT_ATTEMPTED) for one in repeats
            ]
            merged = units.over_cases(_over_repeats(placed), part.rows)
            found[name] = metrics[of].settled(merged, whose)
    return ScoredUnits(
        units=units.ids,
        scores=found,
        groups=units.groups(cases),
        attempted=units.any(reader.attempted),
        answered=units.any(reader.answered),
        remark=_remark(next((s for n, s in found.items() if n.startswith("invalid")), None), reader, items),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The columns of the case table that metrics read."""

    truth: Ragged
    history: Ragged
    catalogue: Catalogue
    grades: Float64 | None
    rejected: Ragged | None
    candidates: Ragged | None
    cut: Int64 | None
    shared: Int32 | None
    groups: Mapping[str, GroupCodes]

    @classmethod
    def of(cls, cases: pa.Table, catalogue: Catalogue, shared: pa.Table | None) -> _Asked:
        names = cases.column_names
        return cls(
            truth=ragged(cases.column("truth")),
            history=ragged(cases.column("history")),
            catalogue=catalogue,
            grades=pc.list_flatten(cases.column("grades")).to_numpy() if "grades" in names else None,
            rejected=ragged(cases.column("rejected")) if "rejected" in names else None,
            candidates=ragged(cases.column("candidates")) if "candidates" in names else None,
            cut=cases.column("cut").to_numpy() if "cut" in names else None,
            shared=None if shared is None else shared.column("code").to_numpy(),
            groups={
                name.removeprefix("group."): named_groups(cases.column(name))
                for name in names
                if name.startswith("group.")
            },
        )

    def lists(self, chunk: Chunk) -> RankedLists:
        rows = chunk.rows
        return RankedLists(
            items=chunk.items,
            truth=self.truth.take(rows),
            history=self.history.take(rows),
            answered=chunk.answered,
            catalogue=self.catalogue,
            grades=None if self.grades is None else self.grades[entries(self.truth, rows)],
            rejected=None if self.rejected is None else self.rejected.take(rows),
            candidates=self._candidates(rows),
            scores=chunk.scores,
            cut=None if self.cut is None else self.cut[rows],
            groups={name: GroupCodes(one.codes[rows], one.names) for name, one in self.groups.items()},
        )

    def _candidates(self, rows: Int64) -> Ragged | None:
        if self.shared is not None:
            return repeated(self.shared, len(rows))
        return None if self.candidates is None else self.candidates.take(rows)


@dataclass(slots=True)
class _Scored:
    """Scores of the cases of one part in one repeat."""

    cases: Int64
    scores: dict[str, UnitScores]


def _one_repeat(parts: Sequence[Part], asked: _Asked, chunks: Iterable[Chunk]) -> list[_Scored]:
    if len(parts) == 1 and parts[0].rows is None:
        rows: list[Int64] = []

        def lists() -> Iterator[RankedLists]:
            for chunk in chunks:
                rows.append(chunk.rows)
                yield asked.lists(chunk)

        scores = score_lists(parts[0].metrics, lists())
        return [_Scored(np.concatenate([np.empty(0, np.int64), *rows]), scores)]
    held = list(chunks)  # several parts read the same lists
    found = []
    for part in parts:
        mine = [piece for chunk in held if len((piece := _only(chunk, part.rows)).rows)]
        scores = score_lists(part.metrics, (asked.lists(piece) for piece in mine))
        found.append(_Scored(np.concatenate([np.empty(0, np.int64), *(c.rows for c in mine)]), scores))
    return found


def _only(chunk: Chunk, rows: Mask | None) -> Chunk:
    if rows is None:
        return chunk
    kept = rows[chunk.rows]
    parts: dict[str, Any] = {field.name: getattr(chunk, field.name) for field in fields(chunk)}
    parts = {name: part if part is None else part[kept] for name, part in parts.items()}
    return Chunk(**parts)


def _over_repeats(placed: list[UnitScores]) -> UnitScores:
    """Mean over the repeats in which a case has a value; its first reason where it has none.

    Additive statistics of the repeats add up.
    """
    if len(placed) == 1:
        return placed[0]
    n = len(placed[0])
    sums, counts, weights = np.zeros(n), np.zeros(n, np.int64), np.zeros(n)
    weighted = any(scores.weights is not None for scores in placed)
    for scores in placed:
        weight = scores.weights if scores.weights is not None else np.ones(n)
        sums += np.where(scores.scored, scores.values * weight, 0.0)
        weights += np.where(scores.scored, weight, 0.0)
        counts += scores.scored
    free = counts == 0
    reasons: dict[str, Mask] = {}
    # a case that was asked once was asked: what became of the answer comes before "not-attempted"
    for name in [*(name for s in placed for name in s.reasons if name != NOT_ATTEMPTED), NOT_ATTEMPTED]:
        for scores in placed:
            if name in scores.reasons:
                mask = scores.reasons[name] & free
                reasons[name] = reasons.get(name, np.zeros(n, bool)) | mask
                free = free & ~mask
    totals = [scores.total for scores in placed if scores.total is not None]
    if not totals:
        means = np.divide(sums, weights, out=np.zeros(n), where=weights > 0)
        average = weights / np.maximum(counts, 1)
        added = [np.where(s.scored[:, None], s.sums, 0.0) for s in placed if s.sums is not None]
        return UnitScores(
            values=means,
            reasons=reasons,
            weights=average if weighted else None,
            sums=np.sum(added, axis=0) if len(added) == len(placed) else None,
        )
    reaches = [scores.reach for scores in placed if scores.reach is not None]
    return UnitScores(
        values=sums / len(placed),  # a unit that is absent from a repeat has no influence on its value
        reasons=reasons,
        total=float(np.mean(totals)),
        reach=float(np.mean(reaches)) if len(reaches) == len(placed) else None,
    )


def _remark(invalid: UnitScores | None, reader: RecordReader, items: pa.Table) -> str | None:
    """A model that speaks of other ids than the catalogue: the commonest mistake of a first run."""
    shares = np.empty(0) if invalid is None else invalid.values[invalid.scored]
    if not reader.strangers or not len(shares) or shares.mean() <= 0.5:
        return None
    strange, known = ([repr(text[:40]) for text in ids] for ids in (reader.strangers, _first_ids(items)))
    return (
        f"{shares.mean():.0%} of the listed ids are not in the catalogue, such as {', '.join(strange)};"
        f" its ids are like {', '.join(known)}"
    )


def _first_ids(items: pa.Table) -> list[str]:
    return [str(text) for text in items.column("item")[:EXAMPLES].to_pylist()]
