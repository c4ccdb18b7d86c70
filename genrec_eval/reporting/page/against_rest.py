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
Ends = tuple[float, float, float]
"""Low end, value, high end."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The units of a model outside a group, and the group held against them.

    Attributes
    ----------
    value, low, high
        Their figure.
    p
        Two-sided, that group and rest have the same mean; they share no unit.
    difference, least, most
        Group less rest, with its interval.
    """

    value: float
    low: float
    high: float
    p: float
    difference: float
    least: float
    most: float


def rest_of(row: Estimate, base: Estimate) -> Rest | None:
    """The rest of ``base`` outside the group of ``row``; None where it cannot be told.

    Of a plain mean over n units, k of them in the group, the mean of the rest follows from both means. So
    does its variance, for group and rest are different units: with w = k / n, that of the whole is
    w² · group + (1 - w)² · rest. It is taken to be no smaller than that of the whole, which has more units.
    The interval of the difference is made from the arms of both intervals that face each other (Zou & Donner
    2008), and p from it by the normal quantile.

    >>> counts = {"attempted": 100, "answered": 100, "scored": 100}
    >>> common = counts | {"model": "m", "scenario": "s", "metric": "x", "definition": "x", "interval": "t"}
    >>> common["direction"] = "higher"
    >>> whole = Estimate(**common, value=0.5, low=0.4, high=0.6, n=100)
    >>> group = Estimate(**common, slice="g=a", value=0.8, low=0.66, high=0.94, n=50)
    >>> rest = rest_of(group, whole)
    >>> round(rest.value, 3), rest.p < 0.001, round(rest.difference, 3)
    (0.2, True, 0.6)
    """
    mine, every = _ends(row), _ends(base)
    if mine is None or every is None or not 0 < row.n < base.n:
        return None
    share = row.n / base.n
    value = (every[1] - share * mine[1]) / (1 - share)
    arms = [
        math.sqrt(max((whole**2 - (share * group) ** 2) / (1 - share) ** 2, whole**2))
        for group, whole in zip(_arms(mine), _arms(every), strict=True)
    ]
    return _against((value - arms[0], value, value + arms[1]), mine, row.level)


def others_of(row: Estimate, others: Sequence[Estimate]) -> Rest | None:
    """The units of the other groups taken together, where those of no known group are no part of the rest."""
    mine = _ends(row)
    ends = [(found, one.n) for one in others if (found := _ends(one)) is not None]
    units = sum(n for _, n in ends)
    if mine is None or not units:
        return None
    value = sum(n * found[1] for found, n in ends) / units
    below, above = (math.hypot(*(n / units * _arms(found)[side] for found, n in ends)) for side in range(2))
    return _against((value - below, value, value + above), mine, row.level)


def _against(rest: Ends, mine: Ends, level: float) -> Rest:
    gap = mine[1] - rest[1]
    below, above = math.hypot(_arms(mine)[0], _arms(rest)[1]), math.hypot(_arms(mine)[1], _arms(rest)[0])
    arm = below if gap > 0 else above
    if arm == 0:
        p = 1.0 if gap == 0 else 0.0
    else:
        p = math.erfc(abs(gap) / arm * normal_quantile(level) / math.sqrt(2))
    return Rest(rest[1], rest[0], rest[2], p, gap, gap - below, gap + above)


def _arms(ends: Ends) -> tuple[float, float]:
    return ends[1] - ends[0], ends[2] - ends[1]


def _ends(row: Estimate) -> Ends | None:
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
    its means must give the model's own. Units of no known group belong to no rest.
    """
    whole = {row.model: row for row in rows if row.slice == "all" and row.baseline is None}
    parts = [row for row in rows if row.slice != "all" and row.baseline is None]
    made = str(results.definition(rows[0].metric).get("made") or "their mean") if rows else ""
    if not made.startswith("their mean") or not all(_adds_up(parts, base) for base in whole.values()):
        return {}
    grouped: dict[Key, list[Estimate]] = {}
    for row in parts:
        grouped.setdefault((row.model, row.slice.partition("=")[0]), []).append(row)
    found = {}
    for (model, _), mine in grouped.items():
        if (base := whole.get(model)) is None:
            continue
        every = sum(row.n for row in mine) == base.n
        for row in mine:
            rest = rest_of(row, base) if every else others_of(row, [one for one in mine if one is not row])
            if rest is not None:
                found[model, row.slice] = rest
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
