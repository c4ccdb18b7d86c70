"""Figures by group: values of a group side by side, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import Figure, count, figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.page.against_rest import LEVEL, Rest, adjusted, rests
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import p_text, units_of
from genrec_eval.reporting.text import line, listing, plural

MOST = 12
"""Figures of groups that are named as standing out."""
WIDEST = 6
"""Values of groups side by side."""


@dataclass(frozen=True, slots=True)
class Part:
    """The figure of one model in one value of a group."""

    figure: Figure
    units: str
    clear: bool
    """Whether it is told apart from the rest of the model's units, adjusted over the metric's groups."""


@dataclass(frozen=True, slots=True)
class Split:
    """One metric by groups: their values across, models down.

    Attributes
    ----------
    title
        The groups, in words.
    groups
        (group, number of its values).
    values
        (value, counts that all models share or nothing), in the order of the groups.
    rows
        (model, its position, its figure over all units, its figures).
    """

    title: str
    groups: tuple[tuple[str, int], ...]
    values: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, int, str, tuple[Part | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Standout:
    """A figure of a group that is told apart from that of the rest of its model's units.

    Attributes
    ----------
    p
        Adjusted over all figures of groups that the scenario tells of.
    also
        Where the same figure stands too.
    """

    model: str
    metric: str
    value: str
    figure: Figure
    rest: Figure
    p: str
    also: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stands out in one group, over all metrics."""

    group: str
    told: str
    rows: tuple[Standout, ...]
    more: int


def splits(results: Results, rows: Sequence[Estimate], order: Sequence[str]) -> tuple[Split, ...]:
    """The tables of one metric of one scenario, one a group.

    Parameters
    ----------
    rows
        All estimates of the metric in the scenario.
    """
    whole = {row.model: row for row in rows if row.slice == "all" and row.baseline is None}
    parts = [row for row in rows if row.slice != "all" and row.baseline is None]
    index = {(row.model, row.slice): row for row in parts}
    groups: dict[str, dict[str, None]] = {}
    for row in parts:
        group, _, value = row.slice.partition("=")
        groups.setdefault(group, {})[value] = None
    ps = adjusted(rests(results, rows))
    clear = frozenset(key for key, p in ps.items() if p < LEVEL)
    return tuple(_split(results, block, index, whole, order, clear) for block in _blocks(groups))


def _blocks(groups: Mapping[str, Mapping[str, None]]) -> list[list[tuple[str, list[str]]]]:
    """Groups side by side, up to :data:`WIDEST` values in a table."""
    found: list[list[tuple[str, list[str]]]] = []
    width = WIDEST
    for group, values in groups.items():
        if width + len(values) > WIDEST:
            found.append([])
            width = 0
        found[-1].append((group, list(values)))
        width += len(values)
    return found


def _split(
    results: Results,
    block: Sequence[tuple[str, list[str]]],
    index: Mapping[tuple[str, str], Estimate],
    whole: Mapping[str, Estimate],
    order: Sequence[str],
    clear: frozenset[object],
) -> Split:
    slices = [f"{group}={value}" for group, values in block for value in values]
    shared = [_shared([index[m, s] for m in order if (m, s) in index]) for s in slices]
    lines = []
    for position, model in enumerate(order):
        mine = [index.get((model, s)) for s in slices]
        if any(row is not None for row in mine):
            base = whole.get(model)
            cells = tuple(
                None if row is None else _part(results, row, (row.model, row.slice) in clear, units)
                for row, units in zip(mine, shared, strict=True)
            )
            lines.append((model, position, "—" if base is None else _figure(results, base).unheaded, cells))
    return Split(
        listing([group for group, _ in block]),
        tuple((group, len(values)) for group, values in block),
        tuple(zip([value for _, values in block for value in values], shared, strict=True)),
        tuple(lines),
    )


@dataclass(frozen=True, slots=True)
class Apart:
    """Figures of groups beside the rest of the units.

    Attributes
    ----------
    groups
        Their names, in order of appearance.
    alike
        Key → the estimates that say the same number by number, as of metrics that look at the same thing:
        they count once.
    against
        Key → the rest.
    """

    groups: tuple[str, ...]
    alike: Mapping[tuple[object, ...], Sequence[Estimate]]
    against: Mapping[tuple[object, ...], Rest]


def figures_apart(
    results: Results, scenario: str, rows: Mapping[tuple[str, str], Sequence[Estimate]]
) -> Apart:
    """All figures of groups of a scenario that can be held against the rest of the units."""
    groups: dict[str, None] = {}
    alike: dict[tuple[object, ...], list[Estimate]] = {}
    against: dict[tuple[object, ...], Rest] = {}
    for (where, _), mine in rows.items():
        if where != scenario:
            continue
        groups |= {row.slice.partition("=")[0]: None for row in mine if row.slice != "all"}
        found = rests(results, mine)
        for row in mine:
            if row.baseline is None and (row.model, row.slice) in found:
                rest = found[row.model, row.slice]
                key = (row.slice, row.n, row.value, row.low, row.high, rest.value)
                alike.setdefault(key, []).append(row)
                against[key] = rest
    return Apart(tuple(groups), alike, against)


def outlooks(results: Results, found: Apart, ps: Mapping[Any, float]) -> list[Outlook]:
    """What stands out by group against the rest of the units, a table a group, the clearest first.

    Parameters
    ----------
    ps
        Key → p, adjusted for all that is told beside it too.
    """
    against = found.against
    made = []
    for group in found.groups:
        keys = [key for key, same in found.alike.items() if same[0].slice.partition("=")[0] == group]
        clear = sorted((key for key in keys if ps[key] < LEVEL), key=lambda key: (ps[key], against[key].p))
        told = f"By {group}: {len(clear)} of {plural(len(keys), 'different figure')} "
        told += "is" if len(clear) == 1 else "are"
        told += " told apart from the rest of the units"
        if not keys:
            told = f"By {group}: no figure can be held against the rest of the units"
        out = tuple(_standout(results, found.alike[key], against[key], ps[key]) for key in clear[:MOST])
        made.append(Outlook(group, told, out, max(0, len(clear) - MOST)))
    return made


def _standout(results: Results, same: Sequence[Estimate], rest: Rest, p: float) -> Standout:
    row = same[0]
    unit = results.unit(row.metric)
    also = [f"{results.title(one.metric)} of {line(one.model, 60)}" for one in same[1:]]
    return Standout(
        row.model,
        row.metric,
        row.slice.partition("=")[2],
        _figure(results, row),
        figure(rest.value, rest.low, rest.high, unit=unit),
        p_text(p),
        listing([*also[:3], *([f"{len(also) - 3} more"] if also[3:] else [])]),
    )


def _part(results: Results, row: Estimate, clear: bool, shared: str) -> Part:
    return Part(_figure(results, row), "" if shared else _said(row), clear)


def _figure(results: Results, row: Estimate) -> Figure:
    return figure(row.value, row.low, row.high, unit=results.unit(row.metric), reason=row.reason)


def _shared(rows: Sequence[Estimate]) -> str:
    said = {_said(row) for row in rows}
    return said.pop() if len(said) == 1 else ""


def _said(row: Estimate) -> str:
    left = ", ".join(f"{reason} {count(n)}" for reason, n in row.excluded.items() if n)
    return units_of(row) + (f": {left}" if left else "")
