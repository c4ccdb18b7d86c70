"""What a sample estimates, as a function of sums over its units.

A mean is a sum over a count, a weighted mean a sum over a sum, micro RMSE the root of one, and a
comparison of two of them their difference. All are functions of column sums, so one resampler serves them
all, and leaving out one unit takes one subtraction.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.sample import Link, Sample

Float64 = npt.NDArray[np.float64]

_ROUNDING = 1e-14
"""Values that differ by this share of the greatest are means of equal numbers."""


@dataclass(frozen=True, slots=True)
class Part:
    """``sign · link(sum(values · weights) / sum(weights))``; without weights a plain mean."""

    sign: int
    values: Float64
    weights: Float64 | None
    link: Link

    def of(self, top: Float64, bottom: Float64 | float) -> Float64:
        ratio = top / bottom
        return self.sign * (np.sqrt(np.maximum(ratio, 0.0)) if self.link == "sqrt" else ratio)


@dataclass(frozen=True)
class Statistic:
    """The value of a sample over the units that carry weight.

    Attributes
    ----------
    n
        Units that are scored and carry weight, in both samples of a difference.
    """

    parts: tuple[Part, ...]
    n: int

    @classmethod
    def of(cls, sample: Sample) -> Statistic:
        """Raises ValueError when a unit that counts has a value or weight that is not a finite number."""
        used = carrying(sample)
        samples = [sample] if sample.minus is None else [sample, sample.minus]
        parts = []
        for sign, one in zip((1, -1), samples, strict=False):
            values = one.values[used]
            if not np.isfinite(values).all():
                raise ValueError("a scored unit has a value that is not a finite number")
            if one.link == "sqrt" and (values < 0).any():
                raise ValueError("a scored unit has a negative value under a square root")
            parts.append(Part(sign, values, None if one.weights is None else one.weights[used], one.link))
        return cls(tuple(parts), int(used.sum()))

    @property
    def plain(self) -> bool:
        """Whether this is the mean of one value per unit."""
        return len(self.parts) == 1 and self.parts[0].weights is None and self.parts[0].link == "identity"

    @functools.cached_property
    def value(self) -> float:
        """The value over all units, of which there is at least one."""
        means = []
        for part in self.parts:
            if (part.values == part.values[0]).all():  # a mean of equal numbers may round
                means.append(part.of(part.values[:1], 1.0)[0])
            elif part.weights is None:
                means.append(part.of(part.values.mean(), 1.0))
            else:
                means.append(part.of((part.values * part.weights).sum(), part.weights.sum()))
        return float(sum(means))

    @functools.cached_property
    def columns(self) -> Float64:
        """float64[n, c], what is summed."""
        columns = []
        for part in self.parts:
            if part.weights is None:
                columns.append(part.values)
            else:
                columns += [part.values * part.weights, part.weights]
        return np.stack(columns, axis=1)

    def at(self, sums: Float64) -> Float64:
        """float64[B], the value at sums of :attr:`columns` over n units each, float64[B, c]."""
        total, place = np.zeros(len(sums)), 0
        for part in self.parts:
            if part.weights is None:
                total += part.of(sums[:, place], self.n)
                place += 1
            else:
                total += part.of(sums[:, place], sums[:, place + 1])
                place += 2
        return total

    @functools.cached_property
    def influence(self) -> Float64:
        """float64[n], what each unit adds: n - 1 times the value lost without it, centred on 0.

        The jackknife's variance of the value is ``sum(influence**2) / (n * (n - 1))``; for a mean these are
        the deviations from it and that is the usual variance.
        """
        if self.plain:
            return self.parts[0].values - self.value
        without = np.zeros(self.n)
        for part in self.parts:
            weights = np.ones(self.n) if part.weights is None else part.weights
            heavy = int(weights.argmax())  # a unit that outweighs the rest leaves too few digits of it
            without += part.of(_left(part.values * weights, heavy), _left(weights, heavy))
        return (self.n - 1) * (without.mean() - without)

    @property
    def error(self) -> float:
        """The jackknife's standard error of the value, for at least two units."""
        return math.sqrt(float((self.influence**2).sum()) / (self.n * (self.n - 1)))

    @property
    def constant(self) -> bool:
        """Whether no unit moves the value, but for rounding."""
        if len(self.parts) == 2:
            one, other = self.parts
            if np.array_equal(one.values, other.values) and _same(one, other):
                return True
        return all(np.ptp(part.values) <= _ROUNDING * np.abs(part.values).max() for part in self.parts)

    @property
    def one_sided(self) -> bool:
        """Whether all scores lie on one side of 0, as those of one model do."""
        values = self.parts[0].values
        return len(self.parts) == 1 and bool((values >= 0).all() or (values <= 0).all())


def spread(sample: Sample) -> float | None:
    """Standard deviation between units, for the effect that can be detected; None below two units.

    The standard error of the sample's value is about ``spread / sqrt(n)``. For a ratio this is the spread
    of the jackknife's influence values.

    >>> spread(Sample(values=np.array([1.0, 2.0, 3.0]), scored=np.ones(3, bool)))
    1.0
    """
    if sample.total is not None:
        losses = sample.values[sample.scored]
        return float((len(losses) - 1) * losses.std(ddof=1)) if len(losses) > 1 else None
    statistic = Statistic.of(sample)
    if statistic.n < 2:
        return None
    influence = statistic.influence
    return float(np.sqrt((influence * influence).sum() / (statistic.n - 1)))


def carrying(sample: Sample) -> npt.NDArray[np.bool_]:
    """bool[n], units that are scored and have weight, in both samples of a difference.

    A unit of weight 0 says nothing about the value.
    """
    used = sample.scored.copy()
    for one in (sample, sample.minus):
        if one is None:
            continue
        used &= one.scored
        if one.weights is not None:
            weights = one.weights[one.scored]
            if not np.isfinite(weights).all() or (weights < 0).any():
                raise ValueError("the weight of a scored unit is a finite number of at least 0")
            used[one.scored] &= weights > 0
    return used


def _left(terms: Float64, heavy: int) -> Float64:
    """float64[n], the sum of ``terms`` without each of them."""
    left = terms.sum() - terms
    left[heavy] = np.delete(terms, heavy).sum()
    return left


def _same(one: Part, other: Part) -> bool:
    if one.weights is None or other.weights is None:
        return one.link == other.link and one.weights is other.weights
    return one.link == other.link and np.array_equal(one.weights, other.weights)
