"""Lists whose scores tie: what the order inside a tie can make of a metric, and what it makes on average.

Slots side by side with equal scores form a group; every order of a group is as good an answer. The averages
over all of them are exact (McSherry & Najork 2008, "Computing information retrieval performance measures
efficiently in the presence of tied scores"), not sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.hits import Marks
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64


def tie_bounds(items: Int32, scores: Float64) -> tuple[Int64, Int64]:
    """First rank of the group of each slot, and the rank after its last; a NaN ties with nothing.

    >>> scores = np.array([[0.9, 0.5, 0.5, 0.1]])
    >>> [bound.tolist() for bound in tie_bounds(np.array([[4, 2, 3, 1]], np.int32), scores)]
    [[[0, 1, 1, 3]], [[1, 3, 3, 4]]]
    """
    n, width = items.shape
    ranks = np.arange(width, dtype=np.int64)
    opens = np.ones((n, width + 1), bool)
    opens[:, 1:-1] = (scores[:, 1:] != scores[:, :-1]) | (items[:, 1:] == PAD)
    first = np.maximum.accumulate(np.where(opens[:, :-1], ranks, 0), axis=1)
    stop = np.where(opens[:, 1:], ranks + 1, width)
    return first, np.minimum.accumulate(stop[:, ::-1], axis=1)[:, ::-1]


def harmonic(upto: int) -> Float64:
    """float64[upto + 1], sums of the first reciprocals, from none."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, upto + 1))])


