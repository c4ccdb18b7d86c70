"""A difference as a dot with its whisker: no difference upright in the middle, the margin as a band."""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup

from genrec_eval.audit.comparing.types import Difference
from genrec_eval.reporting.svg import HUES, Scale, hue


def scales(rows: Iterable[Difference]) -> dict[str, Scale]:
    """Metric → the scale of its differences in one table, with no difference in the middle."""
    found: dict[str, list[float]] = {}
    for row in rows:
        ends = (row.value, row.low, row.high, row.margin)
        found.setdefault(row.metric, []).extend(
            abs(end) for end in ends if end is not None and math.isfinite(end)
        )
    return {metric: _around(max(ends, default=0.0)) for metric, ends in found.items()}


def _around(reach: float) -> Scale:
    """The tightest scale between two numbers of one digit that holds ``reach`` on both sides of 0.

    >>> _around(0.0312)
    Scale(low=-0.04, high=0.04, step=0.04)
    """
    if reach < 1e-9:
        return Scale(-1.0, 1.0, 1.0)
    power = 10.0 ** math.floor(math.log10(reach))
    end = next(round(power * m, 12) for m in (1, 2, 3, 4, 5, 6, 8, 10) if power * m >= reach * (1 - 1e-9))
    return Scale(-end, end, end)


def drawn(row: Difference, scale: Scale, position: int) -> Markup:
    """The drawing of a difference, which the figure beside it says in words; empty without an interval."""
    value, low, high = row.value, row.low, row.high
    if value is None or low is None or high is None or not all(map(math.isfinite, (value, low, high))):
        return Markup("")
    parts = []
    if row.margin:
        left, right = scale.at(-row.margin), scale.at(row.margin)
        parts.append(
            Markup('<rect class="band" x="{}%" width="{}%" height="100%"/>').format(
                left, round(right - left, 1)
            )
        )
    parts.append(Markup('<line class="r" x1="{0}%" x2="{0}%" y2="100%"/>').format(scale.at(0.0)))
    parts.append(Markup('<line x1="{}%" x2="{}%" y1="50%" y2="50%"/>').format(scale.at(low), scale.at(high)))
    parts.append(Markup('<use href="#n{}" x="{}%" y="50%"/>').format(position % HUES, scale.at(value)))
    return Markup('<svg class="forest {}" aria-hidden="true">{}</svg>').format(
        hue(position), Markup("").join(parts)
    )
