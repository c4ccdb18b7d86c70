"""The units of a case table, and how the scores of a unit's cases become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.arrays import Float64, Int32, Int64, distinct_of
from genrec_eval.scenarios.ranking.records import Mask

Int = TypeVar("Int", Int32, Int64)

SEVERAL = "several-lists"
"""Reason why a metric of the whole run is not given where users have several lists."""


@dataclass(frozen=True, slots=True)
class Units:
    """The unit of each case, and how a unit's cases become one."""

    ids: pa.Array
    of_case: Int64 | None
    """int64[n_cases]; None when every unit has one case, in the same order."""

    @classmethod
    def of(cls, cases: pa.Table) -> Units:
        every = cases.column("unit").combine_chunks()
        ids = pc.unique(every)
        if len(ids) == len(every):
            return cls(every, None)
        return cls(ids, pc.index_in(every, value_set=ids).to_numpy(zero_copy_only=False).astype(np.int64))

    def any(self, mask: Mask) -> Mask:
        """bool[units], whether any case of the unit is in ``mask``."""
        if self.of_case is None:
            return mask
        return np.bincount(self.of_case[mask], minlength=len(self.ids)) > 0

    def groups(self, cases: pa.Table) -> dict[str, pa.Array]:
        """Group → value of each unit, that of its first case."""
        columns = [name for name in cases.column_names if name.startswith("group.")]
        arrays = {name.removeprefix("group."): cases.column(name).combine_chunks() for name in columns}
        if self.of_case is None:
            return arrays
        rows = pa.array(self.first(np.arange(len(cases), dtype=np.int64)))
        return {name: array.take(rows) for name, array in arrays.items()}

    def first(self, of_cases: Int) -> Int:
        """What the first case of each unit has."""
        return of_cases if self.of_case is None else of_cases[np.unique(self.of_case, return_index=True)[1]]

    def over_cases(self, scores: UnitScores, rows: Mask | None) -> UnitScores:
        """A unit's mean over its cases that have a score; its first reason where none has.

        Additive statistics of the cases add up.

        Cases outside ``rows`` are no cases of the metric: a unit that has only such ones is not part of it.
        """
        if self.of_case is None and rows is None:
            return scores
        of = np.arange(len(self.ids)) if self.of_case is None else self.of_case
        inside = np.ones(len(of), bool) if rows is None else rows
        n = len(self.ids)
        if scores.total is not None and len(distinct_of(of[inside])) < np.count_nonzero(inside):
            return UnitScores(values=np.zeros(n), reasons={SEVERAL: np.ones(n, bool)}, total=scores.total)
        scored = scores.scored & inside
        weights = np.ones(len(of)) if scores.weights is None else scores.weights
        counted = np.bincount(of[scored], weights=weights[scored], minlength=n)
        sums = np.bincount(of[scored], weights=(weights * scores.values)[scored], minlength=n)
        has = np.bincount(of[scored], minlength=n) > 0
        values = np.divide(sums, counted, out=np.zeros(n), where=counted > 0)
        outside = scores.reasons.get("not-asked", np.zeros(len(of), bool)) | ~inside
        reasons, free = {}, ~has
        for name, mask in {**scores.reasons, "not-asked": outside}.items():
            hit = free & (np.bincount(of[mask], minlength=n) > 0)
            if hit.any():
                reasons[name] = hit
                free &= ~hit
        return UnitScores(
            values=values,
            reasons=reasons,
            total=scores.total,
            reach=scores.reach,
            weights=None if scores.weights is None else counted.astype(np.float64),
            sums=None if scores.sums is None else _added(scores.sums[scored], of[scored], n),
        )


def _added(rows: Float64, of: Int64, n: int) -> Float64:
    """float64[n, m], additive statistics of each unit's cases, added up."""
    sums = np.zeros((n, rows.shape[1]))
    np.add.at(sums, of, rows)
    return sums
