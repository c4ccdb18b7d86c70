"""What rating metrics work on: predicted beside true ratings of n users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Float64, Int64


@dataclass(frozen=True, kw_only=True)
class RatedPairs:
    """Ratings of n users, the pairs of one user side by side.

    Attributes
    ----------
    offsets
        int64[n + 1]; the pairs of user ``i`` are at ``offsets[i]:offsets[i + 1]``.
    truth
        float64[offsets[-1]], the ratings that were given.
    predicted
        float64[offsets[-1]]; NaN where the model predicted nothing.
    answered
        bool[n]; False where the model gave no answer at all.
    scale
        Least and greatest rating in training.
    """

    offsets: Int64
    truth: Float64
    predicted: Float64
    answered: npt.NDArray[np.bool_]
    scale: tuple[float, float]

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.answered) + 1:
            raise ValueError(f"offsets has {len(self.offsets)} entries for {len(self.answered)} users")
        if len(self.truth) != self.offsets[-1] or len(self.predicted) != self.offsets[-1]:
            raise ValueError(
                f"{len(self.truth)} ratings, {len(self.predicted)} predicted, {self.offsets[-1]} pairs"
            )

    def __len__(self) -> int:
        return len(self.answered)

    @property
    def rows(self) -> Int64:
        """int64[pairs], the user of each pair."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))
