"""Paired differences of two runs: per scenario, metric, model and slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from genrec_eval.audit.comparing.deciding import Question, decide
from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.sides import Refused, Row, Sides
from genrec_eval.audit.comparing.types import Change, Difference
from genrec_eval.audit.estimate import MIN_SLICE
from genrec_eval.audit.score import ANSWERED
from genrec_eval.audit.sources.base import Measured
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.core.numbers import by_reason
from genrec_eval.stats.contrast import groups
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.multiplicity import holm
from genrec_eval.stats.power import smallest_detectable_effect, two_sample_detectable_effect
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.statistic import carrying, spread

_HELD = 32_000_000
"""Scores held in memory at a time; differences that are estimated together share their resamples."""
_NAMES = {ANSWERED: "share of answered cases"}


def differences(
    candidate: Measured,
    reference: Measured,
    partners: Sequence[Partners],
    matched: Mapping[str, Matched],
    *,
    level: float,
    seed: int,
    refused: Refused,
    margins: Mapping[str, float],
    wanted: Sequence[str] | None = None,
    independent: Collection[str] = (),
) -> list[Difference]:
    """Compare everything that both runs measured, in the order of the candidate's report.

    Parameters
    ----------
    matched
        Scenario → its units.
    margins
        Metric id → margin of equivalence.
    wanted
        Ids of the metrics to compare; all when None.
    independent
        Scenarios whose units have nothing to do with each other in the two runs.
    """
    rows: list[Row] = []
    waiting: list[Row] = []
    held = 0
    for scenario in dict.fromkeys(one.scenario for one in partners):
        here = [one for one in partners if one.scenario == scenario]
        sides = Sides(candidate, reference, scenario, matched[scenario], scenario in independent)
        for metric in [*candidate.measured(scenario), None]:
            if wanted is not None and (metric is None or metric.id not in wanted):
                continue
            for one in here:
                made = list(sides.answered(one) if metric is None else sides.of(one, metric, refused))
                rows += made
                waiting += made
                held += len(sides.matched.candidate) * len(made)
            if held >= _HELD:
                _estimate(waiting, seed, level)
                waiting, held = [], 0
    _estimate(waiting, seed, level)
    return _decided(rows, level, margins)


def _estimate(rows: Sequence[Row], seed: int, level: float) -> None:
    """Intervals of all at once; the arrays are let go."""
    waiting = [row for row in rows if row.sample is not None]
    found = intervals([row.sample for row in waiting if row.sample is not None], seed=seed, level=level)
    for row, interval in zip(waiting, found, strict=True):
        assert row.sample is not None
        if row.slice != "all" and interval.n < MIN_SLICE:
            few = f"fewer than {MIN_SLICE} units"
            interval = Interval(value=None, level=level, reason=few, n=interval.n)
            row.values = (None, None)
        elif interval.n > 1:
            row.spreads = _spreads(row.sample)
        row.interval = interval
        row.sample = None


def _spreads(sample: Sample) -> tuple[tuple[float, int], ...]:
    parts = [sample] if sample.contrast is None else list(groups(sample))
    found = [(spread(part), int(carrying(part).sum())) for part in parts]
    return tuple((between, n) for between, n in found if between is not None and n > 1)


def _detectable(row: Row, level: float) -> float | None:
    if row.interval is None or row.interval.low is None or not row.spreads:
        return None
    if len(row.spreads) == 2:
        (one, n), (other, m) = row.spreads
        return two_sample_detectable_effect((one, other), (n, m), level=level)
    return smallest_detectable_effect(*row.spreads[0], level=level)


def _decided(rows: Sequence[Row], level: float, margins: Mapping[str, float]) -> list[Difference]:
    families = [
        [index for index, row in enumerate(rows) if row.tested and (row.slice == "all") is whole]
        for whole in (True, False)
    ]
    adjusted: dict[int, float] = {}
    for members in families:
        tested = [(rows[i].interval, i) for i in members]
        found = holm([interval.p or 0.0 for interval, _ in tested if interval is not None])
        adjusted |= {i: float(p) for (_, i), p in zip(tested, found, strict=True)}
    return [
        _difference(row, adjusted.get(index), len(families[row.slice != "all"]), level, margins)
        for index, row in enumerate(rows)
    ]


def _explained(interval: Interval, excluded: Mapping[str, int]) -> Interval:
    """Why there is no value: by the reasons of the units."""
    if interval.n or not excluded or interval.reason is None:
        return interval
    return replace(interval, reason=f"{interval.reason}: {by_reason(excluded)}")


def _difference(
    row: Row, adjusted: float | None, tests: int, level: float, margins: Mapping[str, float]
) -> Difference:
    one, margin = row.partners, margins.get(row.metric)
    where = "" if row.slice == "all" else f" for {row.slice}"
    if row.same and row.interval is not None and row.interval.p is not None:
        adjusted = row.interval.p
    detectable = None if row.same else _detectable(row, 1 - (1 - level) / max(tests, 1))
    interval = row.interval
    if interval is None:
        change, reason, needed = Change.NOT_COMPARED, str(row.refused), None
    else:
        change, reason, needed = decide(
            Question(
                who=f"{one.model}'s {_NAMES.get(row.metric, row.metric)}{where}",
                other="" if one.model == one.reference_model else f"{one.reference_model}'s",
                direction=row.direction,
                unit=row.unit,
                interval=_explained(interval, row.excluded),
                same=row.same,
                one_sided=row.lopsided if row.lopsided > row.allowed else 0,
                unanswered=row.unanswered,
                p_adjusted=adjusted,
                tests=tests,
                detectable=detectable,
                margin=margin,
            )
        )
    return Difference(
        scenario=one.scenario,
        metric=row.metric,
        model=one.model,
        reference_model=one.reference_model,
        slice=row.slice,
        change=change,
        reason=reason,
        reference_value=row.values[0],
        candidate_value=row.values[1],
        value=None if interval is None else interval.value,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        level=level,
        interval=None if interval is None else interval.method,
        n=0 if interval is None else interval.n,
        excluded=row.excluded,
        p=None if interval is None else interval.p,
        p_adjusted=adjusted,
        detectable=detectable,
        margin=margin,
        needed=needed,
        direction=row.direction,
        unit=row.unit,
    )
