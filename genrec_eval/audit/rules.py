"""What claims mean: how an interval decides each rule, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from genrec_eval.core.numbers import bound, figure
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
        What follows the number in a sentence; for INSUFFICIENT, what is left open.
    """

    name: RuleName
    directed: bool = False
    passes: Callable[[float, float, float], bool]
    fails: Callable[[float, float, float], bool]
    threshold: Callable[[float, float], float]
    words: Mapping[Ruling, str]

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
                Ruling.PASS: "at least the required {margin}",
                Ruling.FAIL: "below the required {margin}",
                Ruling.INSUFFICIENT: "at least {margin}",
            },
        ),
        Rule(
            name="at_most",
            passes=lambda low, high, m: high <= m,
            fails=lambda low, high, m: low > m,
            threshold=lambda value, m: m,
            words={
                Ruling.PASS: "at most the allowed {margin}",
                Ruling.FAIL: "above the allowed {margin}",
                Ruling.INSUFFICIENT: "at most {margin}",
            },
        ),
        Rule(
            name="better_by",
            directed=True,
            passes=lambda low, high, m: low > m,
            fails=lambda low, high, m: high <= m,
            threshold=lambda value, m: m,
            words={
                Ruling.PASS: "better by more than {margin}",
                Ruling.FAIL: "not better by more than {margin}",
                Ruling.INSUFFICIENT: "better by more than {margin}",
            },
        ),
        Rule(
            name="not_worse_by",
            directed=True,
            passes=lambda low, high, m: low >= -m,
            fails=lambda low, high, m: high < -m,
            threshold=lambda value, m: -m,
            words={
                Ruling.PASS: "not worse by more than the allowed {margin}",
                Ruling.FAIL: "worse by more than the allowed {margin}",
                Ruling.INSUFFICIENT: "worse by no more than {margin}",
            },
        ),
        Rule(
            name="within",
            passes=lambda low, high, m: low >= -m and high <= m,
            fails=lambda low, high, m: low > m or high < -m,
            threshold=lambda value, m: m if value > 0 else -m,
            words={
                Ruling.PASS: "inside the allowed difference of {margin}",
                Ruling.FAIL: "outside the allowed difference of {margin}",
                Ruling.INSUFFICIENT: "within {margin} of it",
            },
        ),
    )
}
"""Rule name → rule."""


def reason(rule: Rule, ruling: Ruling, margin: float, estimate: Estimate, unit: str = "") -> str:
    """What an interval says about a claim, with the digits of the report.

    Parameters
    ----------
    unit
        Of the metric; ``"share"`` is written in percent, and differences of shares in percentage points.

    >>> found = Estimate(
    ...     model="knn", scenario="top-k", metric="ndcg@10", definition="", baseline="popularity",
    ...     value=0.0812, low=0.0713, high=0.0921, interval="t", n=200, attempted=200, answered=200,
    ...     scored=200, direction="higher",
    ... )
    >>> reason(RULES["better_by"], Ruling.PASS, 0.05, found)
    "knn's ndcg@10 differs from popularity's by 0.081 (0.071 to 0.092), better by more than 0.05"
    """
    paired = estimate.baseline is not None
    if rule.name == "better_by" and margin == 0:
        words = {Ruling.PASS: "so it is better", Ruling.FAIL: "so it is not better"}.get(ruling, "better")
    else:
        words = rule.words[ruling].format(margin=amount(margin, unit, paired))
    link = ", which leaves open whether it is " if ruling is Ruling.INSUFFICIENT else ", "
    return f"{told(estimate, unit, margin)}{link}{words}"


def told(estimate: Estimate, unit: str = "", margin: float | None = None) -> str:
    """What is known of a figure, without a claim about it; no limit is rounded onto the margin."""
    shown = _measured if estimate.baseline is None else _difference
    return shown(about(estimate), estimate, unit, () if margin is None else (margin, -margin))


def about(estimate: Estimate) -> str:
    """``"popularity's ndcg@10 for gender=F"``."""
    where = "" if estimate.slice == "all" else f" for {estimate.slice}"
    return f"{estimate.model}'s {estimate.metric}{where}"


def _measured(what: str, estimate: Estimate, unit: str, apart: Sequence[float]) -> str:
    shown = figure(estimate.value, estimate.low, estimate.high, unit=unit, apart=apart)
    return f"{what} is {shown.value}{_after(unit, False)} ({shown.range})"


def _difference(what: str, estimate: Estimate, unit: str, apart: Sequence[float]) -> str:
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    value, low, high = estimate.value, estimate.low, estimate.high
    shown = figure(value, low, high, unit=unit, apart=apart)
    if value == 0 and low == high:
        return f"{what} equals {estimate.baseline}'s for every unit"
    if value == 0:
        return f"{what} equals {estimate.baseline}'s (difference {shown.range}{_after(unit, True)})"
    return f"{what} differs from {estimate.baseline}'s by {shown.value}{_after(unit, True)} ({shown.range})"


def _after(unit: str, paired: bool) -> str:
    if unit == "share":
        return " percentage points" if paired else " %"
    return f" {unit}" if unit else ""


def amount(margin: float, unit: str, paired: bool) -> str:
    """A margin in the unit of the figure that is held against it."""
    if unit == "share":
        points = bound(margin * 100)
        return f"{points} %" if not paired else f"{points} percentage point{'' if points == '1' else 's'}"
    return f"{bound(margin)}{_after(unit, paired)}"
