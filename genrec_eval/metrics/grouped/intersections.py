"""Intersections of groups as a table: raw and shrunk means, what the parts would predict, the widest pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.stats.fits import Student
from genrec_eval.stats.max_pair import MaxPair, max_pair
from genrec_eval.stats.shrinkage import Towards, shrink_means, shrink_rates

SHOWN = 5
"""Cells of fewer users say nothing but how many they are: a mean would be about persons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One intersection.

    Attributes
    ----------
    name
        Values of the parts, joined by ``*``.
    n
        Users with a score; always shown.
    suppressed
        Whether there are fewer than ``least`` of them: no raw mean, no interval, not among the pairs.
    mean, low, high
        Raw mean with its interval (Student's t); None where suppressed.
    shrunk
        Mean drawn towards ``expected``; None for fewer than :data:`SHOWN` users, and where nothing can be
        shrunk.
    expected
        What the parts' own effects, or the mean of all, would give the cell.
    """

    name: str
    n: int
    suppressed: bool
    mean: float | None
    low: float | None
    high: float | None
    shrunk: float | None
    expected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intersections:
    """All cells with at least one user, in the order of the parts' values.

    Attributes
    ----------
    towards
        What means are drawn towards.
    spread
        Standard deviation between cells' true means around those expected; 0: the parts explain the cells.
    widest
        The pair of cells that is most clearly apart, with the p-value of being it; codes are places in
        ``cells``. None where fewer than two cells are large enough.
    unknown
        Scored users of whom some part is not known; they are in no cell.
    """

    cells: tuple[Cell, ...]
    towards: Towards
    spread: float
    widest: MaxPair | None
    unknown: int


def intersection_table(
    values: Float64,
    parts: Sequence[GroupCodes],
    *,
    scored: npt.NDArray[np.bool_] | None = None,
    least: int = LEAST,
    level: float = 0.95,
    seed: int,
) -> Intersections:
    """What a metric is in every intersection of groups of users.

    Parameters
    ----------
    values
        float64[n], one for each user.
    parts
        Groups that are crossed, as gender and age.
    scored
        bool[n], users that have a value; all by default.

    >>> halves = [GroupCodes((np.arange(80) // n % 2).astype(np.int32), ("a", "b")) for n in (40, 20)]
    >>> found = intersection_table(np.arange(80) % 20 / 20, halves, least=10, seed=1)
    >>> [(cell.name, cell.n, round(cell.mean, 3)) for cell in found.cells][:2], found.widest.p
    ([('a*a', 20, 0.475), ('a*b', 20, 0.475)], 1.0)
    """
    inside = np.ones(len(values), bool) if scored is None else scored.copy()
    known = inside & np.logical_and.reduce([part.codes >= 0 for part in parts])
    taken = values[known].astype(np.float64)
    keys = np.zeros(len(taken), np.int64)
    for part in parts:
        keys = keys * len(part.names) + part.codes[known]
    present, codes = np.unique(keys, return_inverse=True)
    counts = np.bincount(codes, minlength=len(present))
    of_parts = _unravel(present, [len(part.names) for part in parts])
    sums = np.bincount(codes, weights=taken, minlength=len(present))
    means = np.divide(sums, counts, out=np.zeros(len(present)), where=counts > 0)
    within = float(((taken - means[codes]) ** 2).sum()) / max(len(taken) - len(present), 1)
    found = shrink_means(means, np.full(len(present), within) / counts, of_parts if len(parts) > 1 else ())
    if found.towards == "grand mean" and np.isin(taken, (0.0, 1.0)).all():
        found = shrink_rates(np.asarray(sums, np.float64), counts.astype(np.float64))
    cells = []
    for cell in range(len(present)):
        n, low, high = int(counts[cell]), None, None
        ready = n >= max(least, 2)
        if ready:
            own = taken[codes == cell]
            error = float(own.std(ddof=1)) / n**0.5
            # where all agree the spread is that of the others: nobody is known exactly
            low, high = Student(float(means[cell]), error or (within / n) ** 0.5, n - 1).ends(level)
        shown = n >= SHOWN and found.towards != "none"
        cells.append(
            Cell(
                name="*".join(part.names[of[cell]] for part, of in zip(parts, of_parts, strict=True)),
                n=n,
                suppressed=not ready,
                mean=float(means[cell]) if ready else None,
                low=low,
                high=high,
                shrunk=float(found.means[cell]) if shown else None,
                expected=float(found.expected[cell]) if shown else None,
            )
        )
    return Intersections(
        cells=tuple(cells),
        towards=found.towards,
        spread=found.spread,
        widest=max_pair(taken, codes, seed, least=least),
        unknown=int(inside.sum() - known.sum()),
    )


def _unravel(keys: Int64, sizes: Sequence[int]) -> list[Int64]:
    """Code of each part, from the keys that :func:`intersection_table` makes of them."""
    found: list[Int64] = []
    for size in reversed(sizes):
        keys, code = np.divmod(keys, max(size, 1))
        found.insert(0, code)
    return found
