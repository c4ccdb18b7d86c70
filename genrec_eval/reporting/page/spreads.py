"""How the scores of a scenario are spread over units, as small drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from genrec_eval.core.numbers import fixed
from genrec_eval.reporting.distributions import Distribution, is_mean
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.svg import bars
from genrec_eval.reporting.tables import blocks
from genrec_eval.reporting.text import listing, plural


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of one metric: a histogram per model on one scale."""

    title: str
    metric: str
    ends: tuple[str, str]
    unit: str
    rows: tuple[tuple[str, int, Markup, str], ...]


def spreads(
    results: Results,
    scenario: str,
    order: list[str],
    spread: Mapping[tuple[str, str, str], Distribution],
) -> tuple[list[Spread], list[str]]:
    found: list[Spread] = []
    left: dict[str, list[str]] = {}
    for block in blocks(results.metrics(scenario)):
        for metric in block:
            rows = {
                model: spread[model, scenario, metric]
                for model in order
                if (model, scenario, metric) in spread
            }
            if not rows:
                continue
            values = {model: results.get(scenario, metric, model) for model in rows}
            title = results.title(metric)
            if all(row.binary for row in rows.values()):
                left.setdefault("0 or 1 for every unit, so that the share says all", []).append(title)
            elif not any(is_mean(row, e.value) for model, row in rows.items() if (e := values[model])):
                left.setdefault("a figure of the whole run and not a mean over units", []).append(title)
            elif all(row.constant for row in rows.values()):
                left.setdefault("the same for every unit", []).append(title)
            else:
                found.append(_spread(results, metric, rows, order))
    return found, [f"{listing(names)} ({why})" for why, names in left.items()]


def _spread(results: Results, metric: str, rows: Mapping[str, Distribution], order: list[str]) -> Spread:
    unit = results.unit(metric)
    factor = 100.0 if unit == "share" else 1.0
    top = max(max(row.shares) for row in rows.values())
    first = next(iter(rows.values()))
    places = max(0, 2 - math.ceil(math.log10((first.high - first.low) * factor)))
    lines = []
    for model, row in rows.items():
        middle = ", ".join(fixed(value * factor, places) for value in row.quartiles)
        at_zero = f"{row.zero / row.n:.0%} at 0".replace("%", " %")
        label = f"{plural(row.n, 'unit')}, quartiles {middle}, {at_zero}"
        if row.zero == row.n:
            lines.append((model, order.index(model), Markup(""), "all at 0"))
            continue
        note = f"{at_zero} · quartiles {middle}" if row.zero else f"quartiles {middle}"
        position = order.index(model)
        lines.append((model, position, bars(row.shares, top, position, label), note))
    ends = (fixed(first.low * factor, places), fixed(first.high * factor, places))
    return Spread(results.title(metric), metric, ends, "%" if unit == "share" else unit, tuple(lines))
