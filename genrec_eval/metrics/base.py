"""What a metric is: a definition with parameters, and a pure function to a vector per unit."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.protocol.results import Direction
from genrec_eval.stats.sample import Contrast, Pooled, Sample, paired

if TYPE_CHECKING:
    from genrec_eval.metrics.lists import GroupCodes
    from genrec_eval.stats.fits import Fit
    from genrec_eval.stats.resolution import Resolution

Bool = npt.NDArray[np.bool_]
Reasons = Mapping[str, Bool]
Link = Literal["identity", "sqrt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitScores:
    """A metric's value for each of n units.

    Attributes
    ----------
    values
        float64[n]; the entries under a reason are meaningless and must not be read.
    reasons
        Reason why a unit has no score → bool[n]; the masks are disjoint.
    total
        For a metric of the whole run (coverage, ...): its value. ``values`` then holds what the
        run's value would lose without that unit: ``total`` minus the leave-one-out value.
        None for a mean over units.
    reach
        The most that one unit can change ``total``; None when unknown.
    weights
        float64[n], how much each unit counts; None when all count alike. The run's value is then
        ``link(sum(weights · values) / sum(weights))``, with the link of the definition.
    sums
        float64[n, m], additive statistics of each unit (counts of matched n-grams, lengths, ...), for a
        metric whose value is :attr:`Definition.combine` of their sum over the units, or
        :attr:`Definition.refit` of the rows; finite for scored units. ``values`` then holds what the metric
        says of each unit alone (finite for scored units too), for distributions and examples. None elsewhere.
    """

    values: Float64
    reasons: Reasons = field(default_factory=dict)
    total: float | None = None
    reach: float | None = None
    weights: Float64 | None = None
    sums: Float64 | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def scored(self) -> Bool:
        """bool[n], the units that have a score."""
        scored = np.ones(len(self.values), bool)
        for mask in self.reasons.values():
            scored &= ~mask
        return scored

    @classmethod
    def join(cls, parts: Sequence[UnitScores]) -> UnitScores:
        """Scores of consecutive chunks of units as one; for means over units."""
        names = sorted({name for part in parts for name in part.reasons})
        empty = np.empty(0, bool)
        return cls(
            values=np.concatenate([part.values for part in parts] or [np.empty(0)]),
            reasons={
                name: np.concatenate(
                    [part.reasons.get(name, np.zeros(len(part), bool)) for part in parts] or [empty]
                )
                for name in names
            },
            weights=np.concatenate([part.weights for part in parts if part.weights is not None])
            if parts and all(part.weights is not None for part in parts)
            else None,
            sums=np.concatenate([part.sums for part in parts if part.sums is not None])
            if parts and all(part.sums is not None for part in parts)
            else None,
        )

    def place(self, rows: Int64, n: int, reason: str) -> UnitScores:
        """Put unit ``i`` at ``rows[i]`` of ``n`` units; the others are excluded for ``reason``.

        >>> placed = UnitScores(values=np.array([0.5, 1.0])).place(np.array([2, 0]), 3, "missing")
        >>> placed.values, placed.reasons["missing"]
        (array([1. , 0. , 0.5]), array([False,  True, False]))
        """
        values = np.zeros(n)
        values[rows] = self.values
        reasons = {name: np.zeros(n, bool) for name in self.reasons}
        for name, mask in self.reasons.items():
            reasons[name][rows] = mask
        absent = np.ones(n, bool)
        absent[rows] = False
        if absent.any():
            reasons[reason] = reasons.get(reason, np.zeros(n, bool)) | absent
        weights = None
        if self.weights is not None:
            weights = np.zeros(n)
            weights[rows] = self.weights
        sums = None
        if self.sums is not None:
            sums = np.zeros((n, self.sums.shape[1]))
            sums[rows] = self.sums
        return replace(self, values=values, reasons=reasons, weights=weights, sums=sums)


Pair = tuple[UnitScores, UnitScores]
"""Scores of two models on the same units."""

NEEDS = {
    "scores": "scores beside the listed items",
    "grades": "graded relevance (ratings)",
    "rejected": "items that users are known not to want (min_rating with ratings below it)",
    "candidates": "candidate sets",
    "attributes": "item attributes (a list column 'genres' or another named one)",
    "embeddings": "item embeddings (a list column 'embedding')",
    "providers": "item providers (a column 'provider' or another named one)",
    "test_counts": "the held-out interactions",
    "first_seen": "timestamps",
    "cut": "timestamps: the moment each list was made for",
    "train_users": "the number of users of each item in training",
    "groups": "the user column that 'by' names, among the scenario's groups",
    "ambiguous": "semantic ids of items (a list column 'semantic_id')",
}
"""What a metric may need beyond lists and truth → in words, for the sentence that refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What there is to know about a metric; shown by reports and ``genrec-eval explain``.

    Attributes
    ----------
    name
        Field's standard name, as written in a suite (``"ndcg"``).
    title
        For table heads (``"NDCG"``).
    formula, degenerate, source
        Plain text: the formula, what happens in degenerate cases, where the definition comes from.
    unit
        ``"share"`` is shown in percent; ``""`` for a plain number.
    bounds
        Least and greatest possible value; None for unbounded.
    values
        ``"indicator"`` when a unit's value is 0 or 1, else ``"real"``.
    parameters
        Parameter → (default, allowed values or None).
    meanings
        Parameter → what it decides and what each value does, for those whose name does not say it.
    link
        ``"sqrt"`` when the run's value is the square root of the mean over units (RMSE); for a metric
        with a parameter ``average``, the link of each of its values. Read it as :attr:`Metric.link`.
    on
        What the function takes: ``"lists"`` (:class:`~genrec_eval.metrics.lists.RankedLists`),
        ``"ratings"`` (:class:`~genrec_eval.metrics.rated.RatedPairs`) or a scenario's own. In every scenario:
        ``"answers"`` (:class:`~genrec_eval.metrics.answers.Answers`, how exchanges ended) and ``"units"``
        (:class:`~genrec_eval.metrics.grouped.by_group.GroupedUnits`, the scores of another metric of the
        scenario, the one that the parameter ``of`` names, with the groups of the units).
    needs
        What the data must offer beside lists and truth, of :data:`NEEDS`; the name of a parameter
        stands for its value, as in ``ild(of=embeddings)``. Read it as :attr:`Metric.needs`.
    contrast
        For a metric that compares two groups of units, told apart by the sign of their weights: see
        :class:`~genrec_eval.stats.sample.Sample`.
    combine
        ``combine(sums, parameters)``: float64[..., m] sums of :attr:`UnitScores.sums` and the metric's
        parameters to float64[...] values; NaN where the sums define none. A ratio of sums needs none: it is
        a mean with :attr:`UnitScores.weights`, which has intervals even where all units agree.
    refit
        ``refit(rows, counts, parameters)``: float64[n, m] rows of :attr:`UnitScores.sums` and float64[B, n],
        how often each unit counts, to float64[B] values, for a value that is estimated anew from each
        resample (a regression); NaN where there is no solution.
    test
        ``test(rows, parameters, seed)``, beside ``combine`` or ``refit``: p-value of float64[n, m] rows of
        :attr:`UnitScores.sums` under the hypothesis that the definition names (labels mean nothing), None
        where it cannot be tested. It becomes the ``p`` of the estimate, adjusted by Holm inside a family of
        claims, else by Benjamini & Hochberg over the scenario.
    resolution
        ``resolution(rows, parameters)`` of the same rows: the smallest p that such data allow, for a figure
        that compares labels; a claim that no p could reach is not decided.
    check
        ``check(parameters)``: why they make no sense together or each for itself, None where they do; called
        when the metric is named, before any model is asked.
    cutoff_by
        ``cutoff_by(parameters)``: whether it takes a cutoff with these parameters; by default as
        ``needs_cutoff`` says.
    within
        ``within(scores, mask, parameters)``: the scores in a slice of the units, for a metric by which a
        slice leaves out more than what lies outside, as groups that are too small there; a plain cut by
        default.
    tells
        ``tells(rows, names, parameters)``, of a metric of groups or disclosed values with these names:
        which of them make the value of float64[n, m] rows of :attr:`UnitScores.sums`, as a
        clause; empty where nothing is to be told.
    settle
        ``settle(scores, groups, parameters)``: what users add, from their scores and the groups of users by
        name, for a metric that asks how many users a group has. Called once, when the cases and repeats of
        each user have been made one: then a user is a user, however often asked.
    alone
        ``alone(rows, parameters)``, beside ``combine`` or ``refit``: how one value is inferred where there is
        better than resampling, see :class:`~genrec_eval.stats.sample.Pooled`.
    """

    name: str
    title: str
    summary: str
    formula: str
    degenerate: str
    source: str
    direction: Direction
    unit: str = ""
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    values: Literal["real", "indicator"] = "real"
    resampling_unit: str = "user"
    parameters: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    needs_cutoff: bool = True
    traps: str = ""
    link: Link | Mapping[str, Link] = "identity"
    on: str = "lists"
    needs: tuple[str, ...] = ()
    contrast: Contrast | None = None
    combine: Callable[[Float64, Mapping[str, Any]], Float64] | None = None
    refit: Callable[[Float64, Float64, Mapping[str, Any]], Float64] | None = None
    alone: Callable[[Float64, Mapping[str, Any]], Fit | str | None] | None = None
    test: Callable[[Float64, Mapping[str, Any], int], float | None] | None = None
    resolution: Callable[[Float64, Mapping[str, Any]], Resolution | None] | None = None
    check: Callable[[Mapping[str, Any]], str | None] | None = None
    cutoff_by: Callable[[Mapping[str, Any]], bool] | None = None
    within: Callable[[UnitScores, Bool, Mapping[str, Any]], UnitScores] | None = None
    tells: Callable[[Float64, Sequence[str], Mapping[str, Any]], str] | None = None
    settle: Callable[[UnitScores, Mapping[str, GroupCodes], Mapping[str, Any]], UnitScores] | None = None
    libraries: tuple[str, ...] = ()
    """Packages that compute it: their versions are part of :attr:`Metric.signature`."""

    def takes_cutoff(self, parameters: Mapping[str, Any]) -> bool:
        """Whether a cutoff belongs to it."""
        return self.needs_cutoff if self.cutoff_by is None else self.cutoff_by(parameters)


class Accumulator(ABC):
    """A metric of the whole run as a stream over chunks of units.

    A family of this form is a subclass that takes the cutoff and the parameters as keywords; memory
    may grow with the catalogue or the number of units, not with the length of the lists.
    """

    @abstractmethod
    def update(self, lists: Any) -> None:
        """Take in the next chunk of units."""

    @abstractmethod
    def finish(self) -> UnitScores:
        """Scores of all units, in the order in which they came."""


class Rows(Accumulator):
    """A mean over units as a stream: every chunk is scored on its own."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.parts: list[UnitScores] = []

    def update(self, lists: Any) -> None:
        self.take(self.function(lists))

    def take(self, scores: UnitScores) -> None:
        """The next chunk, scored elsewhere."""
        self.parts.append(scores)

    def finish(self) -> UnitScores:
        parts, self.parts = self.parts, []  # a million users' scores should not be held twice
        if len(parts) == 1 and parts[0].total is None:  # in the order of join, so that chunks change no byte
            return replace(parts[0], reasons=dict(sorted(parts[0].reasons.items())))
        return UnitScores.join(parts)


