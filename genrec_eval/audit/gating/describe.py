"""What a new baseline would change, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator

from genrec_eval.audit.gating.baseline import BaselineSource, Chosen
from genrec_eval.audit.gating.comparable import differing, unsound, word
from genrec_eval.audit.rules import told
from genrec_eval.audit.sources.base import Measured, Source
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.core.numbers import bound, count
from genrec_eval.metrics.base import Metric
from genrec_eval.protocol.results import Estimate
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.statistic import Statistic


def changes(before: BaselineSource, run: Measured, vectors: Chosen, *, level: float = 0.95) -> Iterator[str]:
    """A sentence for each thing that would be another one if the run took the place of the baseline.

    Parameters
    ----------
    vectors
        What the new file would keep.
    """
    old, new = before.facts, run.facts
    if old.run != new.run:
        yield f"the run was {old.run} of {old.created} and would be {new.run} of {new.created}"
    scenarios = list(dict.fromkeys(name for _, name, _ in vectors))
    kept = [(m, s, x) for m, s in before.pairings() for x in before.metrics(m, s)]
    both = [one for one in vectors if one in kept]
    yield from unsound(old, new, scenarios, [metric for *_, metric in both])
    for name in scenarios:
        if name not in old.scenarios:
            yield f"scenario '{name}' would be new"
    for name in dict.fromkeys(name for _, name in before.pairings()):
        if name not in scenarios:
            yield f"scenario '{name}' would be left out"
    for model, name in dict.fromkeys((model, name) for model, name, _ in vectors):
        was, now = old.models.get(model, {}).get(name), new.models.get(model, {}).get(name)
        if was is not None and was != now:
            yield f"model '{model}' in '{name}' is another one: {_apart(was, now)}"
    for one in vectors:
        if one not in kept:
            yield f"{_named(one)} would be new: {_value(run, run, one)}"
    for one in kept:
        if one not in vectors:
            yield f"{_named(one)} would be left out: it was {_value(before, run, one)}"
    for name in scenarios:
        if name in old.scenarios:
            yield from _scenario(before, run, name, [one for one in both if one[1] == name], level)


def _scenario(before: BaselineSource, run: Measured, name: str, both: Chosen, level: float) -> Iterator[str]:
    matched = Matched.of(run.units(name), before.units(name))
    for rows, said in (
        (matched.only_reference, "would be left out"),
        (matched.only_candidate, "would be new"),
        (matched.changed, "are asked something else"),
    ):
        if len(rows):
            yield f"{count(len(rows))} units of '{name}' {said}"
    known = {metric.id: metric for metric in run.measured(name)}
    samples, names, metrics = [], [], []
    for model, _, metric in both:
        own, other = run.scores(model, name, metric), before.scores(model, name, metric)
        if own is None or other is None or known[metric].definition.contrast is not None:
            continue
        sample = matched.sample(known[metric], own, other)
        if sample is not None:
            samples.append(sample)
            names.append((model, metric))
            metrics.append(known[metric])
    for (model, metric), definition, found in zip(
        names, metrics, intervals(samples, seed=run.facts.seed, level=level), strict=True
    ):
        unit = definition.definition.unit
        if found.value and found.low is not None and found.high is not None:
            estimate = Estimate(
                model=model,
                scenario=name,
                metric=metric,
                definition="",
                baseline="the baseline",
                value=found.value,
                low=found.low,
                high=found.high,
                interval=found.method,
                n=found.n,
                attempted=found.n,
                answered=found.n,
                scored=found.n,
                direction=definition.definition.direction,
            )
            yield f"in '{name}' {told(estimate, unit)}"
        elif found.value:
            yield f"in '{name}' {model}'s {metric} differs by {bound(found.value, unit)}"


def value_of(source: Source, metric: Metric | None, model: str, scenario: str) -> float | None:
    """The value of a kept vector; None where there is none, or the metric is not known any more."""
    scores = None if metric is None else source.scores(model, scenario, metric.id)
    if metric is None or scores is None or not scores.scored.any():
        return None
    if scores.total is not None:
        return scores.total
    sample = metric.sample(scores)
    if sample.contrast is not None:
        return None
    statistic = Statistic.of(sample)
    return statistic.value if statistic.n and abs(statistic.value) < float("inf") else None


def _value(source: Source, run: Measured, one: tuple[str, str, str]) -> str:
    model, scenario, name = one
    known = (
        {metric.id: metric for metric in run.measured(scenario)} if scenario in run.facts.scenarios else {}
    )
    found = value_of(source, known.get(name), model, scenario)
    return "no value" if found is None else bound(found, known[name].definition.unit)


def _named(one: tuple[str, str, str]) -> str:
    model, scenario, metric = one
    return f"{metric} of '{model}' in '{scenario}'"


def _apart(was: str, now: str | None) -> str:
    """Which keys of two identities differ."""
    try:
        found = list(differing(json.loads(was), json.loads(now or "{}")))
    except json.JSONDecodeError:
        return "its identity changed"
    told = [f"{path} was {word(one)} and is {word(other)}" for path, one, other in found[:5]]
    return ", ".join(told) + (f", and {len(found) - 5} more" if len(found) > 5 else "")
