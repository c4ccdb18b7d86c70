"""The Source contract: scores by unit, and the facts that two sources must share to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.protocol.results import Coverage

Mask = npt.NDArray[np.bool_]
UInt64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The n units of a scenario.

    Attributes
    ----------
    keys
        uint64[n], what units are joined by: the first 8 bytes of the SHA-256 of the id.
    content
        uint64[n], equal in two sources exactly when the unit was asked the same.
    slices
        ``"all"`` first, then ``"<group>=<value>"`` → bool[n].
    names
        The ids; None in a baseline, which keeps no names.
    """

    keys: UInt64
    content: UInt64
    slices: Mapping[str, Mask]
    names: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a reader must know of a source, and what two of them must share.

    Attributes
    ----------
    run, suite, created
        Id of the run, name of its suite, ISO time.
    data
        Data set of the suite → digest of its content.
    scenarios
        Scenario → its kind, data, options and repeats as the suite resolved them.
    judges
        Judge → digest of its model, dialect, rubrics and policy.
    models
        Model → scenario → identity as JSON.
    definitions
        Metric id → full identity with the versions of the libraries behind it.
    versions
        Package → version.
    seed
        Of the run.
    """

    run: str
    suite: str
    created: str
    data: Mapping[str, str] = field(default_factory=dict)
    scenarios: Mapping[str, Any] = field(default_factory=dict)
    judges: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0


class Source(Protocol):
    """Scores by model, scenario, metric and unit."""

    @property
    def label(self) -> str:
        """How it is called in sentences: a path."""
        ...

    @property
    def facts(self) -> Facts:
        """What it says of itself."""
        ...

    @property
    def coverage(self) -> Sequence[Coverage]:
        """What was played, and what was not and why."""
        ...

    @property
    def error_budget(self) -> float:
        """Share of the cases that a model may leave unanswered."""
        ...

    def pairings(self) -> list[tuple[str, str]]:
        """(model, scenario) of everything that has scores."""
        ...

    def units(self, scenario: str) -> Units:
        """The units of a scenario."""
        ...

    def metrics(self, model: str, scenario: str) -> list[str]:
        """Ids of the stored metrics."""
        ...

    def scores(self, model: str, scenario: str, metric: str) -> UnitScores | None:
        """Scores in the order of :meth:`units`; None when nothing of the kind is stored."""
        ...

    def attempted(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that the run came to."""
        ...

    def answered(self, model: str, scenario: str) -> Mask:
        """bool[n], the units that got an answer of any quality."""
        ...


class Measured(Source, Protocol):
    """A source that knows its metrics: a run."""

    def measured(self, scenario: str) -> list[Metric]:
        """The metrics of a scenario, in the order of the report."""
        ...
