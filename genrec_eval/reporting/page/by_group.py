"""Figures by group: values of a group side by side, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genrec_eval.core.numbers import Figure, count, figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import units_of
from genrec_eval.reporting.text import listing, plural

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
    """Whether its interval excludes the model's figure over all units."""


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
    """A figure of a group that lies clear of its model's figure over all units."""

    model: str
    metric: str
    value: str
    figure: Figure
    whole: Figure
    share: float


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
    return tuple(_split(results, block, index, whole, order) for block in _blocks(groups))


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
) -> Split:
    slices = [f"{group}={value}" for group, values in block for value in values]
    shared = [_shared([index[m, s] for m in order if (m, s) in index]) for s in slices]
    lines = []
    for position, model in enumerate(order):
        mine = [index.get((model, s)) for s in slices]
        if any(row is not None for row in mine):
            base = whole.get(model)
            cells = tuple(
                None if row is None else _part(results, row, base, units)
                for row, units in zip(mine, shared, strict=True)
            )
            lines.append((model, position, "—" if base is None else _said_of(_figure(results, base)), cells))
    return Split(
        listing([group for group, _ in block]),
        tuple((group, len(values)) for group, values in block),
        tuple(zip([value for _, values in block for value in values], shared, strict=True)),
        tuple(lines),
    )


def outlooks(
    results: Results, scenario: str, rows: Mapping[tuple[str, str], Sequence[Estimate]]
) -> list[Outlook]:
    """What stands out by group, a table a group, the clearest first."""
    shown: dict[str, int] = {}
    found: dict[str, list[Standout]] = {}
    for (where, metric), mine in rows.items():
        if where != scenario:
            continue
        whole = {row.model: row for row in mine if row.slice == "all" and row.baseline is None}
        for row in mine:
            if row.slice == "all" or row.baseline is not None:
                continue
            group, _, value = row.slice.partition("=")
            shown.setdefault(group, 0)
            shown[group] += row.low is not None
            base = whole.get(row.model)
            if base is not None and _clear(row, base):
                apart = abs((row.value or 0.0) - (base.value or 0.0))
                half = ((row.high or 0.0) - (row.low or 0.0)) / 2
                found.setdefault(group, []).append(
                    Standout(
                        row.model,
                        metric,
                        value,
                        _figure(results, row),
                        _figure(results, base),
                        apart / max(half, 1e-12),
                    )
                )
    made = []
    for group, n in shown.items():
        mine_out = sorted(found.get(group, []), key=lambda row: -row.share)
        told = (
            f"By {group}: {len(mine_out)} of {plural(n, 'figure')} lie clear of their model's overall figure;"
            f" by chance alone one would expect up to about {n * 0.05:.0f}"
        )
        made.append(Outlook(group, told, tuple(mine_out[:MOST]), max(0, len(mine_out) - MOST)))
    return made


def _part(results: Results, row: Estimate, base: Estimate | None, shared: str) -> Part:
    units = "" if shared else _said(row)
    return Part(_figure(results, row), units, base is not None and _clear(row, base))


def _said_of(shown: Figure) -> str:
    return f"{shown.value} {shown.after}" if shown.known else "—"


def _figure(results: Results, row: Estimate) -> Figure:
    return figure(row.value, row.low, row.high, unit=results.unit(row.metric), reason=row.reason)


def _shared(rows: Sequence[Estimate]) -> str:
    said = {_said(row) for row in rows}
    return said.pop() if len(said) == 1 else ""


def _said(row: Estimate) -> str:
    left = ", ".join(f"{reason} {count(n)}" for reason, n in row.excluded.items() if n)
    return units_of(row) + (f": {left}" if left else "")


def _clear(row: Estimate, base: Estimate) -> bool:
    if row.low is None or row.high is None or base.value is None:
        return False
    return base.value < row.low or base.value > row.high
