"""What a model gave nothing for, where groups, values or providers are compared: no PASS may rest on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.audit.estimate import UnitSlices
from genrec_eval.audit.run_tables import RunTables, scenario_of
from genrec_eval.audit.score import StoredScores
from genrec_eval.core.numbers import bound, count
from genrec_eval.metrics.base import Bool, Metric
from genrec_eval.metrics.explanations.alike import ALIKE
from genrec_eval.metrics.explanations.disclosed import base_of as base_of_texts
from genrec_eval.metrics.grouped.by_group import FAILING, base_of, unlabelled_of
from genrec_eval.protocol.arrays import Int64, Vocabulary
from genrec_eval.protocol.results import Estimate
from genrec_eval.protocol.status import CODES, FAILED, Status
from genrec_eval.scenarios.ranking.records import rows_of, status_codes
from genrec_eval.scenarios.ranking.units import Units
from genrec_eval.scenarios.writing.asking import spelled, steps_of, told_of

if TYPE_CHECKING:
    from genrec_eval.scenarios.base import Scenario

_TOO_FEW = ("small-group", "failed-group", "one-group")
_PROVIDERS = ("providers", "attributes")
_ABOUT_LENGTH = ("list_length", "short", "usable", "length")
"""Metrics that count an empty answer for what it is."""

_TRIED = np.array([status is not Status.NOT_ATTEMPTED for status in CODES])
_NOTHING = np.array([status in FAILED or status is Status.REFUSED for status in CODES])


_EMPTY: Mapping[str, Callable[[pa.Array], pa.Array]] = {
    "items": lambda lists: pc.equal(pc.list_value_length(lists), 0).fill_null(False),
    "text": lambda texts: pc.invert(pc.match_substring_regex(texts, r"[\pL\pN]")).fill_null(False),
}
"""Column of an answer → whether it says nothing: no item, or neither a letter nor a digit.