class Family:
    """What the name of a metric stands for: its definition and what computes it.

    Attributes
    ----------
    function
        ``function(lists, k=..., **parameters) -> UnitScores``, scoring each unit on its own, or a
        subclass of :class:`Accumulator`.
    """

    def __init__(self, definition: Definition, function: Callable[..., UnitScores | Accumulator]) -> None:
        functools.update_wrapper(self, function)  # type: ignore[arg-type]  # keeps docstring and doctest visible
        self.definition = definition
        self.function = function


def define(definition: Definition) -> Callable[[Callable[..., UnitScores | Accumulator]], Family]:
    """Decorate a function or an :class:`Accumulator` into a metric that a suite can name.

    ``metric("my_metrics.py:first_hit@10")`` finds it by module or file, an entry point of the group
    ``genrec_eval.metrics`` by name.
    """
    return functools.partial(Family, definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A definition with its parameters and cutoff bound.

    Attributes
    ----------
    id
        ``"ndcg@10"``, ``"ndcg(ideal=all)@10"``: parameters that differ from the default, in
        alphabetical order.
    definition_id
        All parameters spelled out; two numbers are comparable only when these are equal.
    """

    definition: Definition
    function: Callable[..., UnitScores | Accumulator]
    k: int | None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Short identity, as shown."""
        defaults = self.definition.parameters
        shown = {name: v for name, v in self.parameters.items() if v != defaults[name][0]}
        return _spell(self.definition.name, shown, self.k)

    @property
    def definition_id(self) -> str:
        """Full identity."""
        defaults = {name: default for name, (default, _) in self.definition.parameters.items()}
        full = {name: getattr(v, "in_full", v) for name, v in {**defaults, **self.parameters}.items()}
        return _spell(self.definition.name, full, self.k)

    @property
    def signature(self) -> str:
        """Full identity, with the versions of the libraries that compute it."""
        from importlib.metadata import version

        versions = (f"{name}:{version(name)}" for name in self.definition.libraries)
        return "|".join([self.definition_id, *versions])

    @property
    def needs(self) -> tuple[str, ...]:
        """What the data must offer beside lists and truth, of :data:`NEEDS`."""
        named = (str(self.parameters.get(need, need)) for need in self.definition.needs)
        return tuple(need for need in named if need in NEEDS)

    @property
    def link(self) -> Link:
        """What turns the mean over units into the run's value."""
        link = self.definition.link
        return link if isinstance(link, str) else link[self.parameters["average"]]

    def start(self) -> Accumulator:
        """A fresh stream; feed it chunks of units, then finish it."""
        bound = {**({} if self.k is None else {"k": self.k}), **self.parameters}
        if isinstance(self.function, type) and issubclass(self.function, Accumulator):
            return self.function(**bound)
        return Rows(functools.partial(self.function, **bound))

    def __call__(self, lists: Any) -> UnitScores:
        """Score every unit; ``lists`` is what the family of metrics works on."""
        stream = self.start()
        stream.update(lists)
        return self.settled(stream.finish(), getattr(lists, "groups", {}))

    def settled(self, scores: UnitScores, groups: Mapping[str, GroupCodes]) -> UnitScores:
        """Scores of users whose cases and repeats have been made one; ``groups`` are of the same users."""
        settle = self.definition.settle
        return scores if settle is None else settle(scores, groups, self.parameters)

    def inside(self, scores: UnitScores, mask: Bool) -> UnitScores:
        """``scores`` in the slice ``mask``; units outside it are left as they are."""
        within = self.definition.within
        return scores if within is None else within(scores, mask, self.parameters)

    def shared(self, one: UnitScores, other: UnitScores, mask: Bool) -> Pair:
        """Scores of two models in the slice ``mask``, for their difference over the units of both.

        What a slice leaves out, as groups that are too small there, is left out of what both have in common.
        """
        if self.definition.within is None:
            return one, other
        common = one.scored & other.scored & mask
        return self.inside(one, common), self.inside(other, common)

    def difference(self, here: Pair, sides: Pair, whole: Sample) -> Sample:
        """The paired difference of two models in a slice.

        Parameters
        ----------
        here
            Their scores as :meth:`shared` gives them there.
        sides, whole
            Their scores and the difference over all units, which stands where the slice leaves out no more.
        """
        if here[0] is sides[0] and here[1] is sides[1]:
            return whole
        return paired(*map(self.sample, here))

    def sample(self, scores: UnitScores) -> Sample:
        """``scores`` in the form that :mod:`genrec_eval.stats.intervals` takes."""
        return Sample(
            values=scores.values,
            scored=scores.scored,
            bounds=self.definition.bounds,
            indicator=self.definition.values == "indicator",
            total=scores.total,
            reach=scores.reach,
            weights=scores.weights,
            link=self.link,
            contrast=self.definition.contrast,
            pooled=self._pooled(scores),
        )

    def _pooled(self, scores: UnitScores) -> Pooled | None:
        combine, refit, parameters = self.definition.combine, self.definition.refit, self.parameters
        alone = self.definition.alone
        if combine is None and refit is None:
            return None
        if scores.sums is None:
            if scores.scored.any():
                raise UsageError(
                    f"metric '{self.id}' gave no additive statistics beside its values: the metric is at "
                    "fault, report it to its author"
                )
            return None
        return Pooled(
            rows=scores.sums,
            combine=None if combine is None else lambda sums: combine(sums, parameters),
            refit=None if refit is None else lambda rows, counts: refit(rows, counts, parameters),
            alone=None if alone is None else lambda rows: alone(rows, parameters),
        )


def _spell(name: str, parameters: Mapping[str, Any], k: int | None) -> str:
    inside = ",".join(f"{key}={value}" for key, value in sorted(parameters.items()))
    return f"{name}{f'({inside})' if inside else ''}{f'@{k}' if k is not None else ''}"
