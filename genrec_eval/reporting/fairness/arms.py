"""Figures of counterfactual disclosure, found by what their metrics mean rather than how they are spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import figure, fixed
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import has_interval
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, hue, marker, room, short
from genrec_eval.reporting.charts.rows import STEP
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, listing, plural

_BAR = "M-0.9-4.5h1.8v9h-1.8z"
"""Marker of what was asked neutrally."""
_LIKENESS = {
    "jaccard": ("Jaccard", ""),
    "serp": ("SERP", "as in FaiRLLM's paper"),
    "serp_notebook": ("SERP", "as in FaiRLLM's notebook"),
    "prag": ("PRAG", "over K(K−1)/2"),
    "prag_k_plus_1": ("PRAG", "over K(K+1)"),
    "prag_common": ("PRAG", "over common items"),
}
ARMS = {
    "neutral": "neutral again",
    "paraphrase": "neutral, paraphrased",
    "order": "neutral, other order",
    "language": "neutral, other language",
}
"""Arms with nothing disclosed: what chance and words alone change."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A variant of the similarity of two lists."""

    of: str
    rule: str
    weighted: str
    k: int | None

    @property
    def name(self) -> str:
        """``"SERP@20 (as in FaiRLLM's paper)"``: no two variants share a name."""
        name, variant = _LIKENESS.get(self.of, (self.of, ""))
        told = [variant] if variant else []
        told += ["lists as published code reads them"] if self.rule == "published" else []
        told += ["weighed by neutral ranks"] if self.weighted == "neutral" else []
        return f"{name}@{self.k}{f' ({listing(told)})' if told else ''}"


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of one scenario by name, parameters and model.

    Attributes
    ----------
    order
        The models of the report that have figures here.
    place
        Of the scenario on the page, for anchors.
    """

    results: Results
    scenario: str
    order: Sequence[str]
    every: Sequence[str]
    place: int
    _metrics: Mapping[str, Sequence[tuple[str, Mapping[str, Any], int | None]]]

    @classmethod
    def of(cls, material: Material, scenario: str) -> Told | None:
        """None for a scenario that compares no list with a neutral one."""
        results = material.results
        found: dict[str, list[tuple[str, Mapping[str, Any], int | None]]] = {}
        for metric in results.metrics(scenario):
            about = results.definition(metric)
            k = about.get("k")
            name, parameters = str(about.get("name")), mapping(about.get("parameters"))
            found.setdefault(name, []).append((metric, parameters, k if isinstance(k, int) else None))
        if not found.keys() & {"neutral_similarity", "snsr_excess", "quadrant", "arm_similarity"}:
            return None
        models = set(results.models(scenario))
        order = [model for model in material.order if model in models]
        place = results.scenarios().index(scenario) + 1
        return cls(results, scenario, order, list(material.order), place, found)

    def position(self, model: str) -> int:
        """Hue and marker of a model."""
        return self.every.index(model)

    def attributes(self, *names: str) -> list[str]:
        """Attributes that metrics of these names are about, in the order of the report."""
        rows = [row for name in names for row in self._metrics.get(name, ())]
        return list(dict.fromkeys(str(said["attribute"]) for _, said, _ in rows if said.get("attribute")))

    def values(self, name: str, attribute: str, likeness: Likeness) -> list[str]:
        """Values of an attribute that have a figure of their own."""
        said = [said for _, said, k in self._meant(name, likeness) if said.get("attribute") == attribute]
        return list(dict.fromkeys(str(one["value"]) for one in said if one.get("value")))

    def arms(self, name: str, likeness: Likeness, attribute: str | None = None) -> list[str]:
        """Arms that have a figure."""
        rows = self._meant(name, likeness)
        some = [said for _, said, _ in rows if attribute is None or said.get("attribute") == attribute]
        return list(dict.fromkeys(str(said["arm"]) for said in some if said.get("arm")))

    def likenesses(self, attribute: str, *names: str) -> list[Likeness]:
        """The variants that figures of an attribute come in, the one with figures by value first."""
        found: dict[Likeness, int] = {}
        for name in names:
            for _, said, k in self._metrics.get(name, ()):
                if said.get("attribute") == attribute:
                    one = Likeness(
                        str(said.get("of", "jaccard")),
                        str(said.get("rule", "standard")),
                        str(said.get("weighted", "sensitive")),
                        k,
                    )
                    found[one] = found.get(one, 0) + bool(said.get("value"))
        return sorted(found, key=lambda one: not found[one])

    def metric(self, name: str, likeness: Likeness, **said: Any) -> str | None:
        """Id of the metric with these parameters; what is not named is at its plain value."""
        plain = {"attribute": "", "value": "", "arm": "", "outcome": ""}
        for metric, has, _ in self._meant(name, likeness):
            wanted = {key: value for key, value in {**plain, **said}.items() if key in has}
            if all(has[key] == value for key, value in wanted.items()):
                return metric
        return None

    def row(self, model: str, name: str, likeness: Likeness, **said: Any) -> Estimate | None:
        """The figure of a model over all units."""
        metric = self.metric(name, likeness, **said)
        return None if metric is None else self.results.get(self.scenario, metric, model)

    def _meant(self, name: str, likeness: Likeness) -> list[tuple[str, Mapping[str, Any], int | None]]:
        return [
            (metric, said, k)
            for metric, said, k in self._metrics.get(name, ())
            if said.get("of", likeness.of) == likeness.of
            and said.get("rule", likeness.rule) == likeness.rule
            and said.get("weighted", likeness.weighted) == likeness.weighted
            and k == likeness.k
        ]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of some models, the same of each."""

    models: tuple[str, ...]
    text: str


