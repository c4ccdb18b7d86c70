"""Scores of two runs in one scenario, put side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.words import share_words
from genrec_eval.audit.decide import NO_PREDICTION
from genrec_eval.audit.estimate import excluded_of
from genrec_eval.audit.score import ANSWERED, NOT_ATTEMPTED
from genrec_eval.audit.sources.base import Mask, Measured, Units
from genrec_eval.audit.sources.matched import Matched, taken, value_over
from genrec_eval.core.numbers import bound, count
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Direction
from genrec_eval.stats.contrast import groups
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.sample import Sample, paired
from genrec_eval.stats.statistic import carrying

Refused = Callable[[str, Metric], str | None]
"""(scenario, metric) → why the metric means another thing in the two runs; None where it does not."""


@dataclass(slots=True, kw_only=True)
class Row:
    """A difference before it is decided."""

    partners: Partners
    metric: str
    direction: Direction
    unit: str
    slice: str
    sample: Sample | None = None
    refused: str | None = None
    values: tuple[float | None, float | None] = (None, None)
    """Of reference and candidate."""
    excluded: dict[str, int] = field(default_factory=dict)
    same: bool = False
    """Whether no unit with both scores differs."""
    lopsided: int = 0
    """Pairs with a score in one of the runs only."""
    allowed: float = 0.0
    """So many of them are taken as chance: the error budget."""
    unanswered: str | None = None
    interval: Interval | None = None
    spreads: tuple[tuple[float, int], ...] = ()

    @property
    def tested(self) -> bool:
        """Whether it is a test: where no unit differs, none could have told a difference (Tarone 1990)."""
        return self.interval is not None and self.interval.p is not None and not self.same


class Sides:
    """Both runs in one scenario.

    Parameters
    ----------
    independent
        Whether the units of the two runs have nothing to do with each other, as the users of two experiments.
    """

    def __init__(
        self, candidate: Measured, reference: Measured, scenario: str, matched: Matched, independent: bool
    ) -> None:
        self.candidate, self.reference, self.name, self.matched = candidate, reference, scenario, matched
        mine, theirs = candidate.units(scenario), reference.units(scenario)
        self.independent = independent
        self.slices = _slices(mine, theirs, matched)
        self._reach: dict[Partners, tuple[Mask, Mask]] = {}

    def of(self, one: Partners, metric: Metric, refused: Refused) -> Iterator[Row]:
        """One row per slice; none where the metric is not stored in both."""
        mine = self.candidate.scores(one.model, self.name, metric.id)
        theirs = self.reference.scores(one.reference_model, self.name, metric.id)
        if mine is None or theirs is None:
            return
        why = refused(self.name, metric) or self._never(metric, mine, theirs)
        if why is not None:
            yield self._row(one, metric, "all", refused=why, excluded={})
            return
        if self.independent:
            yield from self._apart(one, metric, mine, theirs)
            return
        pairs = taken(mine, self.matched.candidate), taken(theirs, self.matched.reference)
        same = self._same(mine, theirs)
        plain = [metric.sample(side) for side in pairs]
        whole = None if metric.definition.contrast is not None else paired(*plain)
        for name, mask in self.slices.items():
            if name != "all" and mine.total is not None:
                continue
            here = metric.shared(*pairs, mask)
            row = self._pair(one, metric, name, mask, here, same)
            if whole is None:  # a contrast that is the same in both runs, for all units
                of = _placed(mask, self.matched.candidate, len(mine))
                value = intervals([metric.sample(mine).where(of)], seed=0)[0]
                row.interval = Interval(value=0.0, low=0.0, high=0.0, level=value.level, n=value.n, p=1.0)
                row.values = (value.value, value.value)
            else:
                difference = metric.difference(here, pairs, whole)
                row.sample = difference if mine.total is not None else difference.where(mask)
                row.values = _values(plain, carrying(row.sample))
            yield row

    def _pair(
        self,
        one: Partners,
        metric: Metric,
        name: str,
        mask: Mask,
        pairs: tuple[UnitScores, UnitScores],
        same: Mask,
    ) -> Row:
        excluded = excluded_of(pairs, mask)
        both = [side.scored & mask for side in pairs]
        row = self._row(one, metric, name, excluded=excluded, same=bool(same[mask].all()))
        row.lopsided = int((both[0] != both[1]).sum())
        row.allowed = int(mask.sum()) * max(self.candidate.error_budget, self.reference.error_budget)
        row.unanswered = self._unanswered(one, metric, mask, excluded)
        return row

    def _apart(self, one: Partners, metric: Metric, mine: UnitScores, theirs: UnitScores) -> Iterator[Row]:
        """Other units in each run, as other people are in two experiments: Welch's test, not a paired one."""
        own, other = metric.sample(mine), metric.sample(theirs)
        weights = [
            np.ones(len(part.values)) if part.weights is None else part.weights for part in (own, other)
        ]
        both = replace(
            own,
            values=np.concatenate([own.values, other.values]),
            scored=np.concatenate([own.scored, other.scored]),
            weights=np.concatenate([weights[0], -weights[1]]),
            indicator=False,
            contrast="difference",
        )
        for name, mask in self.slices.items():
            halves = mask[: len(mine)], mask[len(mine) :]
            row = self._row(
                one,
                metric,
                name,
                excluded=_summed(
                    excluded_of([found], half) for found, half in zip((mine, theirs), halves, strict=True)
                ),
            )
            row.sample = both.where(mask)
            own_part, other_part = groups(row.sample)
            row.values = (
                value_over(other_part, carrying(other_part)),
                value_over(own_part, carrying(own_part)),
            )
            yield row

    def answered(self, one: Partners) -> Iterator[Row]:
        """How many units were answered at all, where some were not."""
        if not len(self.matched.candidate):
            return
        mine, theirs = self._reached(one)
        scores = (
            self.candidate.attempted(one.model, self.name),
            self.reference.attempted(one.reference_model, self.name),
        )
        came = scores[0][self.matched.candidate] & scores[1][self.matched.reference]
        if (mine | ~came).all() and (theirs | ~came).all():
            return
        for name, mask in self.slices.items():
            samples = [
                Sample(values=found.astype(np.float64), scored=came & mask, bounds=(0.0, 1.0), indicator=True)
                for found in (mine, theirs)
            ]
            missed = int((mask & ~came).sum())
            row = Row(
                partners=one,
                metric=ANSWERED,
                direction="higher",
                unit="share",
                slice=name,
                sample=paired(*samples),
                excluded={NOT_ATTEMPTED: missed} if missed else {},
                same=bool((mine == theirs)[came & mask].all()),
            )
            row.values = _values(samples, came & mask)
            yield row

    def _row(
        self,
        one: Partners,
        metric: Metric,
        name: str,
        *,
        excluded: dict[str, int],
        refused: str | None = None,
        same: bool = False,
    ) -> Row:
        return Row(
            partners=one,
            metric=metric.id,
            direction=metric.definition.direction,
            unit=metric.definition.unit,
            slice=name,
            refused=refused,
            excluded=excluded,
            same=same,
        )

    def _never(self, metric: Metric, mine: UnitScores, theirs: UnitScores) -> str | None:
        """Why the scores cannot be held against each other, unit by unit."""
        if not len(self.matched.candidate) and not self.independent:
            return f"the runs have no unit of '{self.name}' in common that was asked the same"
        if metric.definition.contrast is not None and not self._alike(mine, theirs):
            return (
                f"{metric.id} already compares two groups of users: hold the intervals of both runs side by"
                " side"
            )
        if (mine.total is None) != (theirs.total is None):
            return f"{metric.id} has a value of the whole run in one of the runs only"
        if self.independent and (mine.total is not None or mine.sums is not None):
            return f"{metric.id} belongs to all units together, and the runs have no unit in common"
        if mine.total is not None and not self.matched.complete:
            n = sum(
                map(len, (self.matched.only_candidate, self.matched.only_reference, self.matched.changed))
            )
            return f"{metric.id} belongs to all units together, and {count(n)} have no partner"
        widths = {one.sums.shape[1] for one in (mine, theirs) if one.sums is not None}
        if len(widths) > 1:
            return (
                f"{metric.id} counts other things in the two runs; score both again with 'genrec-eval score'"
            )
        return None

    def _alike(self, mine: UnitScores, theirs: UnitScores) -> bool:
        """Whether all units have the same score, or none, in both runs."""
        own, other = self.matched.candidate, self.matched.reference
        scored = bool((mine.scored[own] == theirs.scored[other]).all())
        return self.matched.complete and scored and bool(self._same(mine, theirs).all())

    def _same(self, mine: UnitScores, theirs: UnitScores) -> Mask:
        """bool[m], pairs whose scores do not differ: they are equal, or one of them is missing."""
        own, other = self.matched.candidate, self.matched.reference
        scored = mine.scored[own] & theirs.scored[other]
        equal = mine.values[own] == theirs.values[other]
        for one, two in ((mine.weights, theirs.weights), (mine.sums, theirs.sums)):
            if one is not None and two is not None and one.shape[1:] == two.shape[1:]:
                apart = one[own] == two[other]
                equal &= apart if apart.ndim == 1 else apart.all(axis=1)
            elif one is not two:
                equal &= False
        if mine.total != theirs.total:
            equal &= False
        found: Mask = equal | ~scored
        return found

    def _reached(self, one: Partners) -> tuple[Mask, Mask]:
        """bool[m] each, pairs that the candidate and the reference answered."""
        if one not in self._reach:
            mine = self.candidate.answered(one.model, self.name)[self.matched.candidate]
            theirs = self.reference.answered(one.reference_model, self.name)[self.matched.reference]
            self._reach[one] = (mine, theirs)
        return self._reach[one]

    def _unanswered(
        self, one: Partners, metric: Metric, mask: Mask, excluded: Mapping[str, int]
    ) -> str | None:
        """Why nothing is said of better or worse: the answers missing are rarely so by chance."""
        n = int(mask.sum())
        for reached, source, model, where in zip(
            self._reached(one),
            (self.candidate, self.reference),
            (one.model, one.reference_model),
            ("candidate", "reference"),
            strict=True,
        ):
            came = int((reached & mask).sum())
            if came < n * (1 - source.error_budget) - 1e-9:
                return (
                    f"{model} answered only {share_words(came, n)} of the cases in the {where}, where a"
                    f" decision needs {bound(1 - source.error_budget, 'share')}: which cases a model fails to"
                    " answer is rarely chance"
                )
        budget = max(self.candidate.error_budget, self.reference.error_budget)
        if excluded.get(NO_PREDICTION, 0) > n * budget + 1e-9:
            share = share_words(excluded[NO_PREDICTION], n)
            return f"{share} of the cases got no prediction, and the others say neither better nor worse"
        return self._unjudged(one) if metric.parameters.get("judge") else None

    def _unjudged(self, one: Partners) -> str | None:
        """Why what judges said is no ground: they did not come to everything."""
        for source, model, where in (
            (self.candidate, one.model, "candidate"),
            (self.reference, one.reference_model, "reference"),
        ):
            for row in source.coverage:
                if (row.model, row.scenario, row.state) == (model, self.name, "partial"):
                    return f"{model} was judged only in part in the {where} ({row.reason})"
        return None


def _slices(mine: Units, theirs: Units, matched: Matched) -> dict[str, Mask]:
    """Slice → mask over the pairs, which must be in it in both runs; over all units of both without pairs."""
    shared = [name for name in mine.slices if name in theirs.slices]
    if not len(matched.candidate):
        return {name: np.concatenate([mine.slices[name], theirs.slices[name]]) for name in shared}
    return {
        name: mine.slices[name][matched.candidate] & theirs.slices[name][matched.reference] for name in shared
    }


def _placed(mask: Mask, rows: np.ndarray, n: int) -> Mask:
    found = np.zeros(n, bool)
    found[rows] = mask
    return found


def _values(sides: Sequence[Sample], used: Mask) -> tuple[float | None, float | None]:
    """Values of reference and candidate over the units that carry the difference."""
    candidate, reference = sides
    return value_over(reference, used), value_over(candidate, used)


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for reason, n in one.items():
            total[reason] = total.get(reason, 0) + n
    return total
