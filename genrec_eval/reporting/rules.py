"""What a rule asks for, in words and on the scale of its figure; how a ruling looks."""

from __future__ import annotations

from genrec_eval.core.numbers import bound
from genrec_eval.protocol.results import Direction, Ruling
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