@dataclass(frozen=True, slots=True)
class TieGroups:
    """Groups of tied slots that hold at least one mark, ordered by list, then by rank.

    Attributes
    ----------
    rows
        int64[g], the list of each group.
    starts, sizes
        int64[g], the rank of its first slot, from 0, and the number of its slots.
    marked
        int64[g], how many of them are marked.
    before
        int64[g], marks of the list in earlier groups.
    of
        int64[m], the group of each mark.
    n
        Number of lists.
    """

    rows: Int64
    starts: Int64
    sizes: Int64
    marked: Int64
    before: Int64
    of: Int64
    n: int

    @classmethod
    def around(cls, marks: Marks, bounds: tuple[Int64, Int64]) -> TieGroups:
        """The groups that hold ``marks``, of the bounds that :func:`tie_bounds` gives."""
        first, stop = bounds
        start = first[marks.rows, marks.ranks]
        leads = np.ones(len(start), bool)
        leads[1:] = (np.diff(marks.rows) != 0) | (np.diff(start) != 0)
        of = np.cumsum(leads) - 1
        rows, starts = marks.rows[leads], start[leads]
        return cls(
            rows=rows,
            starts=starts,
            sizes=stop[rows, starts] - starts,
            marked=np.bincount(of, minlength=len(rows)),
            before=marks.nth()[leads] - 1,
            of=of,
            n=marks.n,
        )

    def arranged(self, *, best: bool) -> Marks:
        """The marks with each group's at its front, or at its end."""
        first = np.zeros(len(self.rows), np.int64)
        np.cumsum(self.marked[:-1], out=first[1:])
        nth = np.arange(len(self.of)) - first[self.of]
        start = self.starts if best else self.starts + self.sizes - self.marked
        return Marks(self.rows[self.of], start[self.of] + nth, self.n)

    def inside(self, k: int | Int64) -> Int64:
        """int64[g], how many slots of each group are among the first ``k`` (of its list) of its list."""
        cut = k if isinstance(k, int) else k[self.rows]
        return np.clip(cut - self.starts, 0, self.sizes)

    def sums(self, per_group: Float64) -> Float64:
        """float64[n], sum over the groups of each list."""
        return np.bincount(self.rows, weights=per_group, minlength=self.n).astype(np.float64, copy=False)

    def counts(self, k: int | Int64) -> Float64:
        """float64[n], expected number of marks among the first ``k`` slots."""
        return self.sums(self.marked * self.inside(k) / self.sizes)

    def _leaders(self) -> npt.NDArray[np.bool_]:
        return np.diff(self.rows, prepend=-1) != 0

    def any(self, k: int) -> Float64:
        """float64[n], probability of a mark among the first ``k`` slots.

        Only the first group with marks matters: either the cut lies behind it or no later group counts.
        """
        lead = self._leaders()
        inside, sizes, marked = self.inside(k)[lead], self.sizes[lead], self.marked[lead]
        none = np.ones(len(inside))  # all marks fall behind the cut: one hypergeometric probability
        for i in range(int(marked.max(initial=0))):
            more = marked > i
            none[more] *= np.maximum(sizes[more] - inside[more] - i, 0) / (sizes[more] - i)
        found = np.zeros(self.n)
        found[self.rows[lead]] = 1 - none
        return found

    def first(self, k: int) -> Float64:
        """float64[n], expected reciprocal rank of the first mark among the first ``k`` slots, else 0."""
        lead = self._leaders()
        inside, sizes, marked = self.inside(k)[lead], self.sizes[lead], self.marked[lead]
        starts, mean = self.starts[lead], np.zeros(int(lead.sum()))
        chance = marked / sizes  # that the first mark is the j-th slot of the group
        for j in range(1, int((sizes - marked + 1).max(initial=0)) + 1):
            mean += np.where(j <= inside, chance / (starts + j), 0.0)
            chance = chance * np.maximum(sizes - j - marked + 1, 0) / np.maximum(sizes - j, 1)
        found = np.zeros(self.n)
        found[self.rows[lead]] = mean
        return found

    def precisions(self, k: int) -> Float64:
        """float64[g], expected sum of the precisions at the marks of each group up to rank ``k``."""
        others = (self.marked - 1) / np.maximum(self.sizes - 1, 1)
        return self.marked / self.sizes * self._precisions(self.inside(k), others)

    def _precisions(self, inside: Int64, others: Float64) -> Float64:
        """Sum over the first slots of each group of the precision there, were that slot marked.

        ``others`` is the chance of each slot before it in the group to be marked too.
        """
        reach = self.starts + inside
        upto = harmonic(int(reach.max(initial=0)))
        reciprocals = upto[reach] - upto[self.starts]
        # at rank s + i: (before + 1 + (i - 1) others) / (s + i); (i - 1) / (s + i) = 1 - (s + 1) / (s + i)
        return (self.before + 1) * reciprocals + others * (inside - (self.starts + 1) * reciprocals)

    def mean_precision(self, k: int) -> Float64:
        """float64[n], expected mean, over the marks among the first ``k`` slots, of the precision there."""
        from scipy.special import gammaln

        inside, whole = self.inside(k), self.starts + self.sizes <= k
        precisions = np.where(whole, self.precisions(k), 0.0)
        total, hits = self.sums(precisions), self.sums(np.where(whole, self.marked, 0.0))
        found = np.divide(total, hits, out=np.zeros(self.n), where=hits > 0)
        cut = (inside > 0) & ~whole  # at most one group of a list
        rows, m, size, j = self.rows[cut], self.marked[cut], self.sizes[cut], inside[cut]
        mean = np.zeros(len(rows))

        def ways(of: Int64, some: Int64) -> Float64:
            return gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1)

        for x in range(int(np.minimum(m, j).max(initial=-1)) + 1):
            can = (x <= np.minimum(m, j)) & (j - x <= size - m)
            held = np.where(can, x, np.maximum(j - (size - m), 0))  # any possible number where x is none
            chance = np.exp(ways(m, held) + ways(size - m, j - held) - ways(size, j))
            others = np.zeros(len(self.rows))
            others[cut] = (x - 1) / np.maximum(j - 1, 1)
            here = x / j * self._precisions(inside, others)[cut]
            of = hits[rows] + x
            mean += np.where(can & (of > 0), chance * (total[rows] + here) / np.maximum(of, 1), 0.0)
        found[rows] = mean
        return found
