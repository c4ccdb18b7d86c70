"""Flips: instances whose status changed, or whose score crossed between nothing and something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.audit.comparing.answers import Answer, Int8, Kept, answers, statuses
from genrec_eval.audit.comparing.meaning import refused
from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.types import Answered, Flip
from genrec_eval.audit.sources.base import Mask
from genrec_eval.audit.sources.matched import Int64, Matched
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.metrics.base import Metric
from genrec_eval.protocol.arrays import Vocabulary
from genrec_eval.protocol.status import CODES, FAILED, Status

Kind = Literal["status", "gained", "lost", "changed"]

MOST_CASES = 20
"""Cases of a unit among which the one that is shown is looked for."""

_ARROW = " → "


def flips(
    candidate: RunSource,
    reference: RunSource,
    partners: Sequence[Partners],
    matched: Mapping[str, Matched],
    *,
    wanted: Sequence[str] | None = None,
    shown: int = 50,
) -> tuple[list[Flip], list[dict[str, Any]], list[dict[str, Any]]]:
    """The first flips of each scenario, model and metric, the largest change first, and counts of all; then
    the units that flipped under any metric, each counted once.

    A case's status is that of most of its records. A score is that of a unit: its mean over repeats and
    cases; a unit with several cases is shown by the first of them whose answers differ. Scores are looked at
    under the first metric of the scenario that has a better side, and under every metric whose values are 0
    or 1; where the very units flip that another metric shows, they are counted, with ``as`` naming it, and
    not shown again.

    Parameters
    ----------
    wanted
        Ids of the metrics to look at; all when None. Statuses are always looked at.
    """
    found: list[Flip] = []
    counts: list[dict[str, Any]] = []
    units: list[dict[str, Any]] = []
    for scenario in dict.fromkeys(one.scenario for one in partners):
        asked = _Asked.of(candidate, reference, scenario, matched[scenario])
        chosen = [
            metric
            for metric in _chosen(candidate.measured(scenario))
            if (wanted is None or metric.id in wanted)
            and refused(candidate, reference, scenario, metric) is None
        ]
        for one in partners:
            if one.scenario == scenario:
                turned = _Turned(candidate, reference, one, asked, shown)
                turned.look(chosen)
                found += turned.flips()
                counts += turned.counts
                units += turned.units()
    return found, counts, units


def _chosen(metrics: Sequence[Metric]) -> list[Metric]:
    """The main metric, and those whose values are 0 or 1."""
    main = next((one for one in metrics if one.definition.direction != "none"), None)
    return [one for one in metrics if one is main or one.definition.values == "indicator"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The cases that both runs asked the same.

    Attributes
    ----------
    cases, reference_rows
        Ids of the candidate's cases whose units are paired, and their rows in the reference's case table.
    rows
        Their rows in the candidate's.
    units
        Id of the unit of each.
    pair
        int64[n], its place among the pairs.
    """

    matched: Matched
    every: Vocabulary
    every_reference: Vocabulary
    cases: pa.Array
    rows: Int64
    reference_rows: Int64
    pair: Int64
    names: pa.Array

    @classmethod
    def of(cls, candidate: RunSource, reference: RunSource, scenario: str, matched: Matched) -> _Asked:
        table = candidate.directory.cases(scenario).select(["case", "unit"])
        names = candidate.units(scenario).names
        assert names is not None
        place = np.full(len(names), -1, np.int64)
        place[matched.candidate] = np.arange(len(matched.candidate))
        of = pc.index_in(table.column("unit").combine_chunks(), value_set=names)
        pair = place[of.to_numpy(zero_copy_only=False).astype(np.int64)]
        every = Vocabulary(table.column("case"))
        other = Vocabulary(reference.directory.cases(scenario).column("case"))
        there = other.encode(every.ids).astype(np.int64)
        rows = np.flatnonzero((pair >= 0) & (there >= 0))
        return cls(
            matched=matched,
            every=every,
            every_reference=other,
            cases=every.ids.take(pa.array(rows)),
            rows=rows,
            reference_rows=there[rows],
            pair=pair[rows],
            names=names,
        )

    def unit(self, pair: int) -> str:
        """Id of the unit of a pair."""
        return str(self.names[int(self.matched.candidate[pair])].as_py())

    def by_pair(self) -> tuple[Int64, Int64]:
        """Rows of :attr:`cases` in the order of the pairs, and where each pair begins."""
        order = np.argsort(self.pair, kind="stable")
        return order, np.searchsorted(self.pair[order], np.arange(len(self.matched.candidate) + 1))


@dataclass(frozen=True, slots=True)
class _Found:
    """A flip before its answers are read: of a case, or of a unit with several."""

    metric: str | None
    kind: Kind
    unit: str
    cases: tuple[str, ...]
    reference: float | None = None
    candidate: float | None = None


