"""What a comparison of two runs says: one object behind the terminal, the page and the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from genrec_eval.protocol.results import Direction

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "genrec-eval/comparison/1"


class Change(StrEnum):
    """What became of a metric from the reference to the candidate."""

    WORSE = "worse"
    BETTER = "better"
    EQUIVALENT = "equivalent"
    """Inside a declared margin."""
    UNCHANGED = "unchanged"
    """Identical for every unit."""
    INCONCLUSIVE = "inconclusive"
    DIFFERENT = "different"
    """Told apart, of a metric without a better side."""
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Something that is not the same in both runs, beside the answers.

    Attributes
    ----------
    what
        ``"data"``, ``"scenario"``, ``"judge"``, ``"model"``, ``"metric"``, ``"version"``, ``"seed"``,
        ``"engine"``, ...
    name
        Of which one, with the key that differs: ``"top-k: split.fraction"``.
    reference, candidate
        Both values as text; None where there is none.
    unsound
        Why this makes figures incomparable; None where it does not, as for a model, which is what
        comparisons are about.
    """

    what: str
    name: str
    reference: str | None
    candidate: str | None
    unsound: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of one model in one scenario: candidate − reference over the units of both."""

    scenario: str
    metric: str
    model: str
    """Of the candidate."""
    reference_model: str
    slice: str = "all"
    change: Change
    reason: str
    """In words, with the digits of the report."""
    reference_value: float | None = None
    """Over the same units as the difference."""
    candidate_value: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    interval: str | None = None
    n: int = 0
    """Pairs behind the difference."""
    excluded: dict[str, int] = field(default_factory=dict)
    """Pairs without a score in one of the runs, by reason."""
    p: float | None = None
    p_adjusted: float | None = None
    """``p`` after Holm, over all models, metrics and scenarios that are compared for all units; slices are a
    family of their own."""
    detectable: float | None = None
    """Smallest true difference that so many pairs would show in 80 % of runs, among so many tests."""
    margin: float | None = None
    """Declared margin of equivalence; None where none was declared."""
    needed: int | None = None
    """About how many pairs would decide an inconclusive one, if the difference stays."""
    direction: Direction
    unit: str = ""
    ruled: bool = False
    """Whether a claim or a rule of the gate of the candidate's suite is about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What a run says of itself as an audit.

    Attributes
    ----------
    when
        ISO time at which it ended.
    root
        64 hex digits; None where the run has no evidence.
    verdicts
        Verdict → how many of the suite's claims came to it; built-in checks are not counted.
    """

    run: str
    when: str
    root: str | None
    signed: bool
    verdicts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim of either suite with both verdicts; None where a suite does not make it."""

    claim: str
    scenario: str
    model: str
    """Of the candidate."""
    metric: str
    slice: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How the units of a scenario were paired; named ones are the first few."""

    scenario: str
    paired: int
    only_reference: int
    only_candidate: int
    changed: int
    """Asked something else under the same id; left out of every difference."""
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """``"only_reference"``, ``"only_candidate"``, ``"changed"`` → ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer of a flip: what the record says."""

    status: str
    value: float | None
    """Of the metric that flipped; None where there is no score."""
    items: Sequence[str] = ()
    text: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """An instance whose status changed, or whose score crossed between nothing and something.

    Attributes
    ----------
    metric
        The metric that flipped; None where the status did.
    kind
        ``"status"``, ``"gained"``, ``"lost"``, or ``"changed"`` for a metric without a better side.
    """

    scenario: str
    model: str
    case: str
    unit: str
    metric: str | None
    kind: Literal["status", "gained", "lost", "changed"]
    reference: Answered
    candidate: Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs held against each other.

    Attributes
    ----------
    reference, candidate
        Labels: paths.
    settings
        What differs beside the answers; the unsound ones first.
    missing
        (model, scenario, metric) that only one has, in words: never a silently smaller table.
    flips
        The first ones of each scenario, model and metric; ``flip_counts`` counts all.
    flip_counts
        ``{scenario, model, metric, kind, count}``; for statuses also ``changes``, as in
        ``{"ok → timeout": 12}``, and ``as`` where the very same units flip under another metric, which
        shows them.
    flip_units
        ``{scenario, model, kind, count, of, groups}``: units that flipped under any metric, each counted once
        a kind, of so many pairs; ``groups`` is slice → ``[flipped, pairs]``.
    reference_audit, candidate_audit
        When, root and verdicts of both.
    claims
        Claims of either suite with both verdicts, those that changed first.
    same
        What was the same in both, in words.
    remarks
        Sentences about the comparison as a whole: that both runs are the same, how many tests there are.
    """

    reference: str
    candidate: str
    reference_run: str
    candidate_run: str
    settings: Sequence[Setting] = ()
    pairs: Sequence[Pairs] = ()
    differences: Sequence[Difference] = ()
    missing: Sequence[str] = ()
    flips: Sequence[Flip] = ()
    flip_counts: Sequence[Mapping[str, Any]] = ()
    flip_units: Sequence[Mapping[str, Any]] = ()
    reference_audit: Audited | None = None
    candidate_audit: Audited | None = None
    claims: Sequence[Claimed] = ()
    same: Sequence[str] = ()
    remarks: Sequence[str] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing that differs beside the answers makes the figures incomparable."""
        return not any(setting.unsound for setting in self.settings)

    def to_json(self) -> dict[str, Any]:
        """Plain dict, with the schema's name first."""
        return {"schema": SCHEMA, "sound": self.sound, **asdict(self)}

    @property
    def frame(self) -> pd.DataFrame:
        """The differences, one row each."""
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.differences])
