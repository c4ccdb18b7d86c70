"""Scores to estimates: value, interval and the four counts, per model, metric, slice and pair."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.audit.families import adjusted, families_of
from genrec_eval.audit.held import Held, id_of
from genrec_eval.audit.run_tables import RunTables, scenario_of
from genrec_eval.audit.score import ANSWERED, NOT_ATTEMPTED, SCORES_FILE, StoredScores
from genrec_eval.core.numbers import by_reason
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Estimate
from genrec_eval.scenarios.base import Scenario
from genrec_eval.scenarios.ranking.groups import natural
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fitting import fit_each
from genrec_eval.stats.intervals import Interval, interval_of
from genrec_eval.stats.multiplicity import holm
from genrec_eval.stats.power import smallest_detectable_effect
from genrec_eval.stats.resolution import Resolution
from genrec_eval.stats.sample import Sample, paired
from genrec_eval.stats.statistic import spread
from genrec_eval.suite.schema import Claim

Mask = npt.NDArray[np.bool_]

MIN_SLICE = 5
"""Slices with fewer scored units get no value: it would be about persons, not about the model."""

ALL_PAIRS = 8
"""Up to this many models every pair is compared; beyond, only pairs that the suite names."""

_HELD = 32_000_000
"""Scores held in memory at a time; metrics that are estimated together share their resamples."""


Key = tuple[str, str, str, str, str | None]
"""Scenario, metric, model, slice and baseline of an estimate."""


def estimate_run(
    run: RunTables, scores: Path | None = None, held: dict[Key, Held] | None = None
) -> list[Estimate]:
    """Estimate everything in ``scores``, ``scores.parquet`` by default, at the suite's confidence level.

    Order: scenario, metric, then each model (whole run first, then its groups), then the pairs, each
    in the order of the suite. All models of a scenario are resampled together.

    Parameters
    ----------
    held
        Takes up what the suite's claims are decided by; a paired difference the way it was taken.
    """
    played = run.played()
    claims = [Claim.model_validate(claim) for claim in run.run["suite"].get("claims") or ()]
    found: list[Estimate] = []
    held = {} if held is None else held
    ids: dict[tuple[str, str], str] = {}
    with StoredScores(scores or run.path / SCORES_FILE) as stored:
        for name in dict.fromkeys(scenario for _, scenario in played):
            models = [model for model, scenario in played if scenario == name]
            scenario = scenario_of(run, name)
            measured = {metric.id for metric in scenario.measured()}
            own = [claim for claim in claims if claim.scenario == name]
            ids |= {(name, claim.metric): id_of(claim.metric, measured) for claim in own}
            claimed = {
                (ids[name, claim.metric], model, claim.slice, baseline)
                for claim in own
                for model, baseline in ((claim.model, claim.against), (claim.against, claim.model))
                if model is not None and (baseline is None) == (claim.against is None)
            }
            found += _scenario(run, stored, name, scenario, models, claimed, held)
    return adjusted(found, families_of(claims, ids))


@dataclass(frozen=True, slots=True)
class UnitSlices:
    """The units of a scenario: ids, and a mask for each slice, the whole run first."""

    ids: pa.Array
    slices: Mapping[str, Mask]

    @classmethod
    def of(cls, cases: pa.Table) -> UnitSlices:
        every = cases.column("unit").combine_chunks()
        ids = pc.unique(every)
        first = None if len(ids) == len(every) else pc.index_in(ids, value_set=every)
        slices: dict[str, Mask] = {"all": np.ones(len(ids), bool)}
        for column in cases.column_names:
            if column.startswith("group."):
                values = cases.column(column).combine_chunks().cast(pa.string())
                values = values if first is None else values.take(first)
                for value in sorted(pc.unique(values).drop_null().to_pylist(), key=natural):
                    mask = pc.equal(values, value).fill_null(False).to_numpy(zero_copy_only=False)
                    slices[f"{column.removeprefix('group.')}={value}"] = mask
        return cls(ids, slices)

    def place(self, units: pa.Array, scores: UnitScores) -> UnitScores:
        """``scores`` in the order of :attr:`ids`, joined by id."""
        if units.equals(self.ids):
            return scores
        rows = pc.index_in(units, value_set=self.ids).to_numpy(zero_copy_only=False)
        return scores.place(rows.astype(np.int64), len(self.ids), NOT_ATTEMPTED)


@dataclass(frozen=True, slots=True)
class _Row:
    """An estimate before its interval is known."""

    metric: Metric
    model: str
    slice: str
    baseline: str | None
    sample: Sample
    attempted: int
    answered: int
    excluded: dict[str, int]

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """Of the estimate in its scenario."""
        return self.metric.id, self.model, self.slice, self.baseline


Claimed = set[tuple[str, str, str, str | None]]
"""Metric, model, slice and baseline of what claims are about."""


def _scenario(
    run: RunTables,
    stored: StoredScores,
    name: str,
    scenario: Scenario,
    models: list[str],
    claimed: Claimed,
    held: dict[Key, Held],
) -> list[Estimate]:
    suite, seed = run.run["suite"], run.run["seed"]
    units = UnitSlices.of(run.cases(name))
    answered = {model: _answered(stored, units, model, name) for model in models}
    pairs = pairs_of(suite, name, models) if scenario.paired else []
    metrics = list(scenario.measured())
    rows: list[_Row] = []
    done: list[Estimate] = []
    size = 0
    for number, metric in enumerate(metrics, start=1):
        scores = {}
        for model in models:
            read = stored.get(model, name, metric.id)
            if read is not None:
                scores[model] = units.place(*read)
        rows += _rows(metric, units, scores, answered, pairs)
        size += sum(one.values.size + (0 if one.sums is None else one.sums.size) for one in scores.values())
        if size < _HELD and number < len(metrics):
            continue
        found: dict[int, Interval] = {}
        fits: dict[int, Fitted] = {}  # of claims alone: the replicates of all would not fit in memory
        for index, fitted in fit_each([row.sample for row in rows], seed):
            found[index] = interval_of(rows[index].sample, fitted, suite.get("level", 0.95))
            if rows[index].key in claimed:
                fits[index] = fitted
        pairwise = _adjusted(rows, found)
        for index, row in enumerate(rows):
            estimate = _estimate(name, row, found[index], pairwise.get(index), seed)
            done.append(estimate)
            if index in fits and estimate.value is not None:
                held[(name, *row.key)] = Held(estimate, row.sample, fits[index], _resolution(row))
        rows, size = [], 0
    return done


def _answered(stored: StoredScores, units: UnitSlices, model: str, scenario: str) -> Mask:
    read = stored.get(model, scenario, ANSWERED)
    if read is None:
        return np.zeros(len(units.ids), bool)
    scores = units.place(*read)
    return scores.scored & (scores.values > 0)


def _rows(
    metric: Metric,
    units: UnitSlices,
    scores: Mapping[str, UnitScores],
    answered: Mapping[str, Mask],
    pairs: Sequence[tuple[str, str, str]],
) -> Iterator[_Row]:
    samples = {model: metric.sample(one) for model, one in scores.items()}
    for model, sample in samples.items():
        for name, mask in units.slices.items():
            if name != "all" and sample.total is not None:
                continue  # a value of the whole run says nothing about a part of it
            if _of_itself(metric, name):
                continue  # one group has no other to be compared with
            here = scores[model] if name == "all" else metric.inside(scores[model], mask)
            cut = sample if here is scores[model] else metric.sample(here)
            yield _Row(
                metric=metric,
                model=model,
                slice=name,
                baseline=None,
                sample=cut if name == "all" else cut.where(mask),
                attempted=int(mask.sum()),
                answered=int((answered[model] & mask).sum()),
                excluded=excluded_of([here], mask),
            )
    for (model, baseline), claimed in itertools.groupby(pairs, key=lambda pair: pair[:2]):
        if model not in samples or baseline not in samples:
            continue
        sides, whole = (scores[model], scores[baseline]), paired(samples[model], samples[baseline])
        for _, _, name in claimed:
            if name not in units.slices or (name != "all" and whole.total is not None):
                continue
            mask = units.slices[name]
            both = metric.shared(*sides, mask)
            sample = metric.difference(both, sides, whole)
            yield _Row(
                metric=metric,
                model=model,
                slice=name,
                baseline=baseline,
                sample=sample if name == "all" else sample.where(mask),
                attempted=int(mask.sum()),
                answered=int((answered[model] & answered[baseline] & mask).sum()),
                excluded=excluded_of(both, mask),
            )


def _of_itself(metric: Metric, slice: str) -> bool:
    """Whether a figure that compares groups is asked of one of these groups alone."""
    if "groups" not in metric.definition.needs:
        return False
    return slice.startswith(f"{metric.parameters.get('by')}=")


def excluded_of(scores: Sequence[UnitScores], mask: Mask) -> dict[str, int]:
    """Units of ``mask`` without a score in any of ``scores``, each under the first reason found."""
    left = mask.copy()
    counts: dict[str, int] = {}
    for one in scores:
        for reason in sorted(one.reasons):
            hit = left & one.reasons[reason]
            if hit.any():
                counts[reason] = counts.get(reason, 0) + int(hit.sum())
                left &= ~hit
    return dict(sorted(counts.items()))


def _adjusted(rows: Sequence[_Row], found: Mapping[int, Interval]) -> dict[int, tuple[float, str]]:
    """Holm's adjustment of each difference's p, over the pairs of one metric and slice."""
    together: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        if row.baseline is not None and found[index].p is not None:
            together.setdefault((row.metric.id, row.slice), []).append(index)
    adjusted: dict[int, tuple[float, str]] = {}
    for members in together.values():
        words = f"Holm over {len(members):,} pair{'' if len(members) == 1 else 's'} of models"
        for index, p in zip(members, holm([found[i].p or 0.0 for i in members]).tolist(), strict=True):
            adjusted[index] = p, words
    return adjusted


def _resolution(row: _Row) -> Resolution | None:
    """What the metric's own test can show at most with units as these."""
    metric, sample = row.metric, row.sample
    if metric.definition.resolution is None or row.baseline is not None or sample.pooled is None:
        return None
    return metric.definition.resolution(sample.pooled.rows[sample.scored], metric.parameters)


