"""What stands in a baseline file."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from pydantic import Field, model_validator

from genrec_eval.audit.gating.vectors import MOST_UNITS, Count, PackedNumbers
from genrec_eval.core.strict import StrictModel


class KeptFacts(StrictModel):
    """:class:`~genrec_eval.audit.sources.base.Facts` of the run."""

    run: str
    suite: str
    created: str
    data: dict[str, str]
    scenarios: dict[str, Any]
    judges: dict[str, str]
    models: dict[str, dict[str, str]]
    definitions: dict[str, str]
    versions: dict[str, str]
    seed: int


class KeptUnits(StrictModel):
    """The units of a scenario: 8 bytes each to find them by, 8 that tell whether they were asked the same."""

    units: Count
    keys: str
    content: str
    slices: dict[str, str]


class KeptAsked(StrictModel):
    """Which units a model was asked, and which it answered."""

    model: str
    scenario: str
    attempted: str
    answered: str


class KeptScores(StrictModel):
    """One metric of one model: see :class:`~genrec_eval.metrics.base.UnitScores`."""

    model: str
    scenario: str
    metric: str
    values: PackedNumbers
    reasons: dict[str, str] = Field(default_factory=dict)
    total: float | None = None
    reach: float | None = None
    weights: PackedNumbers | None = None
    sums: PackedNumbers | None = None
    columns: Annotated[int, Field(ge=0, le=10_000)] = 0

    @model_validator(mode="after")
    def _whole(self) -> KeptScores:
        if (self.sums is None) != (self.columns == 0):
            raise ValueError("statistics that are summed have at least one column, and nothing else has")
        return self


class Kept(StrictModel):
    """The file, but for the name of its schema."""

    facts: KeptFacts
    error_budget: Annotated[float, Field(ge=0, le=1)]
    coverage: tuple[dict[str, Any], ...]
    scenarios: dict[str, KeptUnits]
    asked: tuple[KeptAsked, ...]
    scores: tuple[KeptScores, ...]

    @model_validator(mode="after")
    def _joined(self) -> Kept:
        names: list[list[tuple[str, ...]]] = [
            [(row.model, row.scenario) for row in self.asked],
            [(row.model, row.scenario, row.metric) for row in self.scores],
        ]
        for rows in names:
            twice, times = next(iter(Counter(rows).most_common(1)), (None, 0))
            if twice is not None and times > 1:
                raise ValueError(f"{' / '.join(twice)} is there twice")
        asked = {(row.model, row.scenario) for row in self.asked}
        for row in self.scores:
            if (row.model, row.scenario) not in asked or row.scenario not in self.scenarios:
                raise ValueError(
                    f"{row.metric} of '{row.model}' in '{row.scenario}' stands without its units"
                )
        for one in self.asked:
            if one.scenario not in self.scenarios:
                raise ValueError(f"'{one.model}' in '{one.scenario}' stands without the units it belongs to")
        # what is not said cannot differ: a baseline without it would be held against anything
        for name, units in self.scenarios.items():
            if not isinstance(self.facts.scenarios.get(name), dict):
                raise ValueError(f"facts.scenarios does not say how '{name}' was asked")
            if "all" in units.slices:
                raise ValueError(f"a slice of '{name}' is called all, which is every unit")
        for row in self.scores:
            if row.metric not in self.facts.definitions:
                raise ValueError(f"facts.definitions does not say what {row.metric} is")
        if sum(one.units for one in self.scenarios.values()) > MOST_UNITS:
            raise ValueError(f"more than {MOST_UNITS:,} units, which no file of ours holds")
        return self
