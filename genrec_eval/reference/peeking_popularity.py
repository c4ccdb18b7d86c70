"""A planted flaw: popularity that was counted with the test."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.reference.popularity import Popularity


class PeekingPopularity(Popularity):
    """Popularity over training and held-out interactions together: what it lists, it has looked up.

    Published baselines have had this flaw, when items were counted before the data was split.
    """

    name: ClassVar[str] = "peeking-popularity"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "peeking"
    peeks: ClassVar[bool] = True

    def fit(self) -> None:
        """Count everything.

        Raises
        ------
        UsageError
            When the held-out interactions are not handed over.
        """
        import numpy as np

        from genrec_eval.reference.flawed import future_of

        super().fit()
        self.counts = self.counts + np.bincount(future_of(self).item, minlength=len(self.counts))
        self.rank_by(self.counts)
