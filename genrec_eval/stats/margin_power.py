"""What so many units can tell about a paired difference and its margin: power, losses noticed, units needed.

All take the spread between units as known from the sample at hand, and its estimate in another sample as
scattered like a chi with so many degrees of freedom: the noncentral t distribution, by quadrature over the
scale. Normal scores have n - 1 of them; skewed ones, whose spread is known less well, have fewer, as their
interval does (:func:`genrec_eval.stats.bootstrap.shape`). A loss is a true difference of ``-loss``; n units,
standard error ``spread / sqrt(n)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from genrec_eval.stats.power import _scales

MOST_UNITS = 10**9
"""Beyond, no number of units is worth naming."""

Freedom = Callable[[int], float]
"""Units → degrees of freedom of the standard error."""


def student(n: int) -> float:
    """Degrees of freedom of the spread of n normal scores."""
    return n - 1


def non_inferiority_power(
    margin: float, spread: float, n: int, *, level: float = 0.95, freedom: Freedom = student
) -> float:
    """Probability that the interval of the difference lies above ``-margin`` if there is none in truth.

    P(difference - t · error >= -margin), with t the quantile of the two-sided interval at ``level``.

    >>> round(non_inferiority_power(0.5, 1.0, 34), 3), non_inferiority_power(0.1, 0.0, 10)
    (0.808, 1.0)
    """
    error = _error(spread, n)
    if error == 0:
        return 1.0
    scales, shares = _scales(freedom(n))
    return float(shares @ ndtr(margin / error - _quantile(freedom(n), level) * scales))


def equivalence_power(
    margin: float, spread: float, n: int, *, level: float = 0.95, freedom: Freedom = student
) -> float:
    """Probability that the interval lies within ``margin`` on both sides if there is no difference.

    >>> round(equivalence_power(0.5, 1.0, 34), 3), round(equivalence_power(0.5, 1.0, 44), 3)
    (0.616, 0.8)
    """
    error = _error(spread, n)
    if error == 0:
        return 1.0
    scales, shares = _scales(freedom(n))
    room = (margin / error - _quantile(freedom(n), level) * scales).clip(min=0.0)
    return float(shares @ (2 * ndtr(room) - 1))


def units_for_margin(
    margin: float,
    spread: float,
    *,
    power: float = 0.8,
    level: float = 0.95,
    both_sides: bool = False,
    freedom: Freedom = student,
) -> int | None:
    """Fewest units with which :func:`non_inferiority_power`, or that of equivalence, is at least ``power``.

    None where that is more than :data:`MOST_UNITS`.

    >>> units_for_margin(0.5, 1.0), units_for_margin(0.5, 1.0, both_sides=True)
    (34, 44)
    """
    found = equivalence_power if both_sides else non_inferiority_power
    return fewest(lambda n: found(margin, spread, n, level=level, freedom=freedom) >= power)


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
    loss: float,
    spread: float,
    n: int,
    *,
    level: float,
    adjusted: float,
    margin: float = 0.0,
    freedom: Freedom = student,
    known: bool = True,
) -> float:
    """Probability that a loss is shown and the margin is not shown to be kept.

    P(difference < min(-t' · error, -margin + t · error)), with t of the two-sided interval at ``level`` and
    t' of the one at the level ``adjusted`` for many tests. With a margin of 0 only the first counts.

    Parameters
    ----------
    known
        Whether ``spread`` is the true one; else it is an estimate from n units, and the probability is the
        mean over what the true one may be (assurance: O'Hagan et al. 2005).

    >>> round(alarm_power(0.5, 1.0, 34, level=0.95, adjusted=0.95), 3)
    0.808
    >>> round(alarm_power(0.5, 1.0, 34, level=0.95, adjusted=0.95, margin=1.0), 3)
    0.192
    >>> round(alarm_power(0.5, 1.0, 34, level=0.95, adjusted=0.95, known=False), 3)
    0.789
    """
    error = _error(spread, n)
    if error == 0:
        return float(loss > 0 and loss >= margin)
    limit, narrow = _quantile(freedom(n), adjusted), _quantile(freedom(n), level)
    scales, shares = _scales(freedom(n))
    true, weights = (np.ones(1), np.ones(1)) if known else _scales(freedom(n))
    errors = (error / true)[:, None]
    held = np.minimum(-limit * scales, -margin / errors + narrow * scales)
    return float(weights @ ndtr(held + loss / errors) @ shares)


class Spread(NamedTuple):
    """How units differ: standard deviation, degrees of freedom, and whether that is known or estimated."""

    between: float
    freedom: float
    known: bool = True


def two_sided_spread(apart: float, loss: float) -> Spread:
    """How differences of -1, 0 and 1 differ: a share ``apart`` is not 0, half each way, and ``loss`` is -1.

    The degrees of freedom are those of one unit: n units have n times as many.

    >>> found = two_sided_spread(0.1, 0.05)
    >>> round(found.between**2, 4), round(found.freedom, 3)
    (0.1475, 0.361)
    """
    worse, better = apart / 2 + loss, apart / 2
    square = apart + loss - loss * loss
    if square < 1e-100:  # nothing differs
        return Spread(0.0, 1.0)
    fourth = worse * (1 - loss) ** 4 + better * (1 + loss) ** 4 + (1 - worse - better) * loss**4
    # 2 n / (kurtosis - 1), as the interval of so many units has it
    return Spread(math.sqrt(square), 2 / max(fourth / (square * square) - 1, 2.0))


def smallest_alarm(
    under: Callable[[float], Spread],
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
    under
        Loss → how units differ under it; a constant function where they only shift.
    most
        Greatest loss that is possible; None for no bound.

    Returns
    -------
    float or None
        None where not even ``most`` would be noticed.

    >>> round(smallest_alarm(lambda loss: Spread(1.0, 33), 34), 3)
    0.495
    """

    def found(loss: float) -> float:
        between, freedom, known = under(loss)
        about = {"level": level, "adjusted": adjusted, "margin": margin}
        return alarm_power(loss, between, n, **about, freedom=lambda _: freedom, known=known)

    high = most
    if high is None:
        high = max(margin, _error(under(0.0).between, n), 1e-300)
        for _ in range(2_000):
            if found(high) >= power:
                break
            high *= 2
        else:
            return None
    elif not high > 0 or found(high) < power:
        return None
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return high


def _error(spread: float, n: int) -> float:
    if n < 2 or not (spread >= 0 and math.isfinite(spread)):
        raise ValueError("power is of at least two units with a finite spread")
    return spread / math.sqrt(n)


def _quantile(freedom: float, level: float) -> float:
    return float(ndtri((1 + level) / 2) if freedom > 1e6 else stdtrit(freedom, (1 + level) / 2))
