"""What metrics of pairwise judgements work on: preferences beside covariates, one row per unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Bool, Reasons
from genrec_eval.protocol.arrays import Float64, Int64

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One model against one other on n units (prompts), after the policies for orders, ties and repeats.

    Attributes
    ----------
    preference
        float64[n] in [0, 1]: probability that the judge prefers the model; 1 a win, 0 a loss, ½ a draw.
    reasons
        Reason why a unit has no preference → bool[n]; entries under a reason are never read.
    covariates
        Name → float64[n], the model's value minus the other's: ``length`` (characters), ``items``,
        ``popularity``, ``attributes``, ...
    difficulty
        float64[n], how hard each unit is, joined by its id; None where that is not known.

    Raises
    ------
    UsageError
        When columns differ in length, or a unit that has a result has a preference outside [0, 1], or a
        covariate or difficulty that is no finite number.

    >>> pairs = Pairs(preference=np.array([1.0, 0.5]), covariates={"length": np.array([120.0, -30.0])})
    >>> len(pairs), pairs.scored
    (2, array([ True,  True]))
    """

    preference: Float64
    reasons: Reasons = field(default_factory=dict)
    covariates: Mapping[str, Float64] = field(default_factory=dict)
    difficulty: Float64 | None = None

    def __post_init__(self) -> None:
        n = len(self.preference)
        columns = {f"reason '{name}'": mask for name, mask in self.reasons.items()}
        numbers = {f"covariate '{name}'": values for name, values in self.covariates.items()}
        if self.difficulty is not None:
            numbers["difficulty"] = self.difficulty
        for what, column in {**columns, **numbers}.items():
            if len(column) != n:
                raise UsageError(f"pairs: {what} has {len(column)} rows beside {n} preferences")
        used = self.scored
        wrong = used & ~((self.preference >= 0) & (self.preference <= 1))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise UsageError(f"pairs: preference {self.preference[row]} in row {row} is not between 0 and 1")
        for what, values in numbers.items():
            wrong = used & ~np.isfinite(values)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise UsageError(
                    f"pairs: {what} in row {row} is not a finite number; give a reason for a unit without it"
                )

    def __len__(self) -> int:
        return len(self.preference)

    @property
    def scored(self) -> Bool:
        """bool[n], units that have a result."""
        scored = np.ones(len(self.preference), bool)
        for mask in self.reasons.values():
            scored &= ~mask
        return scored

    @property
    def swapped(self) -> Pairs:
        """The same comparison seen from the other model."""
        return replace(
            self,
            preference=1 - self.preference,
            covariates={name: -values for name, values in self.covariates.items()},
        )

    def where(self, mask: Bool) -> Pairs:
        """The units of ``mask``."""
        return Pairs(
            preference=self.preference[mask],
            reasons={name: held[mask] for name, held in self.reasons.items()},
            covariates={name: values[mask] for name, values in self.covariates.items()},
            difficulty=None if self.difficulty is None else self.difficulty[mask],
        )


def rows_of(wanted: Sequence[str], known: Sequence[str], what: str) -> Int64:
    """Row of each wanted id among known ones: tables are joined by id, never by position.

    Parameters
    ----------
    what
        What the known ids belong to, for the sentence: ``"the difficulty"``.

    Raises
    ------
    UsageError
        When an id is twice on either side, or wanted and not known; names the first few.

    >>> rows_of(["b", "a"], ["a", "b", "c"], "the lengths")
    array([1, 0])
    """
    place = {one: row for row, one in enumerate(known)}
    for ids, whose in ((known, what), (wanted, "the pairs")):
        if len(set(ids)) < len(ids):
            twice = [one for one, count in Counter(ids).items() if count > 1]
            raise UsageError(f"{whose}: {_listed(twice)} more than once")
    missing = [one for one in wanted if one not in place]
    if missing:
        raise UsageError(
            f"{what}: no row for {_listed(missing)} of {len(wanted)}; both sides are joined by id"
        )
    return np.array([place[one] for one in wanted], np.int64)


def _listed(ids: Sequence[str]) -> str:
    shown = ", ".join(repr(one) for one in ids[:_NAMED])
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{'id' if len(ids) == 1 else f'{len(ids)} ids'} {shown}{more}"