A text that was taken out of the run is null, and nobody knows.
"""


def compares(metric: Metric) -> bool:
    """Whether it sets groups of users, disclosed values or groups of items against each other."""
    definition = metric.definition
    if definition.on in ("units", "arms", "disclosures"):
        return True
    return "groups" in definition.needs or metric.parameters.get("by") in _PROVIDERS


@dataclass(frozen=True, slots=True)
class _Exchanges:
    """Every exchange that was tried: row of its case, step, and whether it holds no answer to compare."""

    rows: Int64
    steps: Int64
    failed: Bool
    empty: Bool

    @classmethod
    def read(cls, run: RunTables, model: str, name: str, scenario: Scenario) -> _Exchanges:
        known = Vocabulary(run.cases(name).column("case").combine_chunks())
        held = {"rank": "items", "chat": "text"}.get(str(scenario.kind))
        columns = ["case", "status", "step", *([held] if held else [])]
        found = [cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool), np.empty(0, bool))]
        for block in run.records(model, name, columns):
            codes, names = status_codes(block), block.schema.names
            tried = _TRIED[codes]
            empty = np.zeros(len(codes), bool)
            if held is not None:
                empty = _EMPTY[held](block.column(held)).to_numpy(zero_copy_only=False)
            steps = np.zeros(len(codes), np.int64)
            if "step" in names:
                steps = block.column("step").fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
            failed = _NOTHING[codes]
            found.append(
                cls(rows_of(known, block)[tried], steps[tried], failed[tried], (empty & ~failed)[tried])
            )
        return cls(
            *(np.concatenate([getattr(one, part) for one in found]) for part in cls.__dataclass_fields__)
        )


@dataclass(slots=True)
class Missing:
    """Why a figure that compares cannot make a claim hold: what it rests on came for too few.

    A model must not look fairer by failing, refusing or answering with nothing. Where a gap counts that as
    0, it levels down; where it leaves it out, those who are left may be the ones it serves alike.

    Attributes
    ----------
    metrics
        (scenario, metric id) → metric, of all that are measured.
    budget
        Share that may be missing: of all, of each group and of each way of asking.
    """

    run: RunTables
    scores: Path
    metrics: Mapping[tuple[str, str], Metric]
    budget: float
    _asked: dict[str, tuple[pa.Table, Units, UnitSlices]] = field(default_factory=dict)
    _exchanges: dict[tuple[str, str], _Exchanges] = field(default_factory=dict)

    def __call__(self, estimate: Estimate) -> str:
        """A clause that goes on after the figure; empty where enough is there."""
        metric = self.metrics.get((estimate.scenario, estimate.metric))
        if metric is None or not compares(metric) or estimate.value is None:
            return ""
        for model in filter(None, (estimate.model, estimate.baseline)):
            for missing, of, what, where in self._parts(model, estimate, metric):
                if missing > of * self.budget + 1e-9:
                    name = f"{model}'s " if estimate.baseline else ""
                    word = "for" if what == "users" else "in"
                    return (
                        f", but there is nothing to compare {word} {count(missing)} of {name}{count(of)}"
                        f" {what}{where}, and a PASS needs {bound(1 - self.budget, 'share')} of them"
                    )
            if said := self._unlabelled(model, estimate, metric):
                return said
        return ""

    def _unlabelled(self, model: str, estimate: Estimate, metric: Metric) -> str:
        """Items of no known group hide whom the others are weighed against."""
        beside = unlabelled_of(metric)
        if beside is None:
            return ""
        with StoredScores(self.scores) as stored:
            read = stored.get(model, estimate.scenario, beside.id)
        if read is None:
            return ""
        _, _, slices = self._of_cases(estimate.scenario)
        own = slices.place(*read)
        inside = own.scored & slices.slices[estimate.slice]
        weights = inside * (1.0 if own.weights is None else own.weights)
        share = float(own.values @ weights) / (float(weights.sum()) or 1.0)
        if share <= self.budget + 1e-9:
            return ""
        name = f"{model}'s" if estimate.baseline else "the"
        kind = str(metric.parameters["by"]).removesuffix("s")
        return (
            f", but {math.ceil(1000 * share) / 10:g} % of {name} exposure goes to items of no known {kind},"
            f" and a PASS needs {bound(1 - self.budget, 'share')} of it known"
        )

    def _parts(self, model: str, estimate: Estimate, metric: Metric) -> Iterator[tuple[int, int, str, str]]:
        """What is missing, of how many, and what they are: each part that the metric compares, and all."""
        cases, units, slices = self._of_cases(estimate.scenario)
        mask = slices.slices[estimate.slice]
        parts = {"": mask, **_groups(metric, slices, mask)}
        with StoredScores(self.scores) as stored:
            read = stored.get(model, estimate.scenario, estimate.metric)
        if read is not None:
            own = slices.place(*read)
            failing = [hit for name, hit in own.reasons.items() if name in _failing(metric)]
            lost = np.logical_or.reduce([np.zeros(len(own), bool), *failing])
            few = [hit for name, hit in own.reasons.items() if name in _TOO_FEW]
            there = np.logical_or.reduce([own.scored, lost, *few])
            for name, part in parts.items():
                yield from _enough(lost & part, there & part, metric if name else None, "users", name)
        if _about_answers(metric):
            return
        scenario = scenario_of(self.run, estimate.scenario)
        key = model, estimate.scenario
        if key not in self._exchanges:
            self._exchanges[key] = _Exchanges.read(self.run, model, estimate.scenario, scenario)
        tried = self._exchanges[key]
        whose = tried.rows if units.of_case is None else units.of_case[tried.rows]
        nothing = tried.failed | tried.empty
        here = nothing & mask[whose]
        # a length says how little came; where most is nothing, that it is so for all alike is no fairness
        if _of_length(metric) and 2 * np.count_nonzero(here) <= np.count_nonzero(mask[whose]):
            nothing = tried.failed
        if metric.definition.on == "arms" and metric.definition.direction == "none":
            nothing = tried.failed  # an empty list is compared, or its unit left out
        what = "lists" if scenario.kind == "rank" else "answers"
        for name, way in self._ways(metric, scenario, cases, tried, estimate.scenario).items():
            if metric.definition.on in ("arms", "disclosures"):
                yield from _enough((nothing & mask[whose])[way], mask[whose][way], None, what, name)
                continue
            for group, part in parts.items():
                yield from _enough(
                    (nothing & part[whose])[way], part[whose][way], metric if group else None, what, group
                )
        if scenario.kind == "rank" and not _of_length(metric):
            yield from self._of_strangers(model, estimate, slices, parts, metric)

    def _of_strangers(
        self, model: str, estimate: Estimate, slices: UnitSlices, parts: Mapping[str, Bool], metric: Metric
    ) -> Iterator[tuple[int, int, str, str]]:
        """Users whose lists hold nothing but ids that are not in the catalogue."""
        with StoredScores(self.scores) as stored:
            named = [one for one in stored.metrics(model, estimate.scenario) if one.startswith("invalid@")]
            read = stored.get(model, estimate.scenario, named[0]) if named else None
        if read is None:
            return
        invalid = slices.place(*read)
        for name, part in parts.items():
            strange = invalid.scored & (invalid.values >= 1.0) & part
            yield from _enough(strange, invalid.scored & part, metric if name else None, "users", name)

    def _ways(
        self, metric: Metric, scenario: Scenario, cases: pa.Table, tried: _Exchanges, name: str
    ) -> dict[str, Bool]:
        """Words → which exchanges were asked in a way that the metric compares."""
        told = metric.parameters
        if metric.definition.on == "disclosures":
            attributes = getattr(scenario.options, "attributes", {})
            steps = steps_of(getattr(scenario.options, "variants", ()), told_of(attributes))
            attribute = told.get("attribute")  # text_noise has none
            values = attributes[attribute].values if attribute else []
            values = [told["value"]] if told.get("value") else values
            found = {
                f" with {attribute} {one} disclosed": tried.steps == steps[spelled(str(attribute), one)]
                for one in values
            }
            neutral = {" with nothing disclosed": tried.steps == 0}
            return {**found, **(neutral if told.get("value") or _alike(metric) else {})}
        if metric.definition.on != "arms":
            return {"": tried.steps == 0 if scenario.kind == "chat" else np.ones(len(tried.rows), bool)}
        ways, of_case = self.run.context(name)["ways"].to_pylist(), cases.column("way").to_numpy()
        arm = str(told.get("arm") or "sensitive")
        own = {"attribute": told.get("attribute"), "value": told.get("value")}
        asked = {" with nothing disclosed": of_case[tried.rows] == 0}
        for at, way in enumerate(ways):
            if way["arm"] != arm or any(said and way[what] != said for what, said in own.items()):
                continue
            shown = f" {way['attribute']} {way['value']}" if way["attribute"] else ""
            where = f" with{shown} disclosed" if arm == "sensitive" else f" of the arm {arm}{shown}"
            asked[where] = asked.get(where, np.zeros(len(tried.rows), bool)) | (of_case[tried.rows] == at)
        return asked

    def _of_cases(self, name: str) -> tuple[pa.Table, Units, UnitSlices]:
        if name not in self._asked:
            cases = self.run.cases(name)
            self._asked[name] = cases, Units.of(cases), UnitSlices.of(cases)
        return self._asked[name]


def _groups(metric: Metric, slices: UnitSlices, mask: Bool) -> dict[str, Bool]:
    """Words → the units of each group that the metric compares, inside ``mask``."""
    by = metric.parameters.get("by")
    if "groups" not in metric.definition.needs:
        return {}
    named = ((name.partition("="), part) for name, part in slices.slices.items())
    return {f" of {by} {value}": part & mask for (of, _, value), part in named if of == by}


def _enough(
    missing: Bool, of: Bool, metric: Metric | None, what: str, where: str
) -> Iterator[tuple[int, int, str, str]]:
    """The counts of a part; nothing of a group that is too small to be compared anyway."""
    n = int(np.count_nonzero(of))
    if n and (metric is None or n >= int(metric.parameters.get("least", 1))):
        yield int(np.count_nonzero(missing)), n, what, where


def _failing(metric: Metric) -> frozenset[str]:
    """Lists of items of no known group hide whom they favour as well as empty ones."""
    of_lists = metric.parameters.get("by") in _PROVIDERS and metric.definition.name != "pairwise_accuracy_gap"
    return FAILING | {"no-group"} if of_lists else FAILING


def _alike(metric: Metric) -> bool:
    """Whether texts are held against the neutral ones; ``of`` is then no metric but a similarity."""
    return metric.definition.on == "disclosures" and metric.parameters["of"] in ALIKE


def _base(metric: Metric) -> Metric | None:
    if metric.definition.on == "disclosures":
        return None if _alike(metric) else base_of_texts(str(metric.parameters["of"]))
    return base_of(metric) if metric.definition.on == "units" else None


def _about_answers(metric: Metric) -> bool:
    base = _base(metric)
    return base is not None and base.definition.on == "answers"


def _of_length(metric: Metric) -> bool:
    base = _base(metric)
    return base is not None and base.definition.name in _ABOUT_LENGTH
