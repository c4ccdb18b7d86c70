"""A group of units against the rest of them, from the figures of the group and of all units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.results import Results

LEVEL = 0.05
"""Adjusted p-value below which a group is told apart."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rest:
    """The units of a model outside a group.

    Attributes
    ----------
    value, low, high
        Their figure.
    p
        Two-sided, that group and rest have the same mean; they share no unit.
    """

    value: float
    low: float
    high: float
    p: float


def rest_of(row: Estimate, base: Estimate) -> Rest | None:
    """The rest of ``base`` outside the group of ``row``; None where it cannot be told.

    Of a plain mean over n units, k of them in the group, the mean of the rest follows from both means. So
    does its variance, for group and rest are different units: with w = k / n, that of the whole is
    w² · group + (1 - w)² · rest. It is taken to be no smaller than that of the whole, which has more units.
    Errors are the arms of the intervals on the side of the other figure, divided by the normal quantile.

    >>> counts = {"attempted": 100, "answered": 100, "scored": 100}
    >>> common = counts | {"model": "m", "scenario": "s", "metric": "x", "definition": "x", "interval": "t"}
    >>> common["direction"] = "higher"
    >>> whole = Estimate(**common, value=0.5, low=0.4, high=0.6, n=100)
    >>> group = Estimate(**common, slice="g=a", value=0.8, low=0.66, high=0.94, n=50)
    >>> rest = rest_of(group, whole)
    >>> round(rest.value, 3), rest.p < 0.001
    (0.2, True)
    """
    mine, all_units = _ends(row), _ends(base)
    if mine is None or all_units is None or not 0 < row.n < base.n:
        return None
    share = row.n / base.n
    value = (all_units[1] - share * mine[1]) / (1 - share)
    above = mine[1] > value
    group, whole = (mine[1] - mine[0], all_units[2] - all_units[1])
    if not above:
        group, whole = (mine[2] - mine[1], all_units[1] - all_units[0])
    rest = math.sqrt(max((whole**2 - (share * group) ** 2) / (1 - share) ** 2, whole**2))
    arm = math.hypot(group, rest)
    gap = abs(mine[1] - value)
    if arm == 0:
        p = 1.0 if gap == 0 else 0.0
    else:
        p = math.erfc(gap / arm * normal_quantile(row.level) / math.sqrt(2))
    return Rest(value, value - rest, value + rest, p)


def _ends(row: Estimate) -> tuple[float, float, float] | None:
    """Low end, value, high end."""
    held = (row.low, row.value, row.high)
    low, value, high = (math.nan if one is None else one for one in held)
    return (low, value, high) if all(map(math.isfinite, (low, value, high))) else None


def normal_quantile(level: float) -> float:
    """Half-width of the interval of a standard normal variable.

    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)


def rests(results: Results, rows: Sequence[Estimate]) -> dict[Key, Rest]:
    """(Model, slice) → the rest, for all groups of one metric of a scenario.

    Empty for a metric that is no plain mean over units: where one of a model's groups splits all its units,
    its means must give the model's own.
    """
    whole = {row.model: row for row in rows if row.slice == "all" and row.baseline is None}
    parts = [row for row in rows if row.slice != "all" and row.baseline is None]
    made = str(results.definition(rows[0].metric).get("made") or "their mean") if rows else ""
    if not made.startswith("their mean") or not all(_adds_up(parts, base) for base in whole.values()):
        return {}
    found = {}
    for row in parts:
        base = whole.get(row.model)
        rest = None if base is None else rest_of(row, base)
        if rest is not None:
            found[row.model, row.slice] = rest
    return found


def _adds_up(parts: Sequence[Estimate], base: Estimate) -> bool:
    groups: dict[str, list[Estimate]] = {}
    for row in parts:
        if row.model == base.model:
            groups.setdefault(row.slice.partition("=")[0], []).append(row)
    for mine in groups.values():
        if (
            base.value is None
            or sum(row.n for row in mine) != base.n
            or any(row.value is None for row in mine)
        ):
            continue  # a value is held back, or some units have none
        mean = sum(row.n * (row.value or 0.0) for row in mine) / max(base.n, 1)
        if not math.isclose(mean, base.value, rel_tol=1e-6, abs_tol=1e-9):
            return False
    return True


def adjusted(found: Mapping[Any, Rest]) -> dict[Any, float]:
    """Holm's adjustment over all of them."""
    from genrec_eval.stats.multiplicity import holm

    return dict(zip(found, holm([one.p for one in found.values()]).tolist(), strict=True)) if found else {}
