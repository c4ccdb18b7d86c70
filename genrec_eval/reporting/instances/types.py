"""What the page is given of the instances of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from genrec_eval.reporting.text import visible

Row = dict[str, Any]
"""One instance as the sidecar holds it: the answers of one model to one case, plain and bounded."""

SCHEMA = "genrec-eval/instances/1"

BESIDE = 200_000
"""Instances of a sidecar, unless another number is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many instances stand where.

    Attributes
    ----------
    each
        Inline, of one model in one scenario.
    most
        Inline, in all.
    size
        Bytes of HTML that the inline ones may take.
    beside
        In the sidecar, at most; None for all, 0 for no sidecar.
    """

    each: int = 60
    most: int = 400
    size: int = 4_000_000
    beside: int | None = BESIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A scenario, as far as its instances must be read.

    Attributes
    ----------
    groups
        Names of its groups, in the order of ``Row["groups"]``.
    slices
        ``"<group>=<value>"`` of all its cases.
    metrics
        (id, title, unit) of the metrics that say something of one unit, in the order of ``Row["scores"]``.
    main
        Position of the metric that tells worse from better instances; None where none does.
    against
        What flips are held against: a model, or an earlier run; empty where there is nothing.
    """

    name: str
    groups: Sequence[str]
    slices: Sequence[str]
    metrics: Sequence[tuple[str, str, str]]
    main: int | None
    against: str = ""

    @property
    def note(self) -> str:
        """How worse is told from better, and what a flip is."""
        told = "Worst first: answers that failed, then half answers"
        told += f", then by {self.metrics[self.main][1]}." if self.main is not None else "."
        if self.against:
            told += (
                f" Flipped: another status than {self.against}, or a score that is nothing on one side and "
                "something on the other."
            )
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An instance that stands in the page."""

    anchor: str
    row: Row
    html: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The instances of one model in one scenario that stand in the page, the worst first.

    Attributes
    ----------
    total
        How many there are.
    statuses
        Status → how many of all have it.
    flipped
        How many of all flipped.
    """

    scenario: str
    model: str
    total: int
    statuses: Mapping[str, int]
    flipped: int
    shown: Sequence[Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A file beside the page that was written for it.

    Attributes
    ----------
    key
        Stands in its first line; made from the run and its figures.
    sha256
        Of the file.
    """

    name: str
    rows: int
    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """The instances of a run.

    Attributes
    ----------
    total
        Instances of the run.
    shown
        Those of the page.
    answers
        By scenario and model, in the order of the report.
    sentences
        What stands here, what stands beside, what is left out.
    places
        (scenario, model, case) → anchor.
    sidecar
        The file beside the page; None where none was written.
    """

    total: int
    shown: int
    scenes: Mapping[str, Scene]
    answers: Sequence[Answers]
    sentences: Sequence[str]
    silent: Sequence[str] = ()
    """Sentences on scenarios that have none."""
    places: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    sidecar: Sidecar | None = None
    run: str = ""

    @property
    def statuses(self) -> list[str]:
        """Statuses of all instances, the most frequent first."""
        found: dict[str, int] = {}
        for one in self.answers:
            for status, count in one.statuses.items():
                found[status] = found.get(status, 0) + count
        return sorted(found, key=lambda status: (-found[status], status))

    @property
    def lists(self) -> dict[str, Any]:
        """What the page's script offers to filter by."""
        return {
            "status": [visible(status) for status in self.statuses],
            "model": [visible(model) for model in self.models],
            "scenario": [visible(name) for name in self.scenes],
            "group": list(
                dict.fromkeys(visible(name) for one in self.scenes.values() for name in one.slices)
            ),
            "flipped": any(one.flipped for one in self.answers),
        }

    @property
    def models(self) -> list[str]:
        """Models that have instances."""
        return list(dict.fromkeys(one.model for one in self.answers))
