"""What a judge's figure becomes once human labels have corrected it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A mean or rate that rests on human labels and a judge.

    Attributes
    ----------
    value
        None when there is no telling; ``reason`` then says why.
    raw
        The estimate before it was cut to its bounds; None where ``value`` is.
    low, high
        The interval. Both None when there is none (``reason`` says why); one of them when it is one-sided,
        with ``alternative`` ``"greater"`` (no upper end) or ``"less"`` (no lower end).
    method
        ``"ppi++"``, ``"labels"`` (the judge was of no use, so that the labels stand alone) or
        ``"rogan-gladen"``.
    p
        P-value against the hypothesis that was named, in the direction of ``alternative``; None where none
        was.
    trust
        λ of PPI++, 0 (labels alone) to 1; None for other methods.
    labelled, judged
        Units with a human label (and a judgement), and units with a judgement alone.
    judge
        What the judge says by itself of the units without a label, uncorrected; None without such units.
    """

    value: float | None
    raw: float | None = None
    low: float | None = None
    high: float | None = None
    level: float
    alternative: Alternative = "two-sided"
    method: str | None = None
    p: float | None = None
    trust: float | None = None
    labelled: int
    judged: int
    judge: float | None = None
    reason: str | None = None
