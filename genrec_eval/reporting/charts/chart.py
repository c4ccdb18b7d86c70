"""What a chart is on the page: a finding, its method, a drawing and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from genrec_eval.core.numbers import bound, fixed
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.panel import Panel, drawn
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import listing

if TYPE_CHECKING:
    from genrec_eval.stats.sums import Measure


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of the report.

    Attributes
    ----------
    anchor
        Unique in the page.
    kind
        ``"forest"``, ``"differences"``, ``"trade-off"``, ``"disparity"``, ``"curves"``, ``"distribution"``,
        ``"reliability"``, ``"latency"``, ``"cost"`` or ``"history"``.
    title
        The finding, as a sentence.
    method
        The sentence under it.
    svg
        The drawing: one or more panels.
    head, rows
        The table beside it; the first ``words`` columns hold text, the others numbers.
    """

    anchor: str
    kind: str
    title: str
    method: str
    svg: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Sketch:
    """A chart before it is drawn."""

    kind: str
    title: str
    method: str
    panels: Sequence[Panel]
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: int = 1

    def drawn(self, anchor: str) -> Chart:
        """The chart with its drawing; every id in it begins with ``anchor``."""
        return Chart(
            anchor,
            self.kind,
            self.title,
            self.method,
            drawn(self.panels, anchor),
            self.head,
            tuple(self.rows),
            self.words,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """What the charts of one scenario are made from.

    Attributes
    ----------
    order
        All models of the report: position is hue and marker.
    main
        The metrics that are drawn, of those of the scenario.
    """

    results: Results
    run: Mapping[str, Any]
    directory: Path
    scenario: str
    order: Sequence[str]
    main: Sequence[str]

    def position(self, model: str) -> int:
        """Place of a model, which is its hue and marker."""
        return self.order.index(model) if model in self.order else len(self.order)

    def known(self, metric: str) -> list[Estimate]:
        """Rows with a value and an interval: what may be shown of a metric, in the order of the models."""
        rows = (self.results.get(self.scenario, metric, model) for model in self.order)
        return [row for row in rows if row is not None and has_interval(row)]

    def heading(self, metric: str) -> str:
        """``"NDCG@10 ↑"``, with the unit."""
        arrow = {"higher": " ↑", "lower": " ↓"}.get(self.results.direction(metric), "")
        unit = self.results.unit(metric)
        said = " in %" if unit == "share" else f" in {unit}" if unit else ""
        return f"{self.results.title(metric)}{said}{arrow}"


def has_interval(row: Estimate | Measure) -> bool:
    """Whether a figure may be drawn: a number without an interval is not."""
    return None not in (row.value, row.low, row.high)


def factor(unit: str) -> float:
    """From the metric's unit to the one shown."""
    return 100.0 if unit == "share" else 1.0


def ends(row: Estimate | Measure, by: float) -> tuple[float, float, float]:
    """Value and interval of a figure that has one, in the unit shown."""
    value, low, high = ((end or 0.0) * by for end in (row.value, row.low, row.high))
    return value, low, high


def exactly(value: float | None, unit: str) -> str:
    """A figure as tables beside charts give it: with digits enough to see every difference drawn.

    >>> exactly(0.017097530, "share"), exactly(None, ""), exactly(426.5311, "")
    ('1.710', '—', '426.5')
    """
    if value is None:
        return "—"
    shown = value * factor(unit)
    size = abs(shown)
    places = 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 4
    return fixed(shown, places)


def titled(results: Results, metric: str) -> str:
    """Title of a metric with its unit, as tables beside charts name it."""
    return f"{results.title(metric)}{' %' if results.unit(metric) == 'share' else ''}"


def joined(found: Sequence[tuple[str, str, str]]) -> str:
    """Findings as one sentence: those that differ in their subject alone are said once.

    Parameters
    ----------
    found
        (what comes before, subject, what comes after).

    Examples
    --------
    >>> joined([("On ", "NDCG", " x leads"), ("On ", "Recall", " x leads"), ("On ", "MRR", " none does")])
    'On NDCG and Recall x leads; on MRR none does'
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for before, subject, after in found:
        groups.setdefault((before, after), []).append(subject)
    parts = [f"{before}{listing(subjects)}{after}" for (before, after), subjects in groups.items()]
    return "; ".join(
        part[0].lower() + part[1:] if i and part.startswith(("On ", "No ", "Who ", "Most ", "All ")) else part
        for i, part in enumerate(parts)
    )


def margin_name(rule: str, margin: float, unit: str) -> str:
    """``"at least 0.05"``, for the rule in a drawing."""
    words = {"at_least": "at least ", "at_most": "at most "}.get(rule, "")
    return f"{words}{bound(margin, unit)}"
