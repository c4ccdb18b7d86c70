"""Estimates, verdicts and coverage: the rows of ``estimates.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

Direction = Literal["higher", "lower", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number a person can defend.

    All counts are of units. ``attempted`` are those that the run set out to ask, ``answered`` those that
    got an answer of any quality at least once, ``scored`` those that entered the value; ``excluded`` counts
    the others by reason, ``not-attempted`` where a run broke off before it came to them (``attempted``
    equals ``scored`` plus the excluded). ``n`` is the number of resampled units.
    """

    model: str
    scenario: str
    metric: str
    definition: str
    slice: str = "all"
    """``"all"`` or ``"<group>=<value>"``."""
    baseline: str | None = None
    """The model it is compared with; the value is then the paired difference model − baseline."""
    value: float | None
    low: float | None
    high: float | None
    level: float = 0.95
    interval: str | None
    """Name of the method; None, with ``reason`` said, when there is no interval."""
    reason: str | None = None
    n: int
    attempted: int
    answered: int
    scored: int
    excluded: dict[str, int] = field(default_factory=dict)
    direction: Direction
    p: float | None = None
    """Of a paired difference: two-sided, against no difference, by the method of the interval. Of a metric
    with a test of its own, such as a gap between groups: of that test, for the whole run only."""
    p_adjusted: float | None = None
    """``p`` after the ``adjustment``."""
    adjustment: str | None = None
    """How ``p`` was adjusted, and over how many: of a paired difference by Holm over the pairs of models in
    this scenario, metric and slice; of a figure's own test by Holm over the claims of a declared family, else
    by Benjamini & Hochberg over all others of the scenario."""
    detectable: float | None = None
    """Smallest true difference that units as different as these would show in 80 % of runs."""

    def to_json(self) -> dict[str, Any]:
        """Plain dict for ``estimates.json``."""
        return asdict(self)


class Ruling(StrEnum):
    """What a claim came to."""

    PASS = "PASS"
    FAIL = "FAIL"
    INSUFFICIENT = "INSUFFICIENT"
    NOT_RUN = "NOT-RUN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A claim against its margin."""

    claim: str
    model: str
    scenario: str
    metric: str
    slice: str = "all"
    baseline: str | None = None
    verdict: Ruling
    expected: Ruling = Ruling.PASS
    """What the suite says should come out; FAIL for a planted flaw that must be caught."""
    gate: bool
    """True for the suite's own claims, which decide the exit code; False for built-in checks."""
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float
    """What the figure is held against: a margin, or for ``published`` the published figure."""
    rule: Literal["at_least", "at_most", "better_by", "not_worse_by", "within", "published"]
    tolerance: float | None = None
    """Of ``published``: the greatest difference that is allowed."""
    direction: Direction
    needed: int | None = None
    """About how many units would decide an INSUFFICIENT claim."""
    where: str | None = None
    """``file:line`` of the claim in the suite."""
    level: float | None = None
    """Of ``low`` and ``high``: for a claim of a family above that of the suite; None where there are none."""
    family: str | None = None
    """Claims that hold together at the level of the suite."""
    family_size: int | None = None
    """Claims that the suite declares for the family."""

    def to_json(self) -> dict[str, Any]:
        """Plain dict for ``estimates.json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was run, and what was not and why, for one model in one scenario."""

    model: str
    scenario: str
    state: Literal["run", "partial", "not-run"]
    reason: str | None = None
    """What went wrong; None where nothing did."""
    attempted: int = 0
    answered: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    due: bool = False
    """Not run although it was to be: the data are not there. Such a run is incomplete."""
    remark: str | None = None
    """What is worth knowing of the answers as a whole, though nothing failed."""

    def to_json(self) -> dict[str, Any]:
        """Plain dict for ``estimates.json``."""
        return asdict(self)
