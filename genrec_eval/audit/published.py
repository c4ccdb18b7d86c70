"""Claims about published figures: ours is held against them as a number, not as an interval.

To compute a published figure again from the same data is arithmetic: it holds to the digits that were
printed, whatever the sampling error of the figure is.
"""

from __future__ import annotations

import math

from genrec_eval.audit.rules import about
from genrec_eval.core.numbers import MINUS
from genrec_eval.protocol.results import Estimate, Ruling

PUBLISHED = "published"
"""Name of the rule."""

_MOST_DIGITS = 12


def decide_published(
    published: float, tolerance: float, estimate: Estimate, unit: str = ""
) -> tuple[Ruling, str]:
    """PASS where ours is as near to the published figure as the tolerance, FAIL elsewhere; and the words.

    >>> found = Estimate(
    ...     model="ann", scenario="pairs", metric="judge_kappa(with=bob)", definition="", value=0.8513,
    ...     low=0.82, high=0.88, interval="t", n=99, attempted=99, answered=99, scored=99,
    ...     direction="higher",
    ... )
    >>> decide_published(0.85, 0.005, found)[1]
    "ann's judge_kappa(with=bob) is 0.8513, published 0.85 (difference +0.0013, allowed 0.005)"
    """
    value = estimate.value
    if value is None:
        return Ruling.INSUFFICIENT, f"{about(estimate)} has no value: {estimate.reason}"
    off = value - published
    # a difference of exactly the tolerance is allowed, whatever its last bit says
    holds = abs(off) <= tolerance * (1 + 1e-9)
    factor, sign, apart = (100.0, " %", " points") if unit == "share" else (1.0, "", "")
    ours = shown(value * factor, tolerance * factor)
    said = (
        f"{about(estimate)} is {ours}{sign}, published {shown(published * factor)}{sign}"
        f" (difference {difference(off * factor)}{apart if off else ''}, allowed {shown(tolerance * factor)})"
    )
    return (Ruling.PASS if holds else Ruling.FAIL), said


def difference(off: float) -> str:
    """Ours minus the published figure, with its sign.

    >>> difference(0.0), difference(-0.00213), difference(1.04), difference(3.4e-13)
    ('0', '−0.0021', '+1.0', '+3.4e-13')
    """
    if off == 0:
        return "0"
    return f"{'+' if off > 0 else MINUS}{f'{abs(off):#.2g}'.rstrip('.')}"


def shown(value: float, tolerance: float | None = None) -> str:
    """A number with one digit more than the tolerance has; without a tolerance as it was written.

    >>> shown(66.7668, 0.005), shown(0.5)
    ('66.7668', '0.5')
    """
    if not tolerance:
        text = f"{value:.{_MOST_DIGITS}g}"
    else:
        places = min(_MOST_DIGITS, max(0, 1 - math.floor(math.log10(tolerance))))
        text = f"{value:.{places}f}"
    return text.replace("-", MINUS) if value < 0 and "e" not in text else text