class _Turned:
    """The flips of one model in one scenario."""

    def __init__(
        self, candidate: RunSource, reference: RunSource, one: Partners, asked: _Asked, shown: int
    ) -> None:
        self.candidate, self.reference, self.one, self.asked, self.shown = (
            candidate,
            reference,
            one,
            asked,
            shown,
        )
        self.counts: list[dict[str, Any]] = []
        self.found: list[_Found] = []
        self._seen: dict[tuple[bytes, bytes], str] = {}
        self._turned: dict[str, Mask] = {}
        own = statuses(candidate, one.model, one.scenario, asked.every)[asked.rows]
        other = statuses(reference, one.reference_model, one.scenario, asked.every_reference)
        self.status: tuple[Int8, Int8] = (other[asked.reference_rows], own)

    def look(self, metrics: Sequence[Metric]) -> None:
        """Find all, count them, keep the first."""
        self._statuses()
        order, starts = self.asked.by_pair()
        for metric in metrics:
            self._scores(metric, order, starts)

    def _statuses(self) -> None:
        old, new = self.status
        turned = np.flatnonzero(old != new)
        if not turned.size:
            return
        failed = np.array([status in FAILED for status in CODES])
        # answers that were lost come first, then those that were gained
        rank = np.where(failed[new] & ~failed[old], 0, np.where(failed[old] & ~failed[new], 1, 2))[turned]
        pairs, times = np.unique(np.stack([old[turned], new[turned]]), axis=1, return_counts=True)
        changes = {
            f"{CODES[before]}{_ARROW}{CODES[after]}": int(n)
            for (before, after), n in sorted(
                zip(pairs.T.tolist(), times.tolist(), strict=True), key=lambda one: -one[1]
            )
        }
        self._count(None, "status", len(turned), changes=changes)
        first = turned[np.argsort(rank, kind="stable")][: self.shown]
        for row in first.tolist():
            case = self.asked.cases[row].as_py()
            self.found.append(_Found(None, "status", self.asked.unit(int(self.asked.pair[row])), (case,)))

    def _scores(self, metric: Metric, order: Int64, starts: Int64) -> None:
        one, matched = self.one, self.asked.matched
        mine = self.candidate.scores(one.model, one.scenario, metric.id)
        theirs = self.reference.scores(one.reference_model, one.scenario, metric.id)
        if mine is None or theirs is None or mine.total is not None or theirs.total is not None:
            return
        both = mine.scored[matched.candidate] & theirs.scored[matched.reference]
        new, old = mine.values[matched.candidate], theirs.values[matched.reference]
        bounds = metric.definition.bounds
        turned = np.flatnonzero(both & (side(bounds, new) != side(bounds, old)))
        change = (new - old)[turned]
        better = {"higher": change > 0, "lower": change < 0}.get(metric.definition.direction)
        kinds: npt.NDArray[np.str_] = (
            np.full(len(turned), "changed") if better is None else np.where(better, "gained", "lost")
        )
        shown_by = self._seen.setdefault((turned.tobytes(), kinds.tobytes()), metric.id)
        further = {} if shown_by == metric.id else {"as": shown_by}
        for kind in ("lost", "gained", "changed"):
            if n := int((kinds == kind).sum()):
                self._count(metric.id, kind, n, **further)
                held = self._turned.setdefault(kind, np.zeros(len(matched.candidate), bool))
                held[turned[kinds == kind]] = True
        if further:
            return
        for place in np.argsort(-np.abs(change), kind="stable")[: self.shown].tolist():
            pair = int(turned[place])
            rows = order[starts[pair] : starts[pair + 1]][:MOST_CASES]
            self.found.append(
                _Found(
                    metric.id,
                    str(kinds[place]),  # type: ignore[arg-type]  # one of the three above
                    self.asked.unit(pair),
                    tuple(self.asked.cases.take(pa.array(rows)).to_pylist()),
                    float(old[pair]),
                    float(new[pair]),
                )
            )

    def _count(self, metric: str | None, kind: str, n: int, **further: Any) -> None:
        named = {"scenario": self.one.scenario, "model": self.one.model, "metric": metric}
        self.counts.append({**named, "kind": kind, "count": n, **further})

    def units(self) -> Iterator[dict[str, Any]]:
        """Units that flipped under any metric, by kind, with those of each group."""
        rows = self.asked.matched.candidate
        slices = self.candidate.units(self.one.scenario).slices
        for kind, held in self._turned.items():
            of = {name: mask[rows] for name, mask in slices.items() if name != "all"}
            yield {
                "scenario": self.one.scenario,
                "model": self.one.model,
                "kind": kind,
                "count": int(held.sum()),
                "of": len(rows),
                "groups": {name: [int((held & mask).sum()), int(mask.sum())] for name, mask in of.items()},
            }

    def flips(self) -> Iterator[Flip]:
        """Those that were kept, with both answers."""
        wanted = {case for one in self.found for case in one.cases}
        if not wanted:
            return
        rows = Vocabulary(self.asked.cases).encode(pa.array(sorted(wanted), pa.string()))
        said = [
            {case: str(CODES[code]) for case, code in zip(sorted(wanted), codes[rows].tolist(), strict=True)}
            for codes in self.status
        ]
        one = self.one
        old = answers(self.reference, one.reference_model, one.scenario, wanted, said[0])
        new = answers(self.candidate, one.model, one.scenario, wanted, said[1])
        for found in self.found:
            case = _shown(found.cases, old, new)
            yield Flip(
                scenario=one.scenario,
                model=one.model,
                case=case,
                unit=found.unit,
                metric=found.metric,
                kind=found.kind,
                reference=_answered(old.get(case), found.reference),
                candidate=_answered(new.get(case), found.candidate),
            )


def side(
    bounds: tuple[float | None, float | None], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """float64[n], on which side of nothing each value of a metric with these bounds lies.

    Nothing is 0; where the least value is above 0, as on a scale from 1 to 5, it is the lower half. Values
    of both signs have a side for each.
    """
    least, greatest = bounds
    if least is None or least < 0:
        return np.sign(values)
    edge = (least + greatest) / 2 if least > 0 and greatest is not None else 0.0
    return (values > edge).astype(np.float64)


def _shown(cases: Sequence[str], old: Kept, new: Kept) -> str:
    """The first case whose answers differ."""
    for case in cases:
        before, after = old.get(case), new.get(case)
        if (before.status, before.items, before.text) != (after.status, after.items, after.text):
            return case
    return cases[0]


def _answered(answer: Answer, value: float | None) -> Answered:
    status = str(Status(answer.status))
    return Answered(status=status, value=value, items=answer.items, text=answer.text, error=answer.error)
