"""Units of two sources, matched by id."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.audit.sources.base import Mask, Units
from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.stats.sample import Sample, paired
from genrec_eval.stats.statistic import Statistic

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Which units of a candidate and a reference belong together.

    Attributes
    ----------
    candidate, reference
        int64[m], rows of the units that both have and that were asked the same, in the
        order of their keys: figures depend on the order of neither, and whoever pairs the same two gets the
        same resamples.
    only_candidate, only_reference, changed
        Rows of the units that only one has (of that one), and of those that were asked something else
        (of the candidate).
    """

    candidate: Int64
    reference: Int64
    only_candidate: Int64
    only_reference: Int64
    changed: Int64

    @classmethod
    def of(cls, candidate: Units, reference: Units) -> Matched:
        """Match by key; a pair whose content differs is no pair.

        >>> def units(keys, content):
        ...     return Units(keys=np.array(keys, "u8"), content=np.array(content, "u8"), slices={})
        >>> found = Matched.of(units([1, 2, 3], [7, 7, 7]), units([3, 1, 9], [7, 8, 7]))
        >>> found.candidate, found.reference, found.changed, found.only_candidate, found.only_reference
        (array([2]), array([0]), array([0]), array([1]), array([2]))
        """
        # keys are distinct, and numpy's own way to find that out hashes them, many times slower
        _, own, other = np.intersect1d(
            candidate.keys, reference.keys, assume_unique=True, return_indices=True
        )
        same = candidate.content[own] == reference.content[other]
        return cls(
            candidate=own[same],
            reference=other[same],
            only_candidate=_others(own, len(candidate)),
            only_reference=_others(other, len(reference)),
            changed=np.sort(own[~same]),
        )

    @property
    def complete(self) -> bool:
        """Whether every unit of both has its pair."""
        return not (len(self.only_candidate) or len(self.only_reference) or len(self.changed))

    def sample(
        self, metric: Metric, candidate: UnitScores, reference: UnitScores, mask: Mask | None = None
    ) -> Sample | None:
        """Paired difference candidate − reference over the matched units.

        Parameters
        ----------
        mask
            bool[m] over the matched units, for a slice.

        Returns
        -------
        Sample or None
            None for a metric of the whole run where units are unmatched or a slice is asked: its value
            belongs to all units together.
        """
        if candidate.scored.any() and reference.scored.any():
            for part in ("total", "weights", "sums"):
                if (getattr(candidate, part) is None) is not (getattr(reference, part) is None):
                    raise UsageError(
                        f"the scores of {metric.id} have {part} on one side only, and are not of one metric;"
                        " score both runs again, and make a baseline again from its run"
                    )
        if candidate.total is not None and (mask is not None or not self.complete):
            return None
        found = paired(
            metric.sample(taken(candidate, self.candidate)), metric.sample(taken(reference, self.reference))
        )
        return found if mask is None else found.where(mask)


def _others(rows: Int64, n: int) -> Int64:
    """Those of 0..n-1 that are not in ``rows``."""
    left = np.ones(n, bool)
    left[rows] = False
    return np.flatnonzero(left)


def taken(scores: UnitScores, rows: Int64) -> UnitScores:
    """Scores of some units, in the order of ``rows``."""
    return UnitScores(
        values=scores.values[rows],
        reasons={name: mask[rows] for name, mask in scores.reasons.items()},
        total=scores.total,
        reach=scores.reach,
        weights=None if scores.weights is None else scores.weights[rows],
        sums=None if scores.sums is None else scores.sums[rows],
    )


def value_over(side: Sample, used: Mask) -> float | None:
    """Value of one side of a difference over the units that carry the difference; None where it has none."""
    if side.total is not None:
        return side.total
    if not used.any():
        return None
    found = Statistic.of(replace(side, scored=used)).value
    return found if np.isfinite(found) else None
