"""What a sample estimates, as a function of sums over its units.

A mean is a sum over a count, a weighted mean a sum over a sum, micro RMSE the root of one, and a
comparison of two of them their difference; what a metric sums itself (corpus BLEU) is a function of its
own. All are functions of column sums, so one resampler serves them all, and leaving out one unit takes one
subtraction. What is no function of sums is fitted anew to the same resamples.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.pooled import PooledPart
from genrec_eval.stats.sample import Link, Sample

Float64 = npt.NDArray[np.float64]

_ROUNDING = 1e-14
"""Values that differ by this share of the greatest are means of equal numbers."""


@dataclass(frozen=True)
class Part:
    """``sign · link(sum(values · weights) / sum(weights))``; without weights a plain mean."""

    sign: int
    values: Float64
    weights: Float64 | None
    link: Link

    def of(self, top: Float64, bottom: Float64 | float) -> Float64:
        ratio = top / bottom
        return self.sign * (np.sqrt(np.maximum(ratio, 0.0)) if self.link == "sqrt" else ratio)

    @functools.cached_property
    def value(self) -> float:
        """The value over all units, of which there is at least one."""
        if (self.values == self.values[0]).all():  # a mean of equal numbers may round
            return float(self.of(self.values[:1], 1.0)[0])
        if self.weights is None:
            return float(self.of(self.values.mean(), 1.0))
        return float(self.of((self.values * self.weights).sum(), self.weights.sum()))

    @functools.cached_property
    def columns(self) -> Float64:
        """float64[n, c], what is summed."""
        if self.weights is None:
            return self.values[:, None]
        return np.stack([self.values * self.weights, self.weights], axis=1)

    def at(self, sums: Float64, n: int) -> Float64:
        """float64[B], the value at sums of :attr:`columns` over n units each, float64[B, c]."""
        return self.of(sums[:, 0], n if self.weights is None else sums[:, 1])

    @property
    def without(self) -> Float64:
        """float64[n], the value without each unit."""
        weights = np.ones(len(self.values)) if self.weights is None else self.weights
        heavy = int(weights.argmax())  # a unit that outweighs the rest leaves too few digits of it
        return self.of(_left(self.values * weights, heavy), _left(weights, heavy))


@dataclass(frozen=True)
class Statistic:
    """The value of a sample over the units that carry weight.

    Attributes
    ----------
    n
        Units that are scored and carry weight, in both samples of a difference.
    """

    parts: tuple[Part | PooledPart, ...]
    n: int

    @classmethod
    def of(cls, sample: Sample, taken: dict[tuple[int, bytes], Float64] | None = None) -> Statistic:
        """What ``sample`` estimates.

        Parameters
        ----------
        taken
            Statistics of pooled units that other samples of the same request took, which one model's
            comparisons with many others share.

        Raises
        ------
        ValueError
            When a unit that counts has a value, weight or statistic that is not a finite number.
        """
        used = carrying(sample)
        samples = [sample] if sample.minus is None else [sample, sample.minus]
        parts: list[Part | PooledPart] = []
        for sign, one in zip((1, -1), samples, strict=False):
            if one.pooled is not None:
                if one.weights is not None or one.link != "identity":
                    raise ValueError("pooled statistics have neither weights nor a link")
                key = id(one.pooled.rows), used.tobytes()
                rows = None if taken is None else taken.get(key)
                if rows is None:
                    rows = one.pooled.rows if used.all() else one.pooled.rows[used]
                    if taken is not None:
                        taken[key] = rows
                parts.append(PooledPart.of(sign, one.pooled, rows))
                continue
            values = one.values[used]
            if not np.isfinite(values).all():
                raise ValueError("a scored unit has a value that is not a finite number")
            if one.link == "sqrt" and (values < 0).any():
                raise ValueError("a scored unit has a negative value under a square root")
            parts.append(Part(sign, values, None if one.weights is None else one.weights[used], one.link))
        found = cls(tuple(parts), int(used.sum()))
        if found.refitted and not all(isinstance(part, PooledPart) and part.refitted for part in parts):
            raise ValueError("a difference is taken between two values of one metric")
        return found

    @property
    def plain(self) -> bool:
        """Whether this is the mean of one value per unit."""
        part = self.parts[0]
        return (
            len(self.parts) == 1
            and isinstance(part, Part)
            and part.weights is None
            and part.link == "identity"
        )

    @property
    def pooled(self) -> bool:
        """Whether this is no function of the units' values, but of other statistics of them."""
        return any(isinstance(part, PooledPart) for part in self.parts)

    @property
    def refitted(self) -> bool:
        """Whether this is no function of sums."""
        return any(isinstance(part, PooledPart) and part.refitted for part in self.parts)

    @functools.cached_property
    def value(self) -> float:
        """The value over all units, of which there is at least one; NaN where pooled units define none."""
        return float(sum(part.value for part in self.parts))

    @functools.cached_property
    def columns(self) -> Float64:
        """float64[n, c], what is summed."""
        return np.concatenate([part.columns for part in self.parts], axis=1)

    def at(self, sums: Float64) -> Float64:
        """float64[B], the value at sums of :attr:`columns` over n units each, float64[B, c]."""
        total, place = np.zeros(len(sums)), 0
        for part in self.parts:
            here = slice(place, place + part.columns.shape[1])
            total += part.at(sums[:, here], self.n)
            place = here.stop
        return total

    def fitted(self, counts: Float64) -> Float64:
        """float64[B], the value fitted to units that count float64[B, n] times each."""
        fits = [part.fitted(counts) for part in self.parts if isinstance(part, PooledPart)]
        return np.sum(fits, axis=0)

    @functools.cached_property
    def influence(self) -> Float64:
        """float64[g], what each unit adds: g - 1 times the value lost without it, centred on 0.

        The jackknife's variance of the value is ``sum(influence**2) / (g * (g - 1))``; for a mean these are
        the deviations from it and that is the usual variance. There are as many as units, but for fits to
        many units, where they are those of groups. NaN where there is no value without a unit.
        """
        part = self.parts[0]
        if self.plain and isinstance(part, Part):
            return part.values - self.value
        without = np.sum([part.without for part in self.parts], axis=0)
        return (len(without) - 1) * (without.mean() - without)

    @property
    def error(self) -> float:
        """The jackknife's standard error of the value, for at least two units."""
        g = len(self.influence)
        return math.sqrt(float((self.influence**2).sum()) / (g * (g - 1)))

    @property
    def constant(self) -> bool:
        """Whether no unit moves the value, but for rounding."""
        if self.pooled:
            scale = max(abs(part.value) for part in self.parts)
            return bool(np.abs(self.influence).max() <= _ROUNDING * scale * self.n)
        parts = [part for part in self.parts if isinstance(part, Part)]
        if len(parts) == 2:
            one, other = parts
            if _same(one, other):
                apart = one.values - other.values
                scale = max(float(np.abs(one.values).max()), float(np.abs(other.values).max()))
                # under a root, equal differences of squares are no equal differences
                if not apart.any() or (one.link == "identity" and np.ptp(apart) <= _ROUNDING * scale):
                    return True
        return all(np.ptp(part.values) <= _ROUNDING * np.abs(part.values).max() for part in parts)

    @property
    def one_sided(self) -> bool:
        """Whether all scores lie on one side of 0, as those of one model do."""
        part = self.parts[0]
        if len(self.parts) == 2:
            return False
        return not isinstance(part, Part) or bool((part.values >= 0).all() or (part.values <= 0).all())


def spread(sample: Sample) -> float | None:
    """Standard deviation between units, for the effect that can be detected.

    None below two units, and where there is no value without some unit. The standard error of the sample's
    value is about ``spread / sqrt(n)``. For a ratio this is the spread of the jackknife's influence values.

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
    between = math.sqrt(
        float((influence * influence).sum()) / (len(influence) - 1) * statistic.n / len(influence)
    )
    return between if math.isfinite(between) else None


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
