"""Baselines: a small file of a run that others are held against, committed beside the suite.

It holds no id, no text and no answer: units stand as the first 8 bytes of a SHA-256 of their id, so that who
has the ids can find them again. That makes it pseudonymous, not anonymous: keep it where the run's groups and
scores may be kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genrec_eval.audit.gating.kept import Kept, KeptAsked, KeptScores
from genrec_eval.audit.gating.reading import check_schema, read_as, read_json
from genrec_eval.audit.gating.vectors import (
    PackedNumbers,
    pack_bytes,
    pack_mask,
    pack_numbers,
    unpack_bytes,
    unpack_mask,
    unpack_numbers,
)
from genrec_eval.audit.sources.base import Facts, Mask, Measured, Units
from genrec_eval.audit.verdicts import incomplete
from genrec_eval.core.errors import IncompleteError, UsageError, did_you_mean
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.rundir import whole_file
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.results import Coverage
from genrec_eval.suite.gate import Gate
from genrec_eval.suite.measured import metric_id

SCHEMA = "genrec-eval/baseline/1"
Chosen = Sequence[tuple[str, str, str]]
"""(model, scenario, metric) of the vectors to keep."""


class BaselineSource:
    """The scores of a baseline file; see :class:`~genrec_eval.audit.sources.base.Source`.

    Parameters
    ----------
    label
        Its path, for messages.
    kept
        What the file says.
    """

    def __init__(self, label: str, kept: Kept) -> None:
        self.label = label
        self._kept = kept
        self._scores = {(row.model, row.scenario, row.metric): row for row in kept.scores}
        self._asked = {(row.model, row.scenario): row for row in kept.asked}
        self._units: dict[str, Units] = {}

    @classmethod
    def open(cls, path: Path) -> BaselineSource:
        """Read a file.

        Raises
        ------
        UsageError
            When it is no baseline, was written by a newer version, is cut off or otherwise damaged.
        """
        if path.is_dir():
            raise UsageError(f"{path} is a directory; a baseline is a file of 'genrec-eval baseline save'")
        document = read_json(path, "a baseline")
        check_schema(document, SCHEMA, str(path))
        body = {name: value for name, value in document.items() if name != "schema"}
        found = cls(str(path), read_as(Kept, body, str(path)))
        _ = found.coverage
        for scenario in found._kept.scenarios:
            found.units(scenario)
        return found

    @cached_property
    def facts(self) -> Facts:
        """What the run said of itself."""
        return Facts(**self._kept.facts.model_dump())

    @cached_property
    def coverage(self) -> Sequence[Coverage]:
        """What was played, and what was not and why."""
        return [
            read_as(Coverage, row, f"{self.label}: coverage[{i}]")
            for i, row in enumerate(self._kept.coverage)
        ]

    @property
    def error_budget(self) -> float:
        """Share of the cases that a model could leave unanswered."""
        return self._kept.error_budget

    def pairings(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that is kept."""
        return list(self._asked)

    def units(self, scenario: str) -> Units:
        """The units of a scenario; they have no names."""
        if scenario not in self._units:
            kept = self._kept.scenarios.get(scenario)
            if kept is None:
                known = self._kept.scenarios
                raise UsageError(
                    f"{self.label} holds no scenario '{scenario}'{did_you_mean(scenario, known)}"
                )
            place, n = f"scenario '{scenario}'", kept.units
            keys, content = (
                np.frombuffer(self._read(place, name, unpack_bytes, text, 8 * n), "<u8").astype(np.uint64)
                for name, text in (("keys", kept.keys), ("content", kept.content))
            )
            if len(np.unique(keys)) < n:
                raise UsageError(f"{self.label}: {place}: a unit is there twice; make it again from the run")
            slices = {
                name: self._read(place, f"slice {name}", unpack_mask, text, n)
                for name, text in kept.slices.items()
            }
            self._units[scenario] = Units(
                keys=keys, content=content, slices={"all": np.ones(n, bool), **slices}
            )
        return self._units[scenario]

    def metrics(self, model: str, scenario: str) -> list[str]:
        """Ids of the metrics that are kept."""
        return [metric for of, where, metric in self._scores if (of, where) == (model, scenario)]

    def scores(self, model: str, scenario: str, metric: str) -> UnitScores | None:
        """Scores in the order of :meth:`units`, each to within :meth:`rounding`."""
        row = self._scores.get((model, scenario, metric))
        if row is None:
            return None
        n, place = self._kept.scenarios[scenario].units, f"{metric} of '{model}' in '{scenario}'"

        def numbers(name: str, packed: PackedNumbers | None, size: int) -> np.ndarray | None:
            return None if packed is None else self._read(place, name, unpack_numbers, packed, size)

        values = numbers("values", row.values, n)
        assert values is not None
        weights, sums = numbers("weights", row.weights, n), numbers("sums", row.sums, n * row.columns)
        if weights is not None and weights.min(initial=0) < 0:
            raise UsageError(f"{self.label}: {place}: a weight is below 0; make it again from the run")
        reasons = {
            name: self._read(place, f"reason {name}", unpack_mask, text, n)
            for name, text in row.reasons.items()
        }
        if reasons and np.sum(list(reasons.values()), axis=0).max(initial=0) > 1:
            raise UsageError(f"{self.label}: {place}: a unit has two reasons; make it again from the run")
        return UnitScores(
            values=values,
            reasons=reasons,
            total=row.total,
            reach=row.reach,
            weights=weights,
            sums=None if sums is None else sums.reshape(n, row.columns),
        )

    def rounding(self, model: str, scenario: str, metric: str) -> float:
        """The most that a score may be off by, because a large vector is kept in steps; 0 elsewhere."""
        row = self._scores.get((model, scenario, metric))
        # what reading the steps back may round beside
        slack = (
            0.0 if row is None else 4 * np.finfo(float).eps * (abs(row.values.low) + 65_535 * row.values.step)
        )
        return 0.0 if row is None or row.values.how != "steps" else row.values.error + float(slack)

    def packed(self, model: str, scenario: str, metric: str) -> tuple[str, int]:
        """How a vector is kept, and the characters that it takes."""
        row = self._scores[model, scenario, metric]
        return row.values.how, len(json.dumps(row.model_dump(exclude_defaults=True)))

    def attempted(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that the run came to."""
        return self._of_asked(model, scenario, "attempted")

    def answered(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that got an answer of any quality."""
        return self._of_asked(model, scenario, "answered")

    def _of_asked(self, model: str, scenario: str, name: str) -> Mask:
        row, n = self._asked.get((model, scenario)), len(self.units(scenario))
        if row is None:
            return np.zeros(n, bool)
        place = f"'{model}' in '{scenario}'"
        found: Mask = self._read(place, name, unpack_mask, getattr(row, name), n)
        return found

    def _read(self, place: str, name: str, unpack: Any, *given: Any) -> Any:
        try:
            return unpack(*given)
        except ValueError as error:
            raise UsageError(
                f"{self.label}: {place}: {name}: {error}; make it again from the run, or take it from version"
                " control"
            ) from None


def chosen(run: Measured, rules: Gate | None) -> list[tuple[str, str, str]]:
    """The vectors that a gate compares with, and all of them where there is no gate.

    Returns
    -------
    list
        (model, scenario, metric), in the order of the run.
    """
    every = [(model, name, metric) for model, name in run.pairings() for metric in run.metrics(model, name)]
    if rules is None:
        return every
    wanted: set[tuple[str | None, str, str]] = set()
    for rule in rules.rules:
        known = {metric for _, name, metric in every if name == rule.scenario}
        metric = rule.metric.strip()
        if metric not in known:
            metric = metric_id(metric)
        wanted |= {(model, rule.scenario, metric) for model in {rule.model, rule.against or rule.model}}
    return [(m, s, x) for m, s, x in every if (m, s, x) in wanted or (None, s, x) in wanted]


def baseline_text(run: Measured, vectors: Chosen) -> str:
    """The file of a run, one line a vector; the same run gives the same bytes.

    Raises
    ------
    IncompleteError
        When more of the run is missing than its error budget allows.
    """
    pairings = list(dict.fromkeys((model, name) for model, name, _ in vectors))
    if not pairings:
        raise UsageError(f"{run.label} has no scores of what the gate of its suite names; see --all")
    scenarios = list(dict.fromkeys(name for _, name in pairings))
    coverage = [row for row in run.coverage if (row.model, row.scenario) in pairings]
    for row in coverage:
        if row.due or incomplete(row, run.error_budget):
            why = f" ({row.reason})" if row.reason else ""
            raise IncompleteError(
                f"{row.model} in '{row.scenario}' of {run.label} is incomplete{why}: nothing can be held"
                " against it; finish the run first"
            )
    head = {
        "schema": SCHEMA,
        "facts": _facts(run.facts, pairings, {metric for *_, metric in vectors}),
        "error_budget": run.error_budget,
        "coverage": [row.to_json() for row in coverage],
    }
    units = {name: _units(run.units(name)) for name in scenarios}
    asked = [
        KeptAsked(
            model=model,
            scenario=name,
            attempted=pack_mask(run.attempted(model, name)),
            answered=pack_mask(run.answered(model, name)),
        ).model_dump()
        for model, name in pairings
    ]
    means = {name: {one.id for one in run.measured(name) if one.link == "identity"} for name in scenarios}
    scores = (_vector(run, *one, mean=one[2] in means[one[1]]) for one in vectors)
    parts = [
        *(f"{_line(name)}: {_table(value)}" for name, value in head.items()),
        f'"scenarios": {_table(units)}',
        f'"asked": {_table(asked)}',
        f'"scores": {_table(scores)}',
    ]
    return scrub("{\n" + ",\n".join(parts) + "\n}\n")


def write_baseline(text: str, path: Path) -> None:
    """Write a file, whole or not at all."""
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for the baseline")
    with whole_file(path) as partial:
        partial.write_text(text, "utf-8", newline="\n")


def _facts(facts: Facts, pairings: Iterable[tuple[str, str]], metrics: set[str]) -> dict[str, Any]:
    models = {model for model, _ in pairings}
    scenarios = {name for _, name in pairings}
    return {
        **{name: getattr(facts, name) for name in ("run", "suite", "created", "seed")},
        "data": dict(facts.data),
        "scenarios": {name: about for name, about in facts.scenarios.items() if name in scenarios},
        "judges": dict(facts.judges),
        "models": {
            model: {name: said for name, said in played.items() if name in scenarios}
            for model, played in facts.models.items()
            if model in models
        },
        "definitions": {name: said for name, said in facts.definitions.items() if name in metrics},
        "versions": dict(facts.versions),
    }


def _units(units: Units) -> dict[str, Any]:
    return {
        "units": len(units),
        "keys": pack_bytes(units.keys.astype("<u8").tobytes()),
        "content": pack_bytes(units.content.astype("<u8").tobytes()),
        "slices": {name: pack_mask(mask) for name, mask in units.slices.items() if name != "all"},
    }


def _vector(run: Measured, model: str, scenario: str, metric: str, mean: bool) -> Mapping[str, Any]:
    scores = run.scores(model, scenario, metric)
    assert scores is not None
    mean = mean and scores.total is None and scores.weights is None and scores.sums is None
    scored = scores.scored

    def exact(values: np.ndarray) -> dict[str, Any]:
        return pack_numbers(values, exact=True)

    found: dict[str, Any] = {
        "model": model,
        "scenario": scenario,
        "metric": metric,
        # what is under a reason is never read
        "values": pack_numbers(np.where(scored, scores.values, 0.0), exact=not mean),
        "reasons": {name: pack_mask(np.asarray(mask, bool)) for name, mask in sorted(scores.reasons.items())},
        "total": scores.total,
        "reach": scores.reach,
    }
    if scores.weights is not None:
        found["weights"] = exact(np.where(scored, scores.weights, 0.0))
    if scores.sums is not None:
        found["sums"] = exact(np.where(scored[:, None], scores.sums, 0.0).ravel())
        found["columns"] = scores.sums.shape[1]
    kept = KeptScores.model_validate(found)
    return {
        name: value for name, value in kept.model_dump(exclude_defaults=True).items() if value is not None
    }


def _table(value: Any) -> str:
    """JSON with a line for each entry, so that a change of one metric is a change of one line."""
    if isinstance(value, Mapping):
        return "{\n" + ",\n".join(f" {_line(key)}: {_line(one)}" for key, one in value.items()) + "\n}"
    if isinstance(value, Iterator | list | tuple):
        rows = ",\n".join(f" {_line(one)}" for one in value)
        return f"[\n{rows}\n]" if rows else "[]"
    return _line(value)


def _line(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
