"""Sources of scores made up for tests: what a run or a baseline says, without either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genrec_eval.audit.sources.base import Facts, Mask, Units
from genrec_eval.metrics.base import Definition, Metric, UnitScores
from genrec_eval.protocol.results import Coverage


def metric(name: str, **about: Any) -> Metric:
    """A metric that is only a definition."""
    given = {"direction": "higher", "needs_cutoff": False, "bounds": (None, None), **about}
    words = dict.fromkeys(("title", "summary", "formula", "degenerate", "source"), name)
    return Metric(
        definition=Definition(name=name, **words, **given),
        function=lambda lists: UnitScores(values=np.empty(0)),
        k=None,
    )


HIT = metric("hit", values="indicator", bounds=(0.0, 1.0), unit="share")
GAIN = metric("gain")
RATIO = metric("ratio")


@dataclass
class Made:
    """Scores of models in one scenario ``s``.

    Attributes
    ----------
    tables
        Model → metric id → scores of the units.
    """

    tables: Mapping[str, Mapping[str, UnitScores]]
    metrics_known: Sequence[Metric] = (HIT, GAIN, RATIO)
    label: str = "made"
    facts: Facts = field(default_factory=lambda: facts())
    rows: Sequence[Coverage] | None = None
    error_budget: float = 0.05
    keys: np.ndarray | None = None
    content: np.ndarray | None = None
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)
    unanswered: Mapping[str, np.ndarray] = field(default_factory=dict)
    unattempted: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(next(iter(next(iter(self.tables.values())).values())))

    @property
    def coverage(self) -> Sequence[Coverage]:
        if self.rows is not None:
            return self.rows
        return [
            Coverage(model=model, scenario="s", state="run", attempted=self.n, answered=self.n)
            for model in self.tables
        ]

    def pairings(self) -> list[tuple[str, str]]:
        return [(model, "s") for model in self.tables]

    def measured(self, scenario: str) -> list[Metric]:
        return list(self.metrics_known)

    def units(self, scenario: str) -> Units:
        keys = np.arange(self.n, dtype=np.uint64) if self.keys is None else self.keys
        content = np.zeros(self.n, np.uint64) if self.content is None else self.content
        return Units(keys=keys, content=content, slices={"all": np.ones(self.n, bool), **self.slices})

    def metrics(self, model: str, scenario: str) -> list[str]:
        return list(self.tables[model])

    def scores(self, model: str, scenario: str, metric: str) -> UnitScores | None:
        return self.tables.get(model, {}).get(metric)

    def attempted(self, model: str, scenario: str) -> Mask:
        return ~self.unattempted.get(model, np.zeros(self.n, bool))

    def answered(self, model: str, scenario: str) -> Mask:
        return ~self.unanswered.get(model, np.zeros(self.n, bool)) & self.attempted(model, scenario)


def facts(**changed: Any) -> Facts:
    """Facts of a run of suite ``made``."""
    given: dict[str, Any] = {
        "run": "0" * 16,
        "suite": "made",
        "created": "2026-01-01T00:00:00+00:00",
        "data": {"world": "d" * 64},
        "scenarios": {"s": {"scenario": "top-k", "data": "world", "options": {"k": 10}, "judging": []}},
        "models": {"m": {"s": "{}"}},
        "definitions": {"hit": "hit", "gain": "gain", "ratio": "ratio"},
        "versions": {"genrec-eval": "0.1.0"},
        "seed": 7,
    }
    return Facts(**{**given, **changed})


def scores(values: Any, **more: Any) -> UnitScores:
    """Scores of units."""
    return UnitScores(values=np.asarray(values, np.float64), **more)