def gathered(told: Sequence[tuple[int, str, str]]) -> list[Finding]:
    """Findings of models as a list: the gravest first, equal sentences said once.

    Parameters
    ----------
    told
        (gravity, model, sentence).
    """
    groups: dict[tuple[int, str], list[str]] = {}
    for gravity, model, text in told:
        groups.setdefault((-gravity, text), []).append(model)
    return [
        Finding(tuple(models), text) for (_, text), models in sorted(groups.items(), key=lambda g: g[0][0])
    ]


def plain(row: Estimate | None, unit: str = "") -> str:
    """A figure alone, with the digits its interval justifies, for a sentence whose table has the interval."""
    if row is None or row.value is None:
        return "—"
    shown = figure(row.value, row.low, row.high, unit=unit)
    return shown.lead if shown.known else fixed(row.value, 2)


def whole(row: Estimate | None, unit: str = "") -> str:
    """A figure with its interval."""
    if row is None:
        return "—"
    return str(figure(row.value, row.low, row.high, unit=unit, reason=row.reason))


def cell(row: Estimate | None, unit: str = "") -> str:
    """A figure with its interval for a table that says beside it who is missing."""
    return "—" if row is None or row.value is None or row.low is None else whole(row, unit)


def lacking(row: Estimate | None) -> str:
    """Who is missing from a figure and why: ``"12 arm failed"``, or ``"none"``."""
    if row is None:
        return "—"
    left = [f"{n:,} {line(reason, 60).replace('-', ' ')}" for reason, n in row.excluded.items() if n]
    return listing(left) or "none"


def users(row: Estimate) -> str:
    """``"400 users"``."""
    return plural(row.n, "user")


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of a band panel: its name, its figure, and whether nothing was disclosed in it."""

    name: str
    row: Estimate
    neutral: bool = False


def band_panels(heads: Sequence[tuple[str, int, Sequence[Mark]]], about: str) -> list[Panel]:
    """One panel a model on a common scale: figures against the band of what is asked neutrally.

    Parameters
    ----------
    heads
        (model, its position, its rows); models without a row that can be drawn are left out.
    """
    drawn = [(m, at, [one for one in marks if has_interval(one.row)]) for m, at, marks in heads]
    drawn = [one for one in drawn if one[2]]
    ends = [end for _, _, marks in drawn for one in marks for end in (one.row.low, one.row.high)]
    if not ends:
        return []
    axis = Axis.over(ends)
    left = min(max(room([one.name for one in marks], 26) for _, _, marks in drawn), 190)
    found = []
    for model, position, marks in drawn:
        panel = Panel(
            line(model, 60),
            f"{about} of {line(model, 60)}: {plural(len(marks), 'figure')} with intervals",
            x=axis,
            y=Axis.rows(len(marks)),
            height=STEP * len(marks),
            left=left,
            right=16,
        )
        floor = [one.row for one in marks if one.neutral]
        if floor:
            low, high = min(row.low or 0.0 for row in floor), max(row.high or 0.0 for row in floor)
            box = {"x": low, "x2": high, "y": -0.5, "y2": len(marks) - 0.5, "c": MUTED}
            panel.put("boxes", [box], opacity=0.22)
        names = [
            {"x": axis.low, "y": i, "t": short(one.name, 26), "c": MUTED if one.neutral else INK}
            for i, one in enumerate(marks)
        ]
        panel.put("words", names, align="right", dx=-10)
        spans, dots = [], []
        for i, one in enumerate(marks):
            colour = MUTED if one.neutral else hue(position)
            shape = _BAR if one.neutral else marker(position)
            spans.append({"x": one.row.low, "x2": one.row.high, "y": i, "y2": i, "c": colour})
            dots.append({"x": one.row.value, "y": i, "c": colour, "s": shape})
        panel.put("spans", spans, strokeWidth=2)
        panel.put("dots", dots, size=2.2)
        found.append(panel)
    return found


def floors(told: Told, model: str, likeness: Likeness) -> list[Mark]:
    """What lists are like when nothing is disclosed: asked again, and asked in other words."""
    found = []
    for arm in told.arms("neutral_noise", likeness):
        row = told.row(model, "neutral_noise", likeness, arm=arm)
        if arm in ARMS and row is not None and row.value is not None:
            found.append(Mark(ARMS[arm], row, neutral=True))
    return found