def _test(row: _Row, seed: int) -> float | None:
    """p-value of the metric's own test, of the whole run alone: slices would be as many tests more."""
    metric, sample = row.metric, row.sample
    if metric.definition.test is None or row.baseline is not None or row.slice != "all":
        return None
    if sample.pooled is None:
        return None
    return metric.definition.test(sample.pooled.rows[sample.scored], metric.parameters, seed)


def _detectable(sample: Sample, interval: Interval) -> float | None:
    between = spread(sample) if interval.n > 1 else None
    return None if between is None else smallest_detectable_effect(between, interval.n, level=interval.level)


def _estimate(
    scenario: str, row: _Row, interval: Interval, adjusted: tuple[float, str] | None, seed: int
) -> Estimate:
    if row.slice != "all" and interval.n < MIN_SLICE:
        few = f"fewer than {MIN_SLICE} units"
        interval = Interval(value=None, level=interval.level, reason=few, n=interval.n)
    reason = interval.reason
    if reason is not None and interval.n == 0 and row.excluded:
        reason += f": {by_reason(row.excluded)}"
    compared = row.baseline is not None and interval.low is not None
    return Estimate(
        model=row.model,
        scenario=scenario,
        metric=row.metric.id,
        definition=row.metric.definition_id,
        slice=row.slice,
        baseline=row.baseline,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=interval.level,
        interval=interval.method,
        reason=reason,
        n=interval.n,
        attempted=row.attempted,
        answered=row.answered,
        scored=interval.n,
        excluded=row.excluded,
        direction=row.metric.definition.direction,
        p=interval.p if compared else _test(row, seed),
        p_adjusted=adjusted[0] if adjusted and compared else None,
        adjustment=adjusted[1] if adjusted and compared else None,
        detectable=_detectable(row.sample, interval) if compared else None,
    )


def pairs_of(suite: Mapping[str, Any], scenario: str, models: Sequence[str]) -> list[tuple[str, str, str]]:
    """(model, baseline, slice) of every comparison, whole run and the slices that claims name.

    The suite's baseline, else the earlier model, is the baseline of a pair.

    >>> pairs_of({}, "top-k", ["random", "knn"])
    [('knn', 'random', 'all')]
    """
    base = suite.get("baseline")
    ordered = sorted(models, key=lambda model: model != base)  # stable: the baseline comes first
    named: dict[frozenset[str], dict[str, None]] = {}
    for claim in suite.get("claims") or ():
        if claim["scenario"] == scenario and claim.get("against") is not None:
            slices = named.setdefault(frozenset((claim["model"], claim["against"])), {})
            slices[claim.get("slice") or "all"] = None
    found = []
    for baseline, model in itertools.combinations(ordered, 2):
        claimed = named.get(frozenset((model, baseline)), {})
        if len(models) <= ALL_PAIRS or baseline == base or claimed:
            found += [(model, baseline, name) for name in {"all": None, **claimed}]
    return found
