"""Who was compared with whom: games of many models, and whether they can be ranked at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """n comparisons of two models each.

    Attributes
    ----------
    models
        k names.
    first, second
        int64[n], rows of ``models``.
    outcome
        float64[n] in [0, 1]: 1 where the first wins, 0 where the second does, ½ for a tie; a probability
        counts as that share of a win.
    covariates
        Name → float64[n], the first model's value minus the second's.
    prompts
        int64[n], which prompt (or user) a comparison belongs to: the unit of resampling, as both orders and
        several judges of one prompt agree more than chance. By default every comparison is its own.

    Raises
    ------
    UsageError
        When columns differ in length, a model meets itself, or a number is not finite or out of range.
    """

    models: tuple[str, ...]
    first: Int64
    second: Int64
    outcome: Float64
    covariates: Mapping[str, Float64] = field(default_factory=dict)
    prompts: Int64 | None = None

    def __post_init__(self) -> None:
        n = len(self.first)
        columns = {"second": self.second, "outcome": self.outcome, **self.covariates}
        if self.prompts is not None:
            columns["prompts"] = self.prompts
        for name, column in columns.items():
            if len(column) != n:
                raise UsageError(f"comparisons: {name} has {len(column)} rows, not {n}")
        same = self.first == self.second
        if same.any():
            row = int(np.flatnonzero(same)[0])
            name = self.models[int(self.first[row])]
            raise UsageError(f"comparisons: row {row} compares '{name}' with itself; leave such rows out")
        wrong = ~((self.outcome >= 0) & (self.outcome <= 1))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise UsageError(f"comparisons: outcome {self.outcome[row]} in row {row} is not between 0 and 1")
        for name, column in self.covariates.items():
            if not np.isfinite(column).all():
                row = int(np.flatnonzero(~np.isfinite(column))[0])
                raise UsageError(f"comparisons: {name} in row {row} is not a finite number")

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(
        cls,
        first: Sequence[str],
        second: Sequence[str],
        outcome: Float64,
        *,
        covariates: Mapping[str, Float64] | None = None,
        prompts: Sequence[str] | Sequence[int] | None = None,
    ) -> Comparisons:
        """From names; models in alphabetical order.

        >>> Comparisons.of(["b", "a"], ["a", "c"], np.array([1.0, 0.5])).models
        ('a', 'b', 'c')
        """
        if len(first) != len(second):
            raise UsageError(f"comparisons: second has {len(second)} rows, not {len(first)}")
        names, codes = np.unique(np.array([*first, *second], str), return_inverse=True)
        codes = codes.reshape(-1).astype(np.int64)
        groups = None if prompts is None else np.unique(np.asarray(prompts), return_inverse=True)[1]
        return cls(
            models=tuple(map(str, names)),
            first=codes[: len(first)],
            second=codes[len(first) :],
            outcome=np.asarray(outcome, np.float64),
            covariates={name: np.asarray(column, np.float64) for name, column in (covariates or {}).items()},
            prompts=None if groups is None else groups.reshape(-1).astype(np.int64),
        )


def groups(models: int, first: Int64, second: Int64, *, mutual: bool) -> Int64:
    """int64[models], number of the group that each model belongs to.

    Parameters
    ----------
    mutual
        False: models linked by any chain of rows. True: by a chain in each direction, a row being a link
        from its first to its second model.

    >>> groups(3, np.array([0, 1]), np.array([1, 0]), mutual=True).tolist()
    [0, 0, 1]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    links = csr_array((np.ones(len(first)), (first, second)), shape=(models, models))
    _, found = connected_components(links, directed=mutual, connection="strong" if mutual else "weak")
    return np.asarray(found, np.int64)


def beats(found: Comparisons) -> tuple[Int64, Int64]:
    """Rows as links from a model that won at least a share to the one that lost it; ties link both ways."""
    won, lost = found.outcome > 0, found.outcome < 1
    return (
        np.concatenate([found.first[won], found.second[lost]]),
        np.concatenate([found.second[won], found.first[lost]]),
    )


def refuse_unconnected(found: Comparisons) -> None:
    """Raise UsageError when some models were never compared with the others, even by way of third ones."""
    which = groups(len(found.models), found.first, found.second, mutual=False)
    if which.max(initial=0) > 0:
        parts = [_listed(found.models, which == one) for one in range(int(which.max()) + 1)]
        raise UsageError(
            f"the comparisons fall into {len(parts)} groups that never meet: {' | '.join(parts)}; rank each"
            " on its own, or compare some across"
        )


def unbeaten(found: Comparisons) -> str | None:
    """Which models never lose to the rest, or never win, in words; None where everybody can be placed.

    A greatest likelihood exists exactly where every split of the models has a win in each direction (Ford
    1957).
    """
    winners, losers = beats(found)
    which = groups(len(found.models), winners, losers, mutual=True)
    if which.max(initial=0) == 0:
        return None
    apart = which[winners] != which[losers]
    ends: list[tuple[int, str, npt.NDArray[np.bool_]]] = []
    for once, many, others in (
        ("loses to", "lose to", losers[apart]),
        ("wins against", "win against", winners[apart]),
    ):
        for end in np.setdiff1d(which, which[others]):
            mask = which == end
            size = int(mask.sum())
            ends.append((size, once if size == 1 else many, mask))
    _, verb, mask = min(ends, key=lambda one: one[0])  # the fewest models say it best
    return f"{_listed(found.models, mask)} never {verb} {_listed(found.models, ~mask)}"


def _listed(models: Sequence[str], mask: npt.NDArray[np.bool_]) -> str:
    names = [f"'{models[row]}'" for row in np.flatnonzero(mask).tolist()]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
