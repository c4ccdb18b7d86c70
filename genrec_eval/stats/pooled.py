"""Values that belong to all units together: functions of their summed statistics, and fits to their rows.

Corpus BLEU, perplexity and distinct-n are no means over texts, but functions of sums over them (sacrebleu's
additive statistics), so that a resample costs one weighted sum and leaving out a unit one subtraction. A
length-controlled win rate is no function of sums: its regression is fitted anew to each resample.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.resample import on_grid
from genrec_eval.stats.sample import Pooled

Float64 = npt.NDArray[np.float64]

LARGEST_JACKKNIFE = 2_000
"""Up to this many units a fit is repeated without each one; beyond, without each of as many groups."""
_BLOCK = 1 << 21
"""Weights of units that are held at a time: bounds the memory at 16 MB."""


@dataclass(frozen=True)
class PooledPart:
    """``sign`` times the value of units that are pooled.

    Where no value is defined (no bigram at all, a regression without a solution) it is NaN here, and never
    further up.
    """

    sign: int
    pooled: Pooled
    rows: Float64
    """float64[n, m], the statistics of the units that count."""

    @classmethod
    def of(cls, sign: int, pooled: Pooled, rows: Float64) -> PooledPart:
        """Raises ValueError when a unit that counts has a statistic that is not a finite number."""
        if not np.isfinite(rows).all():
            raise ValueError("a scored unit has a statistic that is not a finite number")
        return cls(sign, pooled, rows)

    @property
    def refitted(self) -> bool:
        return self.pooled.refit is not None

    @functools.cached_property
    def columns(self) -> Float64:
        """float64[n, c], what is summed; none for a fit."""
        return self.rows[:, :0] if self.refitted else self.rows

    def at(self, sums: Float64, n: int) -> Float64:
        """float64[B], the value at sums of the columns."""
        assert self.pooled.combine is not None
        with np.errstate(all="ignore"):
            return self._defined(self.pooled.combine(sums), len(sums))

    def fitted(self, counts: Float64) -> Float64:
        """float64[B], the value of a fit in which unit ``i`` counts ``counts[b, i]`` times."""
        assert self.pooled.refit is not None
        with np.errstate(all="ignore"):
            return self._defined(self.pooled.refit(self.rows, counts), len(counts))

    def _defined(self, values: Float64, n: int) -> Float64:
        found = np.asarray(values, np.float64)
        if found.shape != (n,):
            raise ValueError(f"a metric's pooled function gave shape {found.shape} for {n} resamples")
        return self.sign * np.where(np.isfinite(found), found, np.nan)

    @functools.cached_property
    def value(self) -> float:
        """NaN where none is defined."""
        if self.refitted:
            return float(self.fitted(np.ones((1, len(self.rows))))[0])
        return float(self.at(self.rows.sum(axis=0)[None, :], len(self.rows))[0])

    @functools.cached_property
    def without(self) -> Float64:
        """float64[n], the value without each unit; without each of some groups for a fit to many units."""
        n = len(self.rows)
        if not self.refitted:
            grid, scale = on_grid(self.rows)  # exact: nothing is left of a column that one unit holds alone
            return self.at((grid.sum(axis=0) - grid) * scale, n - 1)
        groups = min(n, LARGEST_JACKKNIFE)
        of = np.arange(n) % groups
        size = max(1, _BLOCK // n)
        return np.concatenate(
            [
                self.fitted((of != np.arange(start, min(start + size, groups))[:, None]).astype(np.float64))
                for start in range(0, groups, size)
            ]
        )
