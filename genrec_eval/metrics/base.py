"""What a metric is: a definition with parameters, and a pure function to a vector per unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.protocol.arrays import Float64
from genrec_eval.protocol.results import Direction

Reasons = Mapping[str, np.ndarray]


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
    """

    values: Float64
    reasons: Reasons = field(default_factory=dict)
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What there is to know about a metric; shown by reports and ``genrec-eval list metrics``.

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
    needs_cutoff: bool = True
    traps: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A definition with its parameters and cutoff bound.

    Attributes
    ----------
    id
        ``"ndcg@10"``, ``"ndcg(gain=exp)@10"``: parameters that differ from the default, in
        alphabetical order.
    definition_id
        All parameters spelled out; two numbers are comparable only when these are equal.
    """

    definition: Definition
    function: Callable[..., UnitScores]
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
        return _spell(self.definition.name, {**defaults, **self.parameters}, self.k)

    def __call__(self, lists: Any) -> UnitScores:
        """Score every unit; ``lists`` is what the family of metrics works on."""
        extra = {} if self.k is None else {"k": self.k}
        return self.function(lists, **extra, **self.parameters)


def _spell(name: str, parameters: Mapping[str, Any], k: int | None) -> str:
    inside = ",".join(f"{key}={value}" for key, value in sorted(parameters.items()))
    return f"{name}{f'({inside})' if inside else ''}{f'@{k}' if k is not None else ''}"


_SPELLING = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:\((?P<parameters>[^()]*)\))?(?:@(?P<k>\d+))?")


def bind(spelling: str, lookup: Callable[[str], tuple[Definition, Callable[..., UnitScores]]]) -> Metric:
    """Read ``"ndcg(gain=exp)@10"``.

    Raises
    ------
    UsageError
        When the spelling, a parameter, a value or the cutoff is wrong.
    """
    match = _SPELLING.fullmatch(spelling.replace(" ", ""))
    if match is None:
        raise UsageError(f"metric '{spelling}' is not of the form name(parameter=value)@k")
    definition, function = lookup(match["name"])
    parameters: dict[str, Any] = {name: default for name, (default, _) in definition.parameters.items()}
    for part in filter(None, (match["parameters"] or "").split(",")):
        name, _, text = part.partition("=")
        if name not in definition.parameters:
            raise UsageError(
                f"metric '{definition.name}' has no parameter '{name}'"
                f"{did_you_mean(name, definition.parameters)}"
            )
        default, allowed = definition.parameters[name]
        try:
            value = type(default)(text)
        except ValueError:
            raise UsageError(
                f"metric '{spelling}': {name}={text} is not a {type(default).__name__}"
            ) from None
        if allowed is not None and value not in allowed:
            raise UsageError(
                f"metric '{spelling}': {name} is one of {', '.join(map(str, allowed))}, not '{text}'"
            )
        parameters[name] = value
    k = int(match["k"]) if match["k"] else None
    if definition.needs_cutoff and (k is None or k < 1):
        raise UsageError(f"metric '{spelling}' needs a cutoff of at least 1, as in '{definition.name}@10'")
    if not definition.needs_cutoff and k is not None:
        raise UsageError(f"metric '{definition.name}' has no cutoff; write '{definition.name}'")
    return Metric(definition=definition, function=function, k=k, parameters=parameters)
