"""How many units would decide an open question, and what a number of units can decide."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, ndtr, ndtri, stdtrit

Float64 = npt.NDArray[np.float64]


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


def smallest_detectable_effect(spread: float, n: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """The effect that a two-sided t-test over ``n`` units finds with probability ``power``.

    Parameters
    ----------
    spread
        Standard deviation between units: of the differences when models are compared unit by unit, of
        :func:`~genrec_eval.stats.statistic.spread` for a ratio such as GAUC.
    n
        Units, at least 2.

    Returns
    -------
    float
        In the unit of ``spread``, by the noncentral t distribution.

    >>> round(smallest_detectable_effect(1.0, 34), 3), smallest_detectable_effect(0.0, 34)
    (0.495, 0.0)
    """
    return _detectable(spread / math.sqrt(n), n - 1, level, power)


def units_for_effect(effect: float, spread: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """Units that a two-sided paired t-test needs to find ``effect`` with probability ``power``.

    >>> units_for_effect(0.5, 1.0), units_for_effect(0.02, 0.15)
    (34, 444)
    """
    return _fewest(lambda n: smallest_detectable_effect(spread, n, level=level, power=power), effect, spread)


def two_sample_detectable_effect(
    spreads: tuple[float, float], units: tuple[int, int], *, level: float = 0.95, power: float = 0.8
) -> float:
    """The difference of two independent means that Welch's t-test finds with probability ``power``.

    Parameters
    ----------
    spreads, units
        Standard deviation and number of units (at least 2) of either sample.

    >>> round(two_sample_detectable_effect((1.0, 1.0), (64, 64)), 3)
    0.499
    """
    shares = [spread * spread / n for spread, n in zip(spreads, units, strict=True)]
    variance = sum(shares)
    if variance == 0:
        return 0.0
    return _detectable(math.sqrt(variance), welch_freedom(shares, [n - 1 for n in units]), level, power)


def two_sample_units(
    effect: float,
    spreads: tuple[float, float],
    *,
    ratio: float = 1.0,
    level: float = 0.95,
    power: float = 0.8,
) -> tuple[int, int]:
    """Units of either sample for :func:`two_sample_detectable_effect` to reach ``effect``.

    Parameters
    ----------
    ratio
        Units of the second sample for each of the first.

    >>> two_sample_units(0.5, (1.0, 1.0))
    (64, 64)
    """

    def units(n: int) -> tuple[int, int]:
        return n, max(2, math.ceil(round(n * ratio, 9)))

    def detectable(n: int) -> float:
        return two_sample_detectable_effect(spreads, units(n), level=level, power=power)

    return units(_fewest(detectable, effect, max(spreads)))


def welch_freedom(shares: Sequence[float], freedoms: Sequence[float]) -> float:
    """Degrees of freedom of a sum of variances ``shares`` (Welch 1938, Satterthwaite 1946)."""
    parts = sum(share * share / freedom for share, freedom in zip(shares, freedoms, strict=True) if share)
    return sum(shares) ** 2 / parts if parts else math.inf


def _detectable(error: float, freedom: float, level: float, power: float) -> float:
    """Noncentrality at which |t| exceeds its critical value with probability ``power``, in errors."""
    if not 0 < level < 1 or not 1 - level < power < 1:
        raise ValueError("level and power lie between 0 and 1, and power above 1 - level")
    if freedom < 1 or not error >= 0:
        raise ValueError("an effect can be detected over at least two units with a finite spread")
    limit = float(ndtri((1 + level) / 2) if math.isinf(freedom) else stdtrit(freedom, (1 + level) / 2))
    scales, shares = _scales(freedom)
    low, high = 0.0, 40 * limit + 40
    for _ in range(60):
        middle = (low + high) / 2
        # the far tail counts too: without it the power at an effect of 0 would be half of 1 - level
        found = shares @ (ndtr(middle - limit * scales) + ndtr(-middle - limit * scales))
        low, high = (middle, high) if found < power else (low, middle)
    return high * error


@functools.lru_cache(64)
def _scales(freedom: float) -> tuple[Float64, Float64]:
    """Values of sqrt(chi² / freedom) and their shares: a noncentral t is a normal over one of them."""
    if freedom > 1e6:
        return np.ones(1), np.ones(1)
    places, weights = _nodes()
    return np.sqrt(chdtri(freedom, (1 - places) / 2) / freedom), weights / 2


@functools.cache
def _nodes() -> tuple[Float64, Float64]:
    """Gauss-Legendre on [-1, 1]: finding the nodes takes far longer than using them."""
    places, weights = np.polynomial.legendre.leggauss(64)
    return places, weights


def _fewest(detectable: Callable[[int], float], effect: float, spread: float) -> int:
    """The least n of at least 2 whose detectable effect is at most ``effect``."""
    if not effect > 0 or not spread >= 0 or not math.isfinite(spread / effect):
        raise ValueError("an effect to detect is greater than 0, and the spread a finite number")
    high = 2
    while detectable(high) > effect:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if detectable(middle) <= effect:
            high = middle
        else:
            low = middle
    return high
