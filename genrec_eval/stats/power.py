"""How many units would decide an open question."""

from __future__ import annotations

import math

from scipy.special import ndtri


def units_needed(value: float, margin: float, half_width: float, n: int) -> int | None:
    """About how many units it takes for the interval to exclude ``margin``.

    Assumes that the value stays and that the half-width shrinks with the square root of the units.

    Parameters
    ----------
    value, margin
        The estimate and what it is held against.
    half_width
        Distance of the estimate from the end of its interval that faces the margin, at ``n`` units.

    Returns
    -------
    int or None
        None when the estimate sits on the margin: no number of units would do.

    >>> units_needed(0.30, 0.25, 0.10, 200)
    801
    """
    distance = abs(value - margin)
    if distance == 0:
        return None
    needed = n * (half_width / distance) ** 2
    return math.floor(round(needed, 6)) + 1 if math.isfinite(needed) else None


def share_units_needed(share: float, margin: float, level: float) -> int | None:
    """About how many units it takes for a Wilson interval around ``share`` to exclude ``margin``.

    The interval holds the margins that a score test does not reject, so this needs no half-width; near 0 and
    1 the interval shrinks faster than the square root of the units.

    >>> share_units_needed(0.0, 0.01, 0.95), share_units_needed(0.30, 0.25, 0.95)
    (381, 289)
    """
    distance = share - margin
    if distance == 0 or not 0 < margin < 1:
        return None
    z = float(ndtri((1 + level) / 2))
    return math.floor(round(z * z * margin * (1 - margin) / (distance * distance), 6)) + 1
