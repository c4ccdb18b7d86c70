"""The comparison as the page shows it: alone, or as a part of the report of its candidate."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from genrec_eval.audit.comparing.types import Change, Claimed, Comparison, Difference, Setting
from genrec_eval.core.numbers import Figure, count, sign
from genrec_eval.protocol.results import Ruling
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
    flip_groups,
    flip_rows,
    moved,
    none,
    overall,
    sides,
    support,
    tally,
    unmoved,
    where,
)
from genrec_eval.reporting.svg import Scale, key
from genrec_eval.reporting.text import line, listing
from genrec_eval.reporting.titles import renamed, title_of

SHAPES = {
    Change.WORSE: ("v-fail", "fail"),
    Change.BETTER: ("v-pass", "pass"),
    Change.DIFFERENT: ("m3", "open"),
    Change.INCONCLUSIVE: ("v-open", "open"),
    Change.EQUIVALENT: ("m1", "none"),
    Change.UNCHANGED: ("m1", "none"),
    Change.NOT_COMPARED: ("v-none", "none"),
}
"""Change → shape and class of its hue."""
_NAMED = {
    "only_reference": "only in the reference",
    "only_candidate": "only in the candidate",
    "changed": "asked something else",
}
_ASIDE = frozenset({WORDS[Change.INCONCLUSIVE][0], WORDS[Change.NOT_COMPARED][0]})
_LONG = 120
_CALM = 6
_MOST = 2000
"""Differences of one table; the JSON holds all."""


@dataclass(frozen=True, slots=True)
class Row:
    """A difference in the table."""

    metric: str
    id: str
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
    """Many figures inside their margins are worth a line that unfolds."""
    ruled: bool = False
    """Whether claims or the gate are about them."""

    @property
    def aside(self) -> bool:
        """Whether paper leaves them out of a table by group: nothing is decided, and nobody asked."""
        return not self.ruled and self.word in _ASIDE


@dataclass(frozen=True, slots=True)
class Unmoved:
    """Figures of a model that are identical for every unit."""

    model: str
    scenario: str
    count: int
    slices: Sequence[tuple[str, str]]
    """Slices, empty for all units, and their metrics."""


def panel(
    comparison: Comparison,
    order: Sequence[str] = (),
    *,
    flips: bool = False,
    titles: Callable[[str], str] = title_of,
) -> dict[str, Any]:
    """What the partial ``_comparison.html.j2`` sees as ``comparison``.

    Parameters
    ----------
    comparison
        The comparison.
    order
        The models of the report, whose hues and shapes are kept; by default those of the comparison.
    flips
        Whether both answers of the quoted flips are shown; the counts always are.
    titles
        Id of a metric → its name for people.
    """
    models = list(order) or list(dict.fromkeys(row.model for row in comparison.differences))
    quoted = groups(comparison) if flips else []
    whole = overall(comparison)
    rows = moved(whole)
    groups_of = {name: (found, moved(found)) for name, found in by_group(comparison).items()}
    shown = _Shown(comparison, models, titles)
    return {
        "reference": line(comparison.reference, 300),
        "candidate": line(comparison.candidate, 300),
        "reference_run": line(comparison.reference_run, _LONG),
        "candidate_run": line(comparison.candidate_run, _LONG),
        "sentence": answer(comparison, titles),
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
        "audits": _audits(comparison),
        "claims": [_claimed(one, titles) for one in comparison.claims if one.before != one.after],
        "claims_same": sum(one.before == one.after for one in comparison.claims),
        "same": [line(one, 300) for one in comparison.same],
        "lost": flip_groups(comparison),
        "bodies": shown.bodies(rows[:_MOST]),
        "unmoved": shown.unmoved(whole),
        "left": max(0, len(rows) - _MOST),
        "grouped": [
            (
                f"By {line(name, 60)}: {tally(found, 'figure')}",
                shown.bodies(some[:_MOST]),
                any(row.change is Change.WORSE for row in found),
                max(0, len(some) - _MOST),
                shown.unmoved(found),
            )
            for name, (found, some) in groups_of.items()
        ],
        "margins": any(row.margin for row in comparison.differences),
        "several": len({row.model for row in comparison.differences}) > 1,
        "level": _level(comparison),
        "flip_kinds": list(KINDS.items()),
        "flip_counts": [
            (
                line(scenario, _LONG),
                line(model, _LONG),
                listing([line(titles(one), _LONG) for one in metrics]),
                counts,
            )
            for scenario, model, metrics, counts in flip_rows(comparison)
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


@dataclass(frozen=True)
class _Shown:
    """How the rows of a comparison are shown."""

    comparison: Comparison
    models: Sequence[str]
    titles: Callable[[str], str]

    def bodies(self, rows: Sequence[Difference]) -> list[Body]:
        scale = scales(rows)
        found = []
        for (change, ruled), members in groupby(rows, key=lambda row: (row.change, row.ruled)):
            shown = [self.row(row, scale[row.metric]) for row in members]
            folded = change is Change.EQUIVALENT and len(shown) > _CALM
            found.append(Body(WORDS[change][0], *SHAPES[change], len(shown), shown, folded, ruled))
        return found

    def unmoved(self, rows: Sequence[Difference]) -> list[Unmoved]:
        return [
            Unmoved(
                model,
                scenario,
                sum(len(metrics) for _, metrics in slices),
                [(of, ", ".join(line(self.titles(one), _LONG) for one in metrics)) for of, metrics in slices],
            )
            for model, scenario, slices in unmoved(rows)
        ]

    def row(self, row: Difference, scale: Scale) -> Row:
        models, title = self.models, self.titles(row.metric)
        position = models.index(row.model) if row.model in models else len(models)
        before, after = sides(row)
        low, high = scale.ends(row.unit)
        return Row(
            metric=line(title, _LONG),
            id=line(row.metric, _LONG),
            model=line(row.model, _LONG),
            where=where(row, self.comparison),
            direction=row.direction,
            unit=row.unit,
            before=before or "—",
            after=after or "—",
            figure=figure_of(row),
            ends=f"{low} to {high} {sign(row.unit, True)}".rstrip(),
            drawing=drawn(row, scale, position),
            reason=line(renamed(row.reason, row.model, row.metric, title), 600),
            support="; ".join(support(row)),
        )


_WORST = (Ruling.FAIL, Ruling.INSUFFICIENT, Ruling.NOT_RUN, Ruling.PASS)


def _audits(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Before or after, run, when, root, and the verdicts of the claims."""
    found = []
    for name, one in (("before", comparison.reference_audit), ("after", comparison.candidate_audit)):
        if one is not None:
            verdicts = [f"{word} {count(n)}" for word in _WORST if (n := one.verdicts.get(word, 0))]
            root = f"{one.root}{', signed' if one.signed else ''}" if one.root else "none: it has no evidence"
            when = line(one.when, 40).replace("T", " ").replace("+00:00", " UTC")
            said = ", ".join(verdicts) or "no claim"
            found.append((name, line(one.run, _LONG), when or "not said", line(root, 100), said))
    return found


def _claimed(one: Claimed, titles: Callable[[str], str]) -> tuple[str, str, str, str]:
    """Claim, about what, and both verdicts."""
    about = [line(one.model, 60), "" if one.slice == "all" else line(one.slice, 60)]
    about += [line(titles(one.metric), _LONG), line(one.scenario, 60)]
    before, after = (line(word or "not claimed", 40) for word in (one.before, one.after))
    return line(one.claim, 300), " · ".join(filter(None, about)), before, after
