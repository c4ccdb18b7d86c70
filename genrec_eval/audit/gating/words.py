"""Rows of the gate and the reasons of their verdicts, with the digits of the report."""

from __future__ import annotations

import math

from genrec_eval.audit.gating.figures import Figure
from genrec_eval.audit.gating.types import GateRow
from genrec_eval.audit.rules import RULES, about, amount, reason, told
from genrec_eval.core.numbers import bound, count, exact
from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.stats.contrast import Fitted


def row_of(figure: Figure, fitted: Fitted | None, level: float) -> GateRow:
    """A row that is not decided yet."""
    subject, metric = figure.subject, figure.subject.metric
    rule = subject.rule
    unit = "" if metric is None else metric.definition.unit
    return GateRow(
        rule=rule.rule or _title(figure, unit),
        kind=rule.kind,
        scenario=rule.scenario,
        metric=rule.metric if metric is None else metric.id,
        model=subject.model,
        slice=subject.slice,
        against=subject.reference,
        margin=rule.margin,
        verdict=Ruling.INSUFFICIENT,
        reason="",
        value=None if fitted is None else fitted.value,
        level=level,
        n=0 if fitted is None else fitted.n,
        excluded=figure.excluded,
        reference_value=figure.reference,
        candidate_value=figure.candidate,
        direction="none" if metric is None else metric.definition.direction,
        unit=unit,
        where=subject.where,
    )


def _title(figure: Figure, unit: str) -> str:
    """What a rule says, where its author gave no words."""
    rule, paired = figure.subject.rule, figure.subject.reference is not None
    size = amount(rule.margin, unit, paired)
    asked = {
        "at_least": f"is at least {size}",
        "at_most": f"is at most {size}",
        "better_by": f"is better than the baseline's by more than {size}",
        "not_worse_by": f"is not worse than the baseline's by more than {size}",
        "within": f"is within {size} of the baseline's",
    }[rule.kind]
    if rule.kind == "better_by" and not rule.margin:
        asked = "is better than the baseline's"
    return f"{rule.metric} {asked}"


def as_estimate(row: GateRow) -> Estimate:
    """The row in the form of a run's estimates, for the words and figures that both share."""
    baseline = None
    if row.against is not None:
        baseline = "the baseline" if row.against == row.model else f"the baseline's {row.against}"
    return Estimate(
        model=row.model,
        scenario=row.scenario,
        metric=row.metric,
        definition="",
        slice=row.slice,
        baseline=baseline,
        value=row.value,
        low=row.low,
        high=row.high,
        level=row.level,
        interval=row.interval,
        n=row.n,
        attempted=row.n,
        answered=row.n,
        scored=row.n,
        direction=row.direction,
    )


def reason_of(
    row: GateRow, figure: Figure, fitted: Fitted, *, asked: float | None = None, tests: int = 0
) -> str:
    """Why the row came to its verdict.

    Parameters
    ----------
    asked
        The power that the gate asks for, where the row falls short of it.
    tests
        P-values that were adjusted together.
    """
    found = as_estimate(row)
    if fitted.value is None:
        return f"{about(found)} has no value: {fitted.reason}"
    if row.low is None or row.high is None:
        return f"{about(found)} is {bound(fitted.value, row.unit)} without an interval: {fitted.reason}"
    paired = row.against is not None
    size = amount(row.margin, row.unit, paired)
    rule = RULES[row.kind]
    beyond = rule.decide(*_turned(row), row.margin) is Ruling.FAIL
    if row.verdict is Ruling.FAIL and not beyond:
        what = "difference" if row.kind == "within" else "loss"
        said = told(found, row.unit, row.margin)
        return f"{said}: a {what} is shown, and not that it stays within the allowed {size}"
    if row.verdict is Ruling.INSUFFICIENT and asked is not None:
        power = 0.0 if row.power is None else row.power
        chance = "less than 1 %" if power < 0.01 else _percent(power)
        return (
            f"{told(found, row.unit, row.margin)}, but {count(row.n)} units are too few for a margin of"
            f" {size}: without any change the rule would pass in {chance} of runs, and the gate asks for"
            f" {_percent(asked)}"
        )
    if row.verdict is Ruling.INSUFFICIENT and beyond and row.p_adjusted is not None:
        words = rule.words[Ruling.FAIL].format(margin=size)
        return (
            f"{told(found, row.unit, row.margin)}, {words}, but among {count(tests)} rules that may be chance"
            f" (adjusted p {exact(row.p_adjusted)})"
        )
    return reason(rule, row.verdict, row.margin, found, row.unit)


def _turned(row: GateRow) -> tuple[float, float]:
    assert row.low is not None
    assert row.high is not None
    flip = RULES[row.kind].directed and row.direction == "lower"
    return (0.0 - row.high, 0.0 - row.low) if flip else (row.low, row.high)


def _percent(share: float) -> str:
    return f"{exact(math.floor(share * 1000) / 10)} %"
