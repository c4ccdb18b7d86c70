"""The gate as the page shows it: alone, or as a part of the report of its run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.core.numbers import Figure, bound
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.caution import doubts
from genrec_eval.reporting.gate.words import (
    asked_of,
    compared,
    doubt,
    figure_of,
    outcome,
    sentences,
    support,
    terms,
    worst_first,
)
from genrec_eval.reporting.rules import SHAPES, lines_at
from genrec_eval.reporting.svg import Scale, gauge, key
from genrec_eval.reporting.text import line
from genrec_eval.reporting.titles import renamed, title_of

_APART = 50.0
"""Percent of the width that two names of rules need between them."""
_NAME = 120


@dataclass(frozen=True, slots=True)
class Ruled:
    """A row of the gate, as a card or a line."""

    row: GateRow
    metric: str
    word: str
    shape: str
    style: str
    figure: Figure
    asked: str
    why: str
    compared: str
    support: str
    drawing: Markup
    doubt: str
    """Where the title says something else than was tested: what was tested then stands before it."""
    caution: str
    """Why the verdict is to be read with care."""


def panel(
    result: GateResult,
    order: Sequence[str] = (),
    *,
    titles: Callable[[str], str] = title_of,
    cautioned: Callable[[str, int], str] = lambda slice, n: doubts((), slice, n),
) -> dict[str, Any]:
    """What the partial ``_gate.html.j2`` sees as ``gate``.

    Parameters
    ----------
    result
        The verdict object.
    order
        The models of the report, whose hues and shapes are kept; by default those of the gate.
    titles
        Id of a metric → its name for people.
    cautioned
        Slice and units of a rule that came to something → why it is to be read with care, or nothing.
    """
    whole = outcome(result)
    shape, style = SHAPES[whole.ruling]
    models = list(order) or list(dict.fromkeys(row.model for row in result.rows))
    rows = [_ruled(row, models, titles(row.metric), cautioned) for row in worst_first(result)]
    return {
        "word": whole.word,
        "shape": shape,
        "style": style,
        "sentence": whole.sentence,
        "code": whole.code,
        "incomplete": [line(said, 1000) for said in result.incomplete],
        "warnings": [line(said, 1000) for said in result.warnings],
        "cards": [one for one in rows if one.row.verdict is Ruling.FAIL],
        "rest": [one for one in rows if one.row.verdict is not Ruling.FAIL],
        "terms": [(name, line(value, 300)) for name, value in terms(result)],
        "replay": line(command(result), 1000),
        "markers": {line(name, _NAME): key(position) for position, name in enumerate(models)},
        "several": len({row.scenario for row in result.rows}) > 1,
    }


def command(result: GateResult) -> str:
    """The command that decides the gate again."""
    against = f" --baseline {shlex.quote(result.baseline)}" if result.baseline is not None else ""
    return f"genrec-eval gate {shlex.quote(result.run)}{against}"


def _ruled(row: GateRow, models: Sequence[str], title: str, cautioned: Callable[[str, int], str]) -> Ruled:
    shape, style = SHAPES[row.verdict]
    doubted = doubt(row)
    why = [
        said
        for said in sentences(replace(row, reason=renamed(row.reason, row.model, row.metric, title)))
        if said != doubted
    ]
    return Ruled(
        _bounded(row),
        line(title, _NAME),
        str(row.verdict),
        shape,
        style,
        figure_of(row),
        asked_of(row),
        " ".join(why),
        compared(row),
        "; ".join(support(row)),
        _drawing(row, models),
        doubted,
        cautioned(row.slice, row.n) if row.verdict in (Ruling.PASS, Ruling.FAIL) else "",
    )


def _bounded(row: GateRow) -> GateRow:
    # A name may be a megabyte long.
    return replace(
        row,
        rule=line(row.rule, 300),
        scenario=line(row.scenario, _NAME),
        metric=line(row.metric, _NAME),
        model=line(row.model, _NAME),
        slice=line(row.slice, _NAME),
        where=None if row.where is None else line(row.where, 300),
    )


def _drawing(row: GateRow, models: Sequence[str]) -> Markup:
    shown = figure_of(row)
    if not shown.known or row.value is None or row.low is None or row.high is None:
        return Markup("")
    margins = lines_at(row.kind, row.margin, row.direction)
    paired = row.kind in ("better_by", "not_worse_by", "within")
    zero = 0.0 if paired or row.low >= 0 else None
    scale = Scale.covering([row.low, row.high, *margins, zero])
    rules = [(at, f"asked {bound(at, row.unit, paired)}" if paired else asked_of(row)) for at in margins]
    if paired and 0.0 not in margins:
        clear = all(abs(scale.at(at) - scale.at(0.0)) > _APART for at in margins)
        rules.append((0.0, "no change" if clear else ""))
    position = models.index(row.model) if row.model in models else len(models)
    label = line(f"{shown}, asked {asked_of(row)}")
    return gauge(row.value, row.low, row.high, scale, position, label, rules, scale.ends(row.unit))
