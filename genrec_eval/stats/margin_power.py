"""What so many units can tell about a paired difference and its margin: power, losses noticed, units needed.

All take the spread between units as known from the sample at hand, and its estimate in another sample as
scattered like a chi: the noncentral t distribution, by quadrature over the scale. A loss is a true difference
of ``-loss``; n units, standard error ``spread / sqrt(n)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import ndtr, ndtri, stdtrit

from genrec_eval.stats.power import _scales

MOST_UNITS = 10**9
"""Beyond, no number of units is worth naming."""


def non_inferiority_power(margin: float, spread: float, n: int, *, level: float = 0.95) -> float:
    """Probability that the interval of the difference lies above ``-margin`` if there is none in truth.

    P(difference - t · error >= -margin), with t the quantile of the two-sided interval at ``level``.

    >>> round(non_inferiority_power(0.5, 1.0, 34), 3), non_inferiority_power(0.1, 0.0, 10)
    (0.808, 1.0)
    """
    error = _error(spread, n)
    if error == 0:
        return 1.0
    scales, shares = _scales(n - 1)
    return float(shares @ ndtr(margin / error - _quantile(n - 1, level) * scales))


def equivalence_power(margin: float, spread: float, n: int, *, level: float = 0.95) -> float:
    """Probability that the interval lies within ``margin`` on both sides if there is no difference.

    >>> round(equivalence_power(0.5, 1.0, 34), 3), round(equivalence_power(0.5, 1.0, 44), 3)
    (0.616, 0.8)
    """
    error = _error(spread, n)
    if error == 0:
        return 1.0
    scales, shares = _scales(n - 1)
    room = (margin / error - _quantile(n - 1, level) * scales).clip(min=0.0)
    return float(shares @ (2 * ndtr(room) - 1))


def units_for_margin(
    margin: float, spread: float, *, power: float = 0.8, level: float = 0.95, both_sides: bool = False
) -> int | None:
    """Fewest units with which :func:`non_inferiority_power`, or that of equivalence, is at least ``power``.

    None where that is more than :data:`MOST_UNITS`.

    >>> units_for_margin(0.5, 1.0), units_for_margin(0.5, 1.0, both_sides=True)
    (34, 44)
    """
    found = equivalence_power if both_sides else non_inferiority_power
    return fewest(lambda n: found(margin, spread, n, level=level) >= power)


def fewest(enough: Callable[[int], bool]) -> int | None:
    """The least n of at least 2 that is ``enough``, of a condition that stays true from there on."""
    high = 2
    while not enough(high):
        high *= 2
        if high > MOST_UNITS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def alarm_power(
    loss: float, spread: float, n: int, *, level: float, adjusted: float, margin: float = 0.0
) -> float:
    """Probability that a loss is shown and the margin is not shown to be kept.

    P(difference < min(-t' · error, -margin + t · error)), with t of the two-sided interval at ``level`` and
    t' of the one at the level ``adjusted`` for many tests. With a margin of 0 only the first counts.

    >>> round(alarm_power(0.5, 1.0, 34, level=0.95, adjusted=0.95), 3)
    0.808
    >>> round(alarm_power(0.5, 1.0, 34, level=0.95, adjusted=0.95, margin=1.0), 3)
    0.192
    """
    error = _error(spread, n)
    limit, narrow = _quantile(n - 1, adjusted), _quantile(n - 1, level)
    if error == 0:
        return float(loss > 0 and loss >= margin)
    scales, shares = _scales(n - 1)
    held = (-limit * scales).clip(max=-margin / error + narrow * scales)
    return float(shares @ ndtr(held + loss / error))


def smallest_alarm(
    spread: Callable[[float], float],
    n: int,
    *,
    power: float = 0.8,
    level: float = 0.95,
    adjusted: float = 0.95,
    margin: float = 0.0,
    most: float | None = None,
) -> float | None:
    """The smallest true loss for which :func:`alarm_power` is at least ``power``.

    Parameters
    ----------
    spread
        Loss → standard deviation between units under it; a constant function where they only shift.
    most
        Greatest loss that is possible; None for no bound.

    Returns
    -------
    float or None
        None where not even ``most`` would be noticed.

    >>> round(smallest_alarm(lambda loss: 1.0, 34), 3)
    0.495
    """

    def found(loss: float) -> float:
        return alarm_power(loss, spread(loss), n, level=level, adjusted=adjusted, margin=margin)

    high = most
    if high is None:
        start = _error(spread(0.0), n)
        high = max(margin, start, 1e-300)
        for _ in range(2_000):
            if found(high) >= power:
                break
            high *= 2
        else:
            return None
    elif found(high) < power:
        return None
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return high


def _error(spread: float, n: int) -> float:
    if n < 2 or not (spread >= 0 and math.isfinite(spread)):
        raise ValueError("power is of at least two units with a finite spread")
    return spread / math.sqrt(n)


def _quantile(freedom: float, level: float) -> float:
    return float(ndtri((1 + level) / 2) if freedom > 1e6 else stdtrit(freedom, (1 + level) / 2))
