"""What a figure of the gate can tell: its power, the losses that it would notice, the units it needs.

The formulas are said in :mod:`genrec_eval.audit.gating.decide`.
"""

from __future__ import annotations

import math

from genrec_eval.audit.gating.blur import Blurred
from genrec_eval.audit.gating.figures import Figure
from genrec_eval.audit.gating.types import GateRow
from genrec_eval.audit.gating.words import as_estimate
from genrec_eval.audit.rules import RULES
from genrec_eval.audit.verdicts import units_to_decide
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fits import Constant, Ends, Score
from genrec_eval.stats.margin_power import (
    equivalence_power,
    fewest,
    non_inferiority_power,
    smallest_alarm,
    units_for_margin,
)
from genrec_eval.stats.statistic import spread
from genrec_eval.suite.gate import AGAINST_BASELINE

POWERED = frozenset({"not_worse_by", "within"})
"""Rules that pass by showing that something is small, which takes power."""


def turned(figure: Figure) -> bool:
    """Whether the figure is looked at from the other side: greater values are worse."""
    assert figure.subject.metric is not None
    return RULES[figure.subject.rule.kind].directed and figure.subject.metric.definition.direction == "lower"


def clipped(ends: Ends, figure: Figure) -> Ends:
    """An interval within what is possible."""
    assert figure.sample is not None
    least, greatest = figure.sample.bounds
    low, high = ends
    return float(low if least is None else max(low, least)), float(
        high if greatest is None else min(high, greatest)
    )


def turn(ends: Ends, flip: bool) -> Ends:
    """An interval seen from the other side."""
    return (0.0 - ends[1], 0.0 - ends[0]) if flip else ends


def spread_of(figure: Figure, fitted: Fitted) -> float | None:
    """Between units, at most; None where there is none to go by."""
    assert figure.sample is not None
    if fitted.n < 2 or isinstance(fitted.fit, Constant):
        return 0.0 if fitted.n > 1 else None
    if isinstance(fitted.fit, Blurred) and fitted.fit.agreeing is not None:
        return 0.0
    between = spread(figure.sample)
    return None if between is None else between + figure.rounding * math.sqrt(fitted.n / (fitted.n - 1))


def power_of(figure: Figure, fitted: Fitted, level: float) -> float | None:
    """Probability that the rule passes if nothing changed; None for rules that need no power."""
    rule = figure.subject.rule
    between = spread_of(figure, fitted) if rule.kind in POWERED else None
    if between is None or fitted.fit is None or fitted.value is None:
        return None
    if between == 0:
        half = max(abs(end - fitted.value) for end in clipped(fitted.fit.ends(level), figure))
        return float(half <= rule.margin)
    found = equivalence_power if rule.kind == "within" else non_inferiority_power
    return found(rule.margin, between, fitted.n, level=level)


def detectable_loss(figure: Figure, fitted: Fitted, power: float, level: float, tests: int) -> float | None:
    """The smallest true loss that the row would notice among so many tests; None where it never would."""
    between, rule = spread_of(figure, fitted), figure.subject.rule
    if between is None or tests == 0:
        return None
    tail = (1 - level) / max(tests, 1)
    width, most = figure.width, figure.width
    q = between * between
    if rule.kind in AGAINST_BASELINE:
        if figure.q is not None:
            q = figure.q
    elif width is not None:
        assert figure.subject.metric is not None
        ends = figure.subject.metric.definition.bounds
        assert ends[0] is not None
        assert ends[1] is not None
        most = rule.margin - ends[0] if rule.kind == "at_least" else ends[1] - rule.margin

    def spread_at(loss: float) -> float:
        if isinstance(fitted.fit, Score):
            rate = rule.margin - loss if rule.kind == "at_least" else rule.margin + loss
            return math.sqrt(max(rate * (1 - rate), rule.margin * (1 - rule.margin), 0.0))
        if width is not None and (figure.q is not None or between == 0):
            return math.sqrt(max(0.0, q + loss * width - loss * loss))
        return between

    if between == 0 and width is None:
        return None
    return smallest_alarm(
        spread_at,
        fitted.n,
        power=power,
        level=level,
        adjusted=1 - (tail / 2 if rule.kind == "within" else tail),
        margin=rule.margin if rule.kind in POWERED else 0.0,
        most=most,
    )


def needed_units(
    row: GateRow, figure: Figure, fitted: Fitted, power: float | None, level: float
) -> int | None:
    """About how many units would decide: those that give it its power, or clear the limit it is near."""
    rule, between = figure.subject.rule, spread_of(figure, fitted)
    if power is not None and between is not None:
        if between > 0:
            return units_for_margin(
                rule.margin, between, power=power, level=level, both_sides=rule.kind == "within"
            )
        width = figure.width
        share = None if width is None else min(1.0, rule.margin / width)
        tail = math.log((1 - level) / 2)
        return None if not share else fewest(lambda n: -math.expm1(tail / n) <= share)
    if row.value is None:
        return None
    flip = turned(figure)
    value = 0.0 - row.value if flip else row.value
    held = RULES[rule.kind].threshold(value, rule.margin)
    if rule.kind in POWERED and not RULES[rule.kind].passes(value, value, rule.margin):
        held = 0.0  # it lies beyond the margin: what stops the gate is a loss that is shown
    return units_to_decide(as_estimate(row), 0.0 - held if flip else held)
