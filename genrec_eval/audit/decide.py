"""One figure against one margin: the ruling, its reason in words, and about how many units would decide."""

from __future__ import annotations

import math

from genrec_eval.audit.families import level_words
from genrec_eval.audit.held import Held
from genrec_eval.audit.rules import Rule, about, reason, told
from genrec_eval.core.numbers import bound, count
from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.stats.enough import Growing, units_enough
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.power import share_units_needed, units_needed

NO_PREDICTION = "no-prediction"
"""Reason of units that a model answered in form only: as telling as those that it did not answer."""


def decide(
    rule: Rule,
    margin: float,
    estimate: Estimate,
    error_budget: float,
    unit: str = "",
    known: Held | None = None,
) -> tuple[Ruling, str, int | None]:
    """Ruling, its reason in words, and about how many units would decide an open one.

    Parameters
    ----------
    known
        What else is known of the figure: how it would be over more units, and what its test can show at most.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if rule.directed and estimate.direction == "none":
        said = f"{estimate.metric} has no better or worse; claim at_least, at_most or within instead"
        return Ruling.NOT_RUN, said, None
    if estimate.answered < estimate.attempted * (1 - error_budget) - 1e-9:
        return Ruling.INSUFFICIENT, _too_few(estimate, error_budget), None
    unpredicted = estimate.excluded.get(NO_PREDICTION, 0)
    if unpredicted > estimate.attempted * error_budget + 1e-9:
        share = f"{unpredicted / estimate.attempted:.0%}".replace("%", " %")
        said = (
            f"{share} of the cases got no prediction, and what is predicted alone says neither PASS nor FAIL"
        )
        return Ruling.INSUFFICIENT, said, None
    if value is None:
        said = f"{about(estimate)} has no value: {estimate.reason}"
        return Ruling.INSUFFICIENT, f"{said}{_untold('there is no value')}", None
    unshown = _beyond_its_test(estimate, known, unit, margin)
    if unshown is not None:
        return Ruling.INSUFFICIENT, *unshown
    if low is None or high is None:
        said = f"{about(estimate)} is {bound(value, unit)} without an interval: {estimate.reason}"
        return Ruling.INSUFFICIENT, f"{said}{_untold('there is no interval')}", None
    flip = rule.directed and estimate.direction == "lower"
    ruling = rule.decide(*((0.0 - high, 0.0 - low) if flip else (low, high)), margin)
    said = reason(rule, ruling, margin, estimate, unit)
    if ruling is not Ruling.INSUFFICIENT:
        return ruling, said, None
    held = rule.threshold(0.0 - value if flip else value, margin)
    held = 0.0 - held if flip else held
    # a difference that is looked at from the other side has the other sign
    turned = known is not None and known.estimate.model != estimate.model
    needed = units_to_decide(estimate, held, None if known is None or turned else known.fit)
    if needed is None:
        said += _untold(_why_untold(estimate, held))
    return ruling, said, needed


def family_words(estimate: Estimate, family: tuple[str, int] | None) -> str:
    """``" (at 99 %, for 5 claims of family gender)"``; empty outside of families, and without an interval."""
    if family is None or estimate.low is None:
        return ""
    name, size = family
    whose = f"for {count(size)} claims of family {name}" if size > 1 else f"the only claim of family {name}"
    return f" (at {level_words(estimate.level)}, {whose})"


def _beyond_its_test(
    estimate: Estimate, known: Held | None, unit: str, margin: float
) -> tuple[str, int | None] | None:
    """Why the figure's own test could show nothing whatever came out, and the units with which it could."""
    if known is None or known.resolution is None or known.resolution.reaches(1 - estimate.level):
        return None
    least, n = known.resolution, known.resolution.units
    enough = least.enough(1 - estimate.level)
    if estimate.low is None:
        seen = f"{about(estimate)} is {bound(estimate.value or 0.0, unit)}"
    else:
        seen = told(estimate, unit, margin)
    said = (
        f"{seen}, and no result of {count(n)} unit{'' if n == 1 else 's'} could be significant at"
        f" {level_words(estimate.level)}: with {least.shape} even the most extreme arrangement has"
        f" p = {least.least:.4g}"
    )
    if enough is None:
        return f"{said}{_untold('no number of units so asked would do')}", None
    return f"{said}; {count(enough)} would", enough


def _untold(why: str) -> str:
    return f"; how many units would decide cannot be told: {why}"


def _why_untold(estimate: Estimate, held: float) -> str:
    if estimate.value == held:
        return "the figure lies on the margin"
    if estimate.interval == "jackknife":
        return "a figure of the whole run changes with the units that it covers"
    return "more of the same units would not"


def _too_few(estimate: Estimate, error_budget: float) -> str:
    whom = f"both {estimate.model} and {estimate.baseline}" if estimate.baseline else estimate.model
    share, asked = estimate.answered / estimate.attempted, f"{1 - error_budget:.0%}"
    told = f"{share:.0%}" if f"{share:.0%}" != asked else f"{share:.2%}"
    said = f"only {told} of the cases were answered by {whom}, and a decision needs {asked}"
    return said.replace("%", " %")


def units_to_decide(estimate: Estimate, held: float, fit: Fit | None = None) -> int | None:
    """Units with which the interval would leave ``held`` out, if the value stays; None if none would.

    Parameters
    ----------
    fit
        What the interval was read from, where that is known: its ends are then those before they are cut to
        what is possible, and for ranges and other extremes all that they are made of is taken on.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    assert value is not None
    assert low is not None
    assert high is not None
    if estimate.interval == "jackknife" or value == held:
        return None  # what a run covers grows with its units, so its value would not stay
    if estimate.interval == "wilson":
        return share_units_needed(value, held, estimate.level)
    if estimate.interval == "constant":  # a bound on what was never seen shrinks with 1 / n
        half = value - low if value > held else high - value
        return _unseen_units(estimate, half, abs(value - held))
    if isinstance(fit, Growing):
        return units_enough(fit, held, estimate.n, estimate.level)
    if fit is not None:
        low, high = fit.ends(estimate.level)
    return units_needed(value, held, value - low if value > held else high - value, estimate.n)


def _unseen_units(estimate: Estimate, half: float, gap: float) -> int:
    """Units of which none shows anything else that bound what was never seen by ``gap`` at most."""
    never = math.log((1 - estimate.level) / 2)
    reach = half / -math.expm1(never / estimate.n)
    if gap >= reach:
        return 1
    # the limit is reach · (1 − a^(1/n)); rounding must not leave it just above the margin
    return math.ceil(never / math.log1p(-gap / reach) + 1e-9)
