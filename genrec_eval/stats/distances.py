"""Intervals of distances that cannot fall below 0, near 0 and away from it.

Of two distributions that are equal in truth, those of a sample still differ: a distance has a positive floor,
to which resampling adds once more. So the interval is made by asking of every possible distance whether it
would be seen as far away as it was: noise along the way that was found moves the distance up and down, noise
across it only adds.

Measured on the divergence of the exposure of 2, 6 and 20 groups over 40 and 200 users (150 samples each):
where exposure is even, the interval leaves 0 out in 0 to 4 % of samples (6 % for 2 groups over 40 users);
where it is not, 94 to 99 % hold the true divergence.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator

Float64 = npt.NDArray[np.float64]
Ends = tuple[float, float]

DRAWS = 4_000
"""Draws of the noise."""


@dataclass(frozen=True)
class Distance:
    """A squared length, such as a divergence, of a vector that is known up to noise.

    Attributes
    ----------
    value
        The squared length seen.
    covariance
        float64[g + 1, g + 1], of the vector, in units in which near 0 its squared length is the value, and
        last of what the noise adds to the length to first order.
    freedom
        Degrees of freedom.
    """

    value: float
    covariance: Float64
    freedom: int
    method: str = "inverted-t"

    @functools.cached_property
    def _noise(self) -> tuple[Float64, Float64]:
        """float64[draws] each: along the way, and squared across it."""
        scales, axes = np.linalg.eigh(self.covariance)
        rng = generator(0, "noise of a distance")
        z = rng.standard_normal((DRAWS // 2, len(scales)))
        z = np.concatenate([z, -z])  # as many to one side as to the other
        t = np.sqrt(self.freedom / np.tile(rng.chisquare(self.freedom, DRAWS // 2), 2))
        noise = (z * np.sqrt(np.maximum(scales, 0.0)) * t[:, None]) @ axes.T
        along = noise[:, -1]
        across = np.maximum((noise[:, :-1] ** 2).sum(axis=1) - along**2, 0.0)
        return along, across

    def tails(self, null: float) -> Ends:
        return self._tails(float(np.sqrt(max(null, 0.0)))) if null >= 0 else (1 / DRAWS, 1.0)

    def _tails(self, length: float) -> Ends:
        along, across = self._noise
        seen = (length + along) ** 2 + across
        return float((seen >= self.value).mean()), float((seen <= self.value).mean())

    def grown(self, by: float) -> Distance:
        """The same over ``by`` times as many units."""
        return replace(self, covariance=self.covariance / by, freedom=round(self.freedom * by))

    def ends(self, level: float) -> Ends:
        tail = (1 - level) / 2
        if tail < 2 / DRAWS:
            return 0.0, float("inf")  # the draws tell nothing so fine
        length = float(np.sqrt(max(self.value, 0.0)))
        low, high = 0.0, length
        if self._tails(0.0)[0] >= tail:
            high = 0.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if self._tails(middle)[0] >= tail else (middle, high)
        least = low
        low, high = length, length + float(np.sqrt(np.trace(self.covariance))) + 1e-12
        while self._tails(high)[1] >= tail:
            low, high = high, 2 * high
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if self._tails(middle)[1] >= tail else (low, middle)
        return least**2, low**2
