"""What the rules of a gate are about: one subject per rule, model and slice, never silently fewer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genrec_eval.audit.sources.base import Measured, Source, Units
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.engine.plan import LEFT_OUT
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Coverage
from genrec_eval.suite.gate import AGAINST_BASELINE, GateRule
from genrec_eval.suite.measured import limit_fault, metric_id

ANY_MODEL = "every model"
"""Stands for the model of a rule that found none to be about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One rule for one model and slice.

    Attributes
    ----------
    number
        Of the rule, from 0.
    metric
        None where the run measures nothing in the scenario.
    reference
        Model of the baseline; None for rules that look at the run alone.
    lacking
        Why there is nothing to look at; None where there is.
    """

    number: int
    rule: GateRule
    where: str | None
    model: str
    slice: str
    metric: Metric | None = None
    reference: str | None = None
    lacking: str | None = None


class Held:
    """A run and what it is held against, each read once.

    Parameters
    ----------
    run, baseline
        The sources.
    """

    def __init__(self, run: Measured, baseline: Source | None) -> None:
        self.run = run
        self.baseline = baseline
        self._units: dict[tuple[bool, str], Units] = {}
        self._matched: dict[str, Matched] = {}
        self._scores: dict[tuple[bool, str, str, str], UnitScores | None] = {}
        self._metrics: dict[str, dict[str, Metric]] = {}

    @cached_property
    def played(self) -> tuple[tuple[str, str], ...]:
        """(model, scenario) that the run has scores of."""
        return tuple(self.run.pairings())

    @cached_property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """(model, scenario) that the baseline has scores of."""
        return () if self.baseline is None else tuple(self.baseline.pairings())

    @cached_property
    def coverage(self) -> Mapping[tuple[str, str], Coverage]:
        """By (model, scenario)."""
        return {(row.model, row.scenario): row for row in self.run.coverage}

    def side(self, of_run: bool) -> Source:
        """The run, or the baseline."""
        found = self.run if of_run else self.baseline
        assert found is not None
        return found

    def units(self, of_run: bool, scenario: str) -> Units:
        """The units of a scenario in the run, or in the baseline."""
        key = of_run, scenario
        if key not in self._units:
            self._units[key] = self.side(of_run).units(scenario)
        return self._units[key]

    def matched(self, scenario: str) -> Matched:
        """The units of both."""
        if scenario not in self._matched:
            self._matched[scenario] = Matched.of(self.units(True, scenario), self.units(False, scenario))
        return self._matched[scenario]

    def scores(self, of_run: bool, model: str, scenario: str, metric: str) -> UnitScores | None:
        """Scores; the last few are kept, because slices of one metric stand in a row."""
        key = of_run, model, scenario, metric
        if key not in self._scores:
            while len(self._scores) > 3:
                self._scores.pop(next(iter(self._scores)))
            found = self.side(of_run).scores(model, scenario, metric)
            if found is not None and not of_run:
                self._possible(found, model, scenario, metric)
            self._scores[key] = found
        return self._scores[key]

    def _possible(self, found: UnitScores, model: str, scenario: str, metric: str) -> None:
        """Refuse scores of a baseline that no run can have: a changed file would move the difference."""
        one = self.metrics(scenario).get(metric)
        if one is None or one.link != "identity" or found.sums is not None or found.total is not None:
            return
        low, high = one.definition.bounds
        values = found.values[found.scored]
        slack = 1e-9 + getattr(self.baseline, "rounding", lambda *_: 0.0)(model, scenario, metric)
        least, greatest = values.min(initial=np.inf), values.max(initial=-np.inf)
        for bound, score, beyond in (
            (low, least, low is not None and least < low - slack),
            (high, greatest, high is not None and greatest > high + slack),
        ):
            if beyond:
                side = self.side(False).label
                raise UsageError(
                    f"{side}: {metric} of '{model}' in '{scenario}': a score of {score:.4g} is beyond"
                    f" {bound:g}, the end of the metric; make it again from its run or take it from version"
                    " control"
                )

    def metrics(self, scenario: str) -> Mapping[str, Metric]:
        """What the run measures in a scenario, by id; nothing where it was not played."""
        if scenario not in self._metrics:
            there = any(name == scenario for _, name in self.played)
            self._metrics[scenario] = {one.id: one for one in self.run.measured(scenario)} if there else {}
        return self._metrics[scenario]


def subjects(held: Held, rules: Sequence[GateRule], where: Sequence[str | None] = ()) -> Iterator[Subject]:
    """Every rule, for each model and slice that it is about.

    Raises
    ------
    UsageError
        When a rule names what neither the run nor the baseline knows, or a limit that makes no sense for
        its metric.
    """
    for number, rule in enumerate(rules):
        place = where[number] if number < len(where) else None
        yield from _Rule(held, number, rule, place).subjects()


@dataclass(frozen=True)
class _Rule:
    held: Held
    number: int
    rule: GateRule
    where: str | None

    def subjects(self) -> Iterator[Subject]:
        rule, held = self.rule, self.held
        self._known(
            "scenario", rule.scenario, [name for _, name in [*held.coverage, *held.played, *held.kept]]
        )
        models = [name for name, _ in [*held.coverage, *held.played, *held.kept]]
        if rule.model is not None:
            self._known("model", rule.model, models)
        if rule.against is not None and held.baseline is not None:
            self._known("model", rule.against, [name for name, _ in held.kept], "in the baseline")
        metric = self._metric()
        slices = self._slices()
        for model in [rule.model] if rule.model is not None else self._models():
            reference = (rule.against or model) if rule.kind in AGAINST_BASELINE else None
            lacking = self._lacking(model, reference, metric)
            for name in slices:
                yield Subject(
                    number=self.number,
                    rule=rule,
                    where=self.where,
                    model=model,
                    slice=name,
                    metric=metric,
                    reference=reference,
                    lacking=lacking or self._no_slice(name, reference),
                )

    def fault(self, said: str) -> UsageError:
        """A sentence that begins with the place of the rule."""
        return UsageError(f"{self.where or f'gate.rules[{self.number}]'}: {said}")

    def _known(self, what: str, name: str, names: Iterable[str], place: str | None = None) -> None:
        known = list(dict.fromkeys(names))
        if name not in known:
            both = "in the run" if self.held.baseline is None else "in the run or its baseline"
            there = f"{did_you_mean(name, known)} (there is: {', '.join(known) or 'none'})"
            raise self.fault(f"no {what} '{name}' {place or both}{there}")

    def _metric(self) -> Metric | None:
        known, wanted = self.held.metrics(self.rule.scenario), self.rule.metric.strip()
        if not known:
            return None
        try:
            metric = known.get(wanted) or known.get(metric_id(wanted))
        except UsageError as error:
            if not did_you_mean(wanted, known):
                raise self.fault(str(error)) from None
            metric = None
        if metric is None:
            there = f"{did_you_mean(wanted, known)} (it measures: {', '.join(known)})"
            raise self.fault(f"scenario '{self.rule.scenario}' does not measure '{wanted}'{there}")
        fault = limit_fault(self.rule, metric)
        if fault is not None:
            raise self.fault(fault[1])
        return metric

    def _models(self) -> list[str]:
        """Models that take part; one that a suite leaves out on purpose does where the baseline has it."""
        scenario, held = self.rule.scenario, self.held
        found = [
            model for model, name in held.coverage if name == scenario and _due(held.coverage[model, name])
        ]
        found += [model for model, name in held.run.pairings() if name == scenario]
        if held.baseline is not None and self.rule.kind in AGAINST_BASELINE and self.rule.against is None:
            found += [model for model, name in held.baseline.pairings() if name == scenario]
        return list(dict.fromkeys(found)) or [ANY_MODEL]

    def _slices(self) -> list[str]:
        """``all``, the slice that is named, or one for each value of a group."""
        wanted = self.rule.slice if self.rule.by is None else self.rule.by
        if self.rule.by is None and wanted == "all":
            return ["all"]
        scenario, held = self.rule.scenario, self.held
        there = [(True, held.played), (False, held.kept)]
        known = dict.fromkeys(
            name
            for of_run, pairs in there
            if any(of == scenario for _, of in pairs)
            for name in held.units(of_run, scenario).slices
        )
        if self.rule.by is None:
            if known:
                self._known("slice", wanted, known)
            return [wanted]
        found = [name for name in known if name.startswith(f"{wanted}=")]
        if not found and known:
            self._known("group", wanted, (name.partition("=")[0] for name in known if name != "all"))
        return found or [f"{wanted}=any"]

    def _lacking(self, model: str, reference: str | None, metric: Metric | None) -> str | None:
        """Why there is nothing to look at, as far as models and metrics go."""
        scenario, held = self.rule.scenario, self.held
        if model == ANY_MODEL:
            return f"no model was run in '{scenario}'"
        row = held.coverage.get((model, scenario))
        if (model, scenario) not in held.played or metric is None:
            why = f": {row.reason}" if row is not None and row.reason else ""
            return f"{model} was not run in '{scenario}'{why}"
        if metric.id not in held.run.metrics(model, scenario):
            return f"the run has no {metric.id} of {model} in '{scenario}'"
        if reference is None or held.baseline is None:
            return None
        cure = "; 'genrec-eval baseline update' takes it in"
        if (reference, scenario) not in held.kept:
            return f"the baseline does not hold {reference} in '{scenario}'{cure}"
        if metric.id not in held.baseline.metrics(reference, scenario):
            return f"the baseline does not hold {metric.id} of {reference} in '{scenario}'{cure}"
        return None

    def _no_slice(self, name: str, reference: str | None) -> str | None:
        scenario, held = self.rule.scenario, self.held
        for of_run in (True, False) if reference is not None and held.baseline is not None else (True,):
            if name not in held.units(of_run, scenario).slices:
                return f"the {'run' if of_run else 'baseline'} has no units of {name} in '{scenario}'"
        return None


def _due(row: Coverage) -> bool:
    """Whether a pairing was to be played: one that a suite leaves out has neither plan nor record."""
    return row.state != "not-run" or row.due or bool(row.statuses) or row.reason == LEFT_OUT
