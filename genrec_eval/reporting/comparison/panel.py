"""The comparison as the page shows it: alone, or as a part of the report of its candidate."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from genrec_eval.audit.comparing.types import Change, Comparison, Difference, Setting
from genrec_eval.core.numbers import Figure, count, sign
from genrec_eval.reporting.comparison.flips import groups, kinds
from genrec_eval.reporting.comparison.forest import drawn, scales
from genrec_eval.reporting.comparison.words import (
    KINDS,
    WORDS,
    answer,
    asides,
    by_group,
    caution,
    figure_of,
    flip_rows,
    none,
    overall,
    sides,
    support,
    tally,
    where,
)
from genrec_eval.reporting.svg import Scale, key
from genrec_eval.reporting.text import line

SHAPES = {
    Change.WORSE: ("v-fail", "fail"),
    Change.BETTER: ("v-pass", "pass"),
    Change.DIFFERENT: ("m3", "open"),
    Change.INCONCLUSIVE: ("v-open", "open"),
    Change.EQUIVALENT: ("m1", "none"),
    Change.NOT_COMPARED: ("v-none", "none"),
}
"""Change → shape and class of its hue."""
_NAMED = {
    "only_reference": "only in the reference",
    "only_candidate": "only in the candidate",
    "changed": "asked something else",
}
_LONG = 120
_CALM = 6
_MOST = 2000
"""Differences of one table; the JSON holds all."""


@dataclass(frozen=True, slots=True)
class Row:
    """A difference in the table."""

    metric: str
    model: str
    where: str
    direction: str
    unit: str
    before: str
    after: str
    figure: Figure
    ends: str
    drawing: Markup
    reason: str
    support: str


@dataclass(frozen=True, slots=True)
class Body:
    """Differences that became the same."""

    word: str
    shape: str
    style: str
    count: int
    rows: Sequence[Row]
    folded: bool
    """Many figures that did not change are worth a line that unfolds."""


def panel(comparison: Comparison, order: Sequence[str] = (), *, flips: bool = False) -> dict[str, Any]:
    """What the partial ``_comparison.html.j2`` sees as ``comparison``.

    Parameters
    ----------
    comparison
        The comparison.
    order
        The models of the report, whose hues and shapes are kept; by default those of the comparison.
    flips
        Whether both answers of the quoted flips are shown; the counts always are.
    """
    models = list(order) or list(dict.fromkeys(row.model for row in comparison.differences))
    scale = scales(comparison.differences)
    quoted = groups(comparison) if flips else []
    rows = overall(comparison)
    return {
        "reference": line(comparison.reference, 300),
        "candidate": line(comparison.candidate, 300),
        "reference_run": line(comparison.reference_run, _LONG),
        "candidate_run": line(comparison.candidate_run, _LONG),
        "sentence": answer(comparison),
        "caution": caution(comparison),
        "asides": asides(comparison),
        "settings": [_setting(setting) for setting in comparison.settings],
        "sound": comparison.sound,
        "pairs": [
            (
                line(row.scenario, _LONG),
                [count(n) for n in (row.paired, row.only_reference, row.only_candidate, row.changed)],
                [
                    (_NAMED.get(name, name), [line(one, 80) for one in ids])
                    for name, ids in row.named.items()
                    if ids
                ],
            )
            for row in comparison.pairs
        ],
        "bodies": _bodies(rows[:_MOST], comparison, models, scale),
        "left": max(0, len(rows) - _MOST),
        "grouped": [
            (
                f"By {line(name, 60)}: {tally(found, 'figure')}",
                _bodies(found[:_MOST], comparison, models, scale),
                any(row.change is Change.WORSE for row in found),
                max(0, len(found) - _MOST),
            )
            for name, found in by_group(comparison).items()
        ],
        "margins": any(row.margin for row in comparison.differences),
        "several": len({row.model for row in comparison.differences}) > 1,
        "level": _level(comparison),
        "flip_kinds": list(KINDS.items()),
        "flip_counts": [
            (line(scenario, _LONG), line(model, _LONG), line(metric, _LONG), counts)
            for scenario, model, metric, counts in flip_rows(comparison)
        ],
        "flips": quoted,
        "kinds": kinds(quoted),
        "quoted": sum(len(group.flips) for group in quoted),
        "missing": [line(said, 600) for said in comparison.missing],
        "markers": {line(name, _LONG): key(position) for position, name in enumerate(models)},
        "replay": line(command(comparison), 2000),
    }


def command(comparison: Comparison) -> str:
    """The command that compares again, with the models and margins that were given."""
    rows = comparison.differences
    given = [
        f"--model {shlex.quote(f'{new}={old}')}"
        for new, old in dict.fromkeys((row.model, row.reference_model) for row in rows)
        if new != old
    ] + [
        f"--margin {shlex.quote(f'{metric}={margin:g}')}"
        for metric, margin in {row.metric: row.margin for row in rows if row.margin is not None}.items()
    ]
    paths = [shlex.quote(path) for path in (comparison.reference, comparison.candidate)]
    return " ".join(["genrec-eval compare", *paths, *given])


def _level(comparison: Comparison) -> str:
    levels = dict.fromkeys(f"{row.level * 100:.4g} %" for row in comparison.differences)
    return " or ".join(levels)


def _setting(setting: Setting) -> Mapping[str, Any]:
    return {
        "what": line(setting.what, 60),
        "name": line(setting.name, 200),
        "reference": line(none(setting.reference), 400),
        "candidate": line(none(setting.candidate), 400),
        "unsound": line(setting.unsound, 600) if setting.unsound else "",
    }


def _bodies(
    rows: Sequence[Difference], comparison: Comparison, models: Sequence[str], scale: Mapping[str, Scale]
) -> list[Body]:
    found = []
    for change, members in groupby(rows, key=lambda row: row.change):
        shown = [_row(row, comparison, models, scale[row.metric]) for row in members]
        folded = change is Change.EQUIVALENT and len(shown) > _CALM
        found.append(Body(WORDS[change][0], *SHAPES[change], len(shown), shown, folded))
    return found


def _row(row: Difference, comparison: Comparison, models: Sequence[str], scale: Scale) -> Row:
    position = models.index(row.model) if row.model in models else len(models)
    before, after = sides(row)
    low, high = scale.ends(row.unit)
    return Row(
        metric=line(row.metric, _LONG),
        model=line(row.model, _LONG),
        where=where(row, comparison),
        direction=row.direction,
        unit=row.unit,
        before=before or "—",
        after=after or "—",
        figure=figure_of(row),
        ends=f"{low} to {high} {sign(row.unit)}".rstrip(),
        drawing=drawn(row, scale, position),
        reason=line(row.reason, 600),
        support="; ".join(support(row)),
    )
