"""What a rule asks for, in words and on the scale of its figure; how a ruling looks."""

from __future__ import annotations

from collections.abc import Iterable

from genrec_eval.core.numbers import bound
from genrec_eval.protocol.results import Direction, Estimate, Ruling, Verdict
from genrec_eval.suite.rule import PAIRED

SHAPES = {
    Ruling.PASS: ("v-pass", "pass"),
    Ruling.FAIL: ("v-fail", "fail"),
    Ruling.INSUFFICIENT: ("v-open", "open"),
    Ruling.NOT_RUN: ("v-none", "none"),
}
"""Ruling → shape and class of its hue."""


def asked(rule: str, margin: float, unit: str, against: str | None) -> str:
    """What a rule asks for.

    >>> asked("at_most", 0.01, "share", None), asked("not_worse_by", 0.02, "", "the baseline")
    ('at most 1 %', 'not worse than the baseline by more than 0.02')
    """
    size = bound(margin, unit, rule in PAIRED)
    against = against or "the baseline"
    return {
        "at_least": f"at least {size}",
        "at_most": f"at most {size}",
        "better_by": f"better than {against}" + (f" by more than {size}" if margin else ""),
        "not_worse_by": f"not worse than {against} by more than {size}",
        "within": f"within ±{size} of {against}",
        "published": f"as published, {size}",
    }.get(rule, f"{rule} {size}")


def lines_at(rule: str, margin: float, direction: Direction | str) -> tuple[float, ...]:
    """Where the margin lies on the scale of the figure, for a comparison model minus baseline.

    >>> lines_at("not_worse_by", 0.02, "higher"), lines_at("within", 0.02, "none")
    ((-0.02,), (-0.02, 0.02))
    """
    turn = -1 if direction == "lower" else 1
    return {
        "better_by": (turn * margin,),
        "not_worse_by": (-turn * margin,),
        "within": (-margin, margin),
    }.get(rule, (margin,))


def margins_on(difference: Estimate, rows: Iterable[Verdict], direction: Direction | str) -> list[float]:
    """Margins that bind a difference, on its scale: those of claims on these two models and this slice.

    A claim is on its model minus its baseline; where the difference is stored the other way round, the
    margin lies on the other side of 0.
    """
    found: list[float] = []
    for row in rows:
        where = (row.scenario, row.metric, row.slice)
        if row.rule not in PAIRED or where != (difference.scenario, difference.metric, difference.slice):
            continue
        if (row.model, row.baseline) == (difference.model, difference.baseline):
            found += lines_at(row.rule, row.margin, direction)
        elif (row.baseline, row.model) == (difference.model, difference.baseline):
            found += (-at for at in lines_at(row.rule, row.margin, direction))
    return list(dict.fromkeys(found))
