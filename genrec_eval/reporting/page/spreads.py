"""How the scores of a metric are spread over units: a small histogram per model on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from genrec_eval.core.numbers import fixed
from genrec_eval.reporting.distributions import Distribution, is_mean
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.svg import bars
from genrec_eval.reporting.text import plural


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of one metric.

    Attributes
    ----------
    ends
        Both ends of the common scale; empty where nothing is drawn.
    rows
        Model → its histogram and what stands under it.
    undrawn
        Why nothing is drawn.
    """

    ends: tuple[str, str] | None
    rows: Mapping[str, tuple[Markup, str]]
    undrawn: str = ""


def spread(
    results: Results,
    scenario: str,
    metric: str,
    order: Sequence[str],
    found: Mapping[tuple[str, str, str], Distribution],
) -> Spread:
    """The histograms of a metric, or why there are none."""
    rows = {model: found[model, scenario, metric] for model in order if (model, scenario, metric) in found}
    if not rows:
        return Spread(None, {})
    values = {model: results.get(scenario, metric, model) for model in rows}
    if all(row.binary for row in rows.values()):
        if all(row.constant for row in rows.values()):
            return Spread(None, {}, "the same for every unit of a model")
        return Spread(None, {}, "0 or 1 for every unit, so that the share says all")
    if not any(is_mean(row, e.value) for model, row in rows.items() if (e := values[model])):
        return Spread(None, {}, "a figure of the whole run and not a mean over units")
    if all(row.constant for row in rows.values()):
        return Spread(None, {}, "the same for every unit of a model")
    return _drawn(results, metric, rows, order)


def _drawn(results: Results, metric: str, rows: Mapping[str, Distribution], order: Sequence[str]) -> Spread:
    factor = 100.0 if results.unit(metric) == "share" else 1.0
    top = max(max(row.shares) for row in rows.values())
    first = next(iter(rows.values()))
    places = max(0, 2 - math.ceil(math.log10((first.high - first.low) * factor)))
    found = {}
    for model, row in rows.items():
        middle = ", ".join(fixed(value * factor, places) for value in row.quartiles)
        at_zero = f"{row.zero / row.n:.0%} at 0".replace("%", " %")
        if row.zero == row.n:
            found[model] = (Markup(""), "all at 0")
            continue
        label = f"{plural(row.n, 'unit')}, quartiles {middle}, {at_zero}"
        note = f"{at_zero} · quartiles {middle}" if row.zero else f"quartiles {middle}"
        found[model] = (bars(row.shares, top, order.index(model), label), note)
    return Spread((fixed(first.low * factor, places), fixed(first.high * factor, places)), found)
