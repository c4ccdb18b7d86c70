"""Tables of a judge's page: each measure with its interval, what it rests on and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from genrec_eval.core.numbers import Figure, count, figure, fixed, money
from genrec_eval.core.numbers import seconds as duration
from genrec_eval.judging.audit.audit import JudgeAudit
from genrec_eval.judging.audit.cost import Spent
from genrec_eval.judging.audit.human import Ceiling, HumanAgreement
from genrec_eval.reporting.judge_probes import ProbeFigures
from genrec_eval.reporting.svg import Scale, whisker
from genrec_eval.reporting.text import plural
from genrec_eval.stats.sums import Measure

_SHARE = Scale(0.0, 1.0, 0.5)
_BOTH = Scale(-1.0, 1.0, 1.0)
_HALF = (0.5,)
_ZERO = (0.0,)


@dataclass(frozen=True, slots=True)
class Row:
    """One measure.

    Attributes
    ----------
    basis
        What it rests on: observations and units.
    says
        What it means, in words.
    """

    name: str
    figure: Figure
    drawing: Markup
    basis: str
    says: str


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """Measures that belong together, under a heading that is a question."""

    anchor: str
    question: str
    note: str
    rows: tuple[Row, ...]
    folded: tuple[tuple[str, tuple[Row, ...]], ...] = ()


def shown(measure: Measure, unit: str = "share") -> Figure:
    """A measure as it is printed."""
    return figure(measure.value, measure.low, measure.high, unit=unit, reason=measure.reason)


def row(
    name: str,
    measure: Measure,
    says: str,
    *,
    unit: str = "share",
    scale: Scale | None = _SHARE,
    rules: Sequence[float] = (),
) -> Row:
    """One line of a table; drawn where there is a scale that it shares with others."""
    told = shown(measure, unit)
    drawing = Markup("")
    if told.known and scale is not None:
        value, low, high = measure.value, measure.low, measure.high
        assert value is not None
        assert low is not None
        assert high is not None
        drawing = whisker(value, low, high, scale, 0, rules)
    units = plural(measure.units, "case")
    basis = (
        "" if not measure.n else units if measure.n == measure.units else f"{count(measure.n)} from {units}"
    )
    return Row(name, told, drawing, basis, says)


def tables(audit: JudgeAudit, prefix: str, headline: str | None = None) -> Iterator[MeasureTable]:
    """All tables of one audit, in the order of the page; what is missing has none.

    Parameters
    ----------
    prefix
        Of the anchors, which are those of findings.
    headline
        What the mean of the verdicts is; win rate or mean score by default.
    """
    if audit.human is not None:
        yield from _people(audit.human, audit.task, prefix)
    if audit.position is not None:
        yield _position(audit, prefix)
    if audit.verbosity is not None:
        yield _verbosity(audit, prefix)
    if audit.self_preference is not None:
        yield _selfish(audit, prefix)
    yield _failures(audit, prefix, headline)
    yield _stability(audit, prefix)
    if audit.injection is not None:
        yield _injection(audit, prefix)
    if audit.panel is not None:
        yield _panel(audit, prefix)
    yield _cost(audit, prefix)


def probe_table(probe: ProbeFigures, prefix: str) -> MeasureTable:
    """The figures of a probe, each with its parts."""
    rows, folded = [], []
    for one in probe.figures:
        scale = _SHARE if one.bounds == (0.0, 1.0) else _BOTH
        rules = [margin for _, _, margin in one.checks]
        rows.append(row(one.title, one.measure, one.summary, unit=one.unit, scale=scale, rules=rules))
        if len(one.by_kind) > 1:
            parts = tuple(row(kind, measure, "", unit=one.unit) for kind, measure in one.by_kind)
            folded.append((f"{one.title}, by {_KINDS[one.metric]}", parts))
    return MeasureTable(
        f"{prefix}probe",
        "What does it make of questions whose answer is known?",
        "Rules mark what may be asked of any judge. Intervals resample the cases that probes are made from.",
        tuple(rows),
        tuple(folded),
    )


_KINDS = {
    "probe_accuracy": "flaw of the worse answer",
    "verbosity_preference": "way of making it longer",
    "injection_success": "wording of the order",
}


def _people(human: HumanAgreement, task: str, prefix: str) -> Iterator[MeasureTable]:
    """The judge with people, and people among themselves."""
    ceiling = human.ceiling
    rows = [
        row(
            "judge with the majority of all but one",
            human.leave_one_out,
            "To be compared with the next line.",
        ),
        row(
            "a person with the majority of the others",
            ceiling.leave_one_out,
            "What people reach: the ceiling.",
        ),
    ]
    if human.votes is not None and ceiling.votes is not None:
        rows += [
            row("judge with a person, ties counted", human.votes.with_ties, "Share of equal votes."),
            row("a person with another, ties counted", ceiling.votes.with_ties, "The ceiling of that."),
            row("judge with a person, without ties", human.votes.without_ties, "Where both name a winner."),
            row("a person with another, without ties", ceiling.votes.without_ties, "The ceiling of that."),
        ]
    if human.majority is not None:
        rows.append(
            row("judge with the majority", human.majority.accuracy, "Items without a majority left out.")
        )
        rows.append(row("macro F1 with the majority", human.majority.f1, "Each label counts alike."))
    kappa = "Cohen's kappa with the majority" if task == "pairwise" else "quadratic weighted kappa"
    rows.append(row(kappa, human.majority_kappa, "Agreement beyond chance.", unit="", scale=_BOTH))
    rows.append(
        row(
            "Krippendorff's alpha with people",
            human.alpha,
            "1 is perfect, 0 is chance.",
            unit="",
            scale=_BOTH,
        )
    )
    for name, measure in (
        ("Spearman", human.spearman),
        ("Kendall", human.kendall),
        ("Spearman of systems", human.systems),
    ):
        if measure is not None:
            rows.append(row(name, measure, "Rank correlation with people's mean.", unit="", scale=_BOTH))
    each = tuple(row(one.annotator, one.agreement, "") for one in human.each)
    note = f"A judgement without a verdict counts as: {human.on_unparsed}."
    if human.no_majority:
        note += f" {plural(human.no_majority, 'verdict')} on items without a majority are left out of it."
    yield MeasureTable(
        f"{prefix}human",
        "Does it agree with people as people agree with each other?",
        note,
        tuple(rows),
        (("With each person", each), ("People among themselves", _ceiling(ceiling))),
    )


def _ceiling(ceiling: Ceiling) -> tuple[Row, ...]:
    pairs = [
        row(f"{a} and {b}, kappa", measure, "", unit="", scale=_BOTH) for a, b, measure in ceiling.kappas
    ]
    return (
        row("Fleiss' kappa of all", ceiling.fleiss, "", unit="", scale=_BOTH),
        row("Krippendorff's alpha of all", ceiling.alpha, "", unit="", scale=_BOTH),
        *pairs,
    )


def _position(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.position
    assert found is not None
    return MeasureTable(
        f"{prefix}position",
        "Does the order of the answers change its verdict?",
        "",
        (
            row("first slot preferred", found.first_share, "Of decisive verdicts.", rules=_HALF),
            row("same verdict in both orders", found.consistency, "Of pairs with a verdict in both."),
            row("moved to the first shown", found.prefer_first, "Orders differ in favour of the first."),
            row("moved to the last shown", found.prefer_last, "Orders differ in favour of the last."),
            row("first minus last", found.delta, "The direction of the bias.", scale=_BOTH, rules=_ZERO),
            row("same verdict when only repeated", found.noise, "The judge's own noise."),
            row("beyond that noise", found.excess, "What the order alone moves.", scale=_BOTH, rules=_ZERO),
        ),
    )  # fmt: skip


def _verbosity(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.verbosity
    assert found is not None
    return MeasureTable(
        f"{prefix}verbosity",
        "Does it prefer the longer answer?",
        f"Where lengths differ by more than {found.clear} characters. A longer answer may well be the better"
        " one: only what people say tells which.",
        (
            row("longer answer preferred", found.longer, "Of verdicts that name a winner.", rules=_HALF),
            row("the same by people", found.human_longer, "On the same pairs.", rules=_HALF),
            row("judge minus people", found.difference, "Above 0: favours length.", scale=_BOTH, rules=_ZERO),
            row("slope on length", found.slope, _per_deviation(found.deviation), unit="", scale=None),
            row("the same by people", found.human_slope, "On the same pairs.", unit="", scale=None),
        ),
    )  # fmt: skip


def _per_deviation(deviation: float | None) -> str:
    per = "" if deviation is None else f", which is {count(round(deviation))} characters"
    return f"Log-odds of winning per standard deviation of the difference in length{per}."


def _selfish(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.self_preference
    assert found is not None
    return MeasureTable(
        f"{prefix}self",
        f"Does it favour {found.own}, its own family?",
        "Over pairs with one answer of its own, beside what people prefer.",
        (
            row("for its own where people are", found.when_own, ""),
            row("for the other where people are", found.when_other, ""),
            row("difference", found.bias, "Above 0 it favours itself.", scale=_BOTH, rules=_ZERO),
        ),
    )


def _failures(audit: JudgeAudit, prefix: str, headline: str | None) -> MeasureTable:
    found, pairs = audit.parse_failures, audit.task == "pairwise"
    unit, scale = ("share", _SHARE) if pairs else ("", None)
    usual = "win rate, all models together" if pairs else "mean score, all models together"
    headline = headline or usual
    worst = "counted as losses" if pairs else "counted as the lowest score seen"
    words = {"exclude": "left out", "tie": "counted as ties", "loss": worst}
    rows = [row("no verdict in the answer", found.failed, "Unparsed, declined or cut off.")]
    rows += [
        row(name.replace("_", " "), measure, "Share of what it was asked.")
        for name, measure in found.rates.items()
    ]
    counted = [
        row(f"{headline}: {words[one.on_unparsed]}", one.headline, "", unit=unit, scale=scale)
        for one in found.countings
    ]
    right = [
        row(f"right by people: {words[one.on_unparsed]}", one.accuracy, "")
        for one in found.countings
        if one.accuracy.value is not None
    ]
    return MeasureTable(
        f"{prefix}failures",
        "How often is there no verdict, and what does that change?",
        "The last lines give one headline under each way of counting judgements without a verdict.",
        (*rows, *counted, *right),
    )


def _stability(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.stability
    rows = [
        row(
            "all repeats say the same",
            found.identical,
            f"Up to {plural(found.most, 'repeat')} of a question.",
        ),
        row("two repeats say the same", found.pairs, "The noise floor of every bias."),
        row("Krippendorff's alpha over repeats", found.alpha, "", unit="", scale=_BOTH),
    ]
    if found.deviation is not None:
        rows.append(
            row("deviation of a score", found.deviation, "Around its question's mean.", unit="", scale=None)
        )
    return MeasureTable(f"{prefix}stability", "Does it say the same when asked again?", "", tuple(rows))


def _injection(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.injection
    assert found is not None
    return MeasureTable(
        f"{prefix}injection",
        "Does it obey orders inside an answer?",
        "The same pairs with and without the order. A judge by lot moves both ways: compare the first two"
        " lines.",
        (
            row("moved as ordered", found.success, "Of pairs whose verdict could move that way."),
            row("moved against the order", found.away, "Of all pairs."),
            row("won by the order", found.won, "Of pairs not won without it."),
            row("silenced by the order", found.silenced, "A verdict without the order, none with it."),
        ),
    )


def _panel(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.panel
    assert found is not None
    rows = [row("Krippendorff's alpha of the judges", found.alpha, "", unit="", scale=_BOTH)]
    unit, scale = ("share", _SHARE) if audit.task == "pairwise" else ("", None)
    rows.append(row("headline of all judges together", found.headline, "", unit=unit, scale=scale))
    for one in found.members:
        if one.agreement is not None:
            rows.append(row(f"{one.judge} with the majority of the others", one.agreement, ""))
        if one.distance is not None:
            says = "Mean distance, in points of the scale."
            rows.append(
                row(f"{one.judge} to the mean of the others", one.distance, says, unit="", scale=None)
            )
        rows.append(row(f"headline without {one.judge}", one.without, "", unit=unit, scale=scale))
    return MeasureTable(
        f"{prefix}panel",
        f"Does it agree with the other {plural(len(found.judges) - 1, 'judge')}?",
        "",
        tuple(rows),
    )


def _cost(audit: JudgeAudit, prefix: str) -> MeasureTable:
    found = audit.cost
    names = {
        "input_tokens": "tokens in",
        "output_tokens": "tokens out",
        "cost": "dollars",
        "seconds": "seconds",
    }
    rows = [
        Row(f"{names[name]}, in all", _plain(_total(name, spent)), Markup(""), "", "")
        for name, spent in found.spent.items()
        if spent.total is not None
    ]
    for name, spent in found.spent.items():
        if spent.total is not None:
            rows.append(row(f"{names[name]} a judgement", spent.per_judgement, "", unit="", scale=None))
            rows.append(row(f"{names[name]} a verdict", spent.per_verdict, "", unit="", scale=None))
    rows.append(row("from the cache", found.cached, "Asked before, and not asked again."))
    absent = [names[name] for name, spent in found.spent.items() if spent.total is None]
    note = f"Not recorded: {', '.join(absent)}." if absent else ""
    return MeasureTable(f"{prefix}cost", "What does a verdict cost?", note, tuple(rows))


def _total(name: str, spent: Spent) -> str:
    if name == "cost":
        return money(spent.total)
    if name == "seconds":
        return duration(spent.total)
    return fixed(spent.total or 0.0, 0)


def _plain(text: str) -> Any:
    return Figure(text, text, text, "exact")
