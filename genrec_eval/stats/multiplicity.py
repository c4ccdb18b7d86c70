"""Many tests at once: adjusted p-values, in the order in which the tests were given.

An adjusted p-value is held against the same threshold as a single one: reject where it is at most alpha.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def holm(p: Sequence[float] | Float64) -> Float64:
    """Adjusted p-values that bound the chance of even one false rejection (Holm 1979).

    Valid whatever the dependence between the tests.

    Parameters
    ----------
    p
        float64[m], p-values in [0, 1].

    Returns
    -------
    float64[m]
        In the order of ``p``.

    >>> holm([0.01, 0.04, 0.03, 0.005])
    array([0.03, 0.06, 0.06, 0.02])
    """
    values, order = _ordered(p)
    m = len(values)
    raised = np.maximum.accumulate(values[order] * np.arange(m, 0, -1))
    return _back(np.minimum(raised, 1.0), order)


def benjamini_hochberg(p: Sequence[float] | Float64) -> Float64:
    """Adjusted p-values that bound the expected share of false rejections (Benjamini & Hochberg 1995).

    Valid for independent tests and for positively dependent ones (Benjamini & Yekutieli 2001).

    Parameters
    ----------
    p
        float64[m], p-values in [0, 1].

    Returns
    -------
    float64[m]
        In the order of ``p``.

    >>> benjamini_hochberg([0.5, 0.01, 0.03])
    array([0.5  , 0.03 , 0.045])
    """
    values, order = _ordered(p)
    m = len(values)
    scaled = values[order] * (m / np.arange(1, m + 1))  # the factor first: the greatest stays what it is
    raised = np.minimum.accumulate(scaled[::-1])[::-1]
    return _back(np.minimum(raised, 1.0), order)


def simultaneous_level(level: float, m: int) -> float:
    """Level of each of m intervals that all hold together with confidence ``level`` (Bonferroni).

    >>> round(simultaneous_level(0.95, 5), 6), simultaneous_level(0.95, 1)
    (0.99, 0.95)
    """
    return level if m <= 1 else 1 - (1 - level) / m


def _ordered(p: Sequence[float] | Float64) -> tuple[Float64, npt.NDArray[np.intp]]:
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values are numbers between 0 and 1 in one row; leave out tests without one")
    return values, np.argsort(values, kind="stable")


def _back(ordered: Float64, order: npt.NDArray[np.intp]) -> Float64:
    """From ascending order to the order of the tests: ``order`` holds places, not ranks."""
    adjusted = np.empty_like(ordered)
    adjusted[order] = ordered
    return adjusted
