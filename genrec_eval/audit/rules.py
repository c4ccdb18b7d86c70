"""What claims mean: how an interval decides each rule, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from genrec_eval.protocol.results import Estimate, Ruling

RuleName = Literal["at_least", "at_most", "better_by", "not_worse_by", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A way to hold an interval against a margin.

    The interval lies wholly on the claimed side: PASS; wholly on the other side: FAIL; else open.

    Attributes
    ----------
    directed
        Whether it speaks of better and worse; such a rule sees a difference whose greater values are
        better.
    passes, fails
        ``(low, high, margin) -> bool``.
    threshold
        ``(value, margin)`` → the number that the interval has to clear.
    words
        What follows the number in a sentence.
    question
        What an open claim leaves open.
    """

    name: RuleName
    directed: bool = False
    passes: Callable[[float, float, float], bool]
    fails: Callable[[float, float, float], bool]
    threshold: Callable[[float, float], float]
    words: Mapping[Ruling, str]
    question: str

    def decide(self, low: float, high: float, margin: float) -> Ruling:
        """Rule on an interval.

        >>> RULES["better_by"].decide(0.0, 0.2, 0.0), RULES["not_worse_by"].decide(-0.01, 0.2, 0.02)
        (<Ruling.INSUFFICIENT: 'INSUFFICIENT'>, <Ruling.PASS: 'PASS'>)
        """
        if self.passes(low, high, margin):
            return Ruling.PASS
        return Ruling.FAIL if self.fails(low, high, margin) else Ruling.INSUFFICIENT


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="at_least",
            passes=lambda low, high, m: low >= m,
            fails=lambda low, high, m: high < m,
            threshold=lambda value, m: m,
            words={
                Ruling.PASS: "at least the required {margin:.3g}",
                Ruling.FAIL: "below the required {margin:.3g}",
            },
            question="at least {margin:.3g}",
        ),
        Rule(
            name="at_most",
            passes=lambda low, high, m: high <= m,
            fails=lambda low, high, m: low > m,
            threshold=lambda value, m: m,
            words={
                Ruling.PASS: "at most the allowed {margin:.3g}",
                Ruling.FAIL: "above the allowed {margin:.3g}",
            },
            question="at most {margin:.3g}",
        ),
        Rule(
            name="better_by",
            directed=True,
            passes=lambda low, high, m: low > m,
            fails=lambda low, high, m: high <= m,
            threshold=lambda value, m: m,
            words={
                Ruling.PASS: "more than the required {margin:.3g}",
                Ruling.FAIL: "and not better by more than the required {margin:.3g}",
            },
            question="better by more than {margin:.3g}",
        ),
        Rule(
            name="not_worse_by",
            directed=True,
            passes=lambda low, high, m: low >= -m,
            fails=lambda low, high, m: high < -m,
            threshold=lambda value, m: -m,
            words={
                Ruling.PASS: "not worse by more than the allowed {margin:.3g}",
                Ruling.FAIL: "worse by more than the allowed {margin:.3g}",
            },
            question="worse by no more than {margin:.3g}",
        ),
        Rule(
            name="within",
            passes=lambda low, high, m: low >= -m and high <= m,
            fails=lambda low, high, m: low > m or high < -m,
            threshold=lambda value, m: m if value > 0 else -m,
            words={
                Ruling.PASS: "inside the allowed difference of {margin:.3g}",
                Ruling.FAIL: "outside the allowed difference of {margin:.3g}",
            },
            question="within {margin:.3g} of it",
        ),
    )
}
"""Rule name → rule."""


def measured(about: str, estimate: Estimate) -> str:
    """``"popularity's ndcg@10 is 0.12 (0.11 to 0.13)"``."""
    return f"{about} is {estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"


def difference(about: str, estimate: Estimate) -> str:
    """``"item-knn's ndcg@10 is 0.081 higher than popularity's (0.071 to 0.092)"``."""
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    value, low, high = estimate.value, estimate.low, estimate.high
    if value == 0:
        return f"{about} equals {estimate.baseline}'s (difference {low:.3g} to {high:.3g})"
    if value > 0:
        return f"{about} is {value:.3g} higher than {estimate.baseline}'s ({low:.3g} to {high:.3g})"
    return f"{about} is {-value:.3g} lower than {estimate.baseline}'s ({0.0 - high:.3g} to {0.0 - low:.3g})"
