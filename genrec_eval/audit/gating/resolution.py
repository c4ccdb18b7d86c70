"""What a figure of the gate can tell: its power, the losses that it would notice, the units it needs.

The formulas are said in :mod:`genrec_eval.audit.gating.decide`.
"""

from __future__ import annotations

import math

from genrec_eval.audit.decide import units_to_decide
from genrec_eval.audit.gating.blur import Blurred
from genrec_eval.audit.gating.figures import Figure
from genrec_eval.audit.gating.types import GateRow
from genrec_eval.audit.gating.words import as_estimate
from genrec_eval.audit.rules import RULES
from genrec_eval.stats.bootstrap import LEAST_FREEDOM
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fits import Bootstrapped, Constant, Ends, Score, Student
from genrec_eval.stats.margin_power import (
    Freedom,
    Spread,
    equivalence_power,
    non_inferiority_power,
    smallest_alarm,
    student,
    two_sided_spread,
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


def freedom_of(fitted: Fitted) -> Freedom:
    """Degrees of freedom that the interval of so many units like these has."""
    fit, n = fitted.fit, fitted.n
    if isinstance(fit, Bootstrapped):
        return lambda units: max(LEAST_FREEDOM, fit.freedom * units / n)
    return (lambda units: math.inf) if isinstance(fit, Student) and math.isinf(fit.freedom) else student


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
    return found(rule.margin, between, fitted.n, level=level, freedom=freedom_of(fitted))


def detectable_loss(figure: Figure, fitted: Fitted, power: float, level: float, tests: int) -> float | None:
    """The smallest true loss that the row would notice among so many tests; None where it never would."""
    between, rule = spread_of(figure, fitted), figure.subject.rule
    if between is None or tests == 0:
        return None
    tail = (1 - level) / tests
    width, most, n = figure.width, figure.width, fitted.n
    if between == 0 and width is None:
        return None
    plain = Spread(between, freedom_of(fitted)(n), known=False)
    if rule.kind not in AGAINST_BASELINE and width is not None:
        low, high = _bounds(figure)
        most = rule.margin - low if rule.kind == "at_least" else high - rule.margin

    def under(loss: float) -> Spread:
        if isinstance(fitted.fit, Score):
            rate = rule.margin - loss if rule.kind == "at_least" else rule.margin + loss
            worst = max(rate * (1 - rate), rule.margin * (1 - rule.margin), 0.0)
            return Spread(math.sqrt(worst), math.inf)
        if width is not None and (figure.q is not None or between == 0):
            found = two_sided_spread((figure.q or 0.0) / width**2, loss / width)
            return Spread(found.between * width, max(LEAST_FREEDOM, found.freedom * n))
        return plain

    return smallest_alarm(
        under,
        n,
        power=power,
        level=level,
        adjusted=1 - (tail / 2 if rule.kind == "within" else tail),
        margin=rule.margin if rule.kind in POWERED else 0.0,
        most=most,
    )


def _bounds(figure: Figure) -> Ends:
    assert figure.subject.metric is not None
    low, high = figure.subject.metric.definition.bounds
    assert low is not None
    assert high is not None
    return low, high


def needed_units(
    row: GateRow, figure: Figure, fitted: Fitted, power: float | None, level: float
) -> int | None:
    """About how many units would decide: those that give it its power, or clear the limit it is near."""
    rule, between = figure.subject.rule, spread_of(figure, fitted)
    if power is not None and between is not None and fitted.fit is not None:
        if between > 0:
            return units_for_margin(
                rule.margin,
                between,
                power=power,
                level=level,
                both_sides=rule.kind == "within",
                freedom=freedom_of(fitted),
            )
        half = max(abs(end - (row.value or 0.0)) for end in clipped(fitted.fit.ends(level), figure))
        return (
            math.floor(fitted.n * half / rule.margin) + 1
        )  # a bound on what was never seen shrinks with 1 / n
    if row.value is None:
        return None
    flip = turned(figure)
    value = 0.0 - row.value if flip else row.value
    held = RULES[rule.kind].threshold(value, rule.margin)
    if rule.kind in POWERED and not RULES[rule.kind].passes(value, value, rule.margin):
        held = 0.0  # it lies beyond the margin: what stops the gate is a loss that is shown
    return units_to_decide(as_estimate(row), 0.0 - held if flip else held)
