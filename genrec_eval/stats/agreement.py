"""How often labels agree: raw, with and without ties, and against a reference class by class.

Kappas are in :mod:`genrec_eval.stats.kappa`, Krippendorff's alpha in :mod:`genrec_eval.stats.krippendorff`,
correlations of scores in :mod:`genrec_eval.stats.ranks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.labels import coded
from genrec_eval.stats.sums import Float64, Measure, of_sums, share_of, undefined

Labels = Sequence[Any] | npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TieAgreement:
    """Agreement of two lists of votes with and without ties, as MT-bench reports it.

    Attributes
    ----------
    with_ties
        Over all pairs of votes; a tie agrees with a tie alone.
    without_ties
        Over pairs in which neither is a tie: a smaller set, and not one drawn at random.
    """

    with_ties: Measure
    without_ties: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """One class: how many items are of it, are said to be, and are both."""

    label: str
    true: int
    said: int
    right: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Labels against a reference: accuracy and the macro means over classes.

    Attributes
    ----------
    precision, recall, f1
        Means over classes; a class that is never said has precision 0, one that never is true recall 0.
    classes
        Each class; there its precision is None where it is never said.
    """

    accuracy: Measure
    precision: Measure
    recall: Measure
    f1: Measure
    classes: tuple[ClassScores, ...]


def agreement(
    first: Labels,
    second: Labels,
    *,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Share of items on which two raters say the same, of those that both have labelled.

    >>> found = agreement(["a", "b", None, "a"], ["a", "a", "a", "a"], seed=None)
    >>> round(found.value, 3), found.n
    (0.667, 3)
    """
    a, b, units = _both(first, second, units)
    return share_of(a == b, units=units, seed=seed, level=level, empty="no item is labelled by both")


def tie_agreement(
    first: Labels,
    second: Labels,
    *,
    tie: Any = "tie",
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> TieAgreement:
    """Share of equal votes with ties and without (Zheng et al. 2023, section 4.2); both say their n.

    Parameters
    ----------
    first, second
        A pair of votes per place: for one vote against several people, repeated for each of them.
    units
        Unit id of each pair of votes: votes on one item are one unit.

    >>> found = tie_agreement(["first", "tie", "tie"], ["first", "tie", "second"], seed=None)
    >>> round(found.with_ties.value, 3), found.without_ties.value, found.without_ties.n
    (0.667, 1.0, 1)
    """
    given = np.array([one != tie and other != tie for one, other in zip(first, second, strict=True)], bool)
    decided = [[one for one, kept in zip(side, given, strict=True) if kept] for side in (first, second)]
    return TieAgreement(
        with_ties=agreement(first, second, units=units, seed=seed, level=level),
        without_ties=agreement(
            decided[0],
            decided[1],
            units=None if units is None else np.asarray(units)[given],
            seed=seed,
            level=level,
        ),
    )


def classification(
    truth: Labels,
    said: Labels,
    *,
    classes: Sequence[Any] | None = None,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Classification:
    """Accuracy and macro precision, recall and F1 of labels against a reference.

    Parameters
    ----------
    truth, said
        Labels of n items; items that lack one are left out.
    classes
        Over which the macro means go; by default all that occur on either side, as in scikit-learn.
        Another label that is said is wrong wherever it stands, but no class.

    >>> found = classification(["a", "a", "b", "b"], ["a", "b", "b", "b"], seed=None)
    >>> found.accuracy.value, round(found.precision.value, 3), round(found.f1.value, 3)
    (0.75, 0.833, 0.733)
    """
    (a, b), known = coded([truth, said])
    both = (a >= 0) & (b >= 0)
    kept = [index for index, one in enumerate(known) if classes is None or one in set(classes)]
    if units is not None:
        units = np.asarray(units)[both]
    a, b, k = a[both], b[both], len(kept)
    if not both.any() or not k:
        nothing = undefined("no item has both labels", level=level)
        return Classification(accuracy=nothing, precision=nothing, recall=nothing, f1=nothing, classes=())
    true, claimed = (np.stack([side == c for c in kept], axis=1).astype(np.float64) for side in (a, b))
    columns = np.concatenate([true * claimed, true, claimed], axis=1)

    def macro(part: int) -> Measure:
        def at(sums: Float64) -> Float64:
            return _ratios(sums[:, :k], sums[:, k : 2 * k], sums[:, 2 * k :])[part].mean(axis=1)

        return of_sums(columns, at, units=units, seed=seed, level=level, bounds=(0.0, 1.0))

    sums = columns.sum(axis=0)
    right, actual, given = sums[:k], sums[k : 2 * k], sums[2 * k :]
    precision, recall, f1 = _ratios(right, actual, given)
    return Classification(
        accuracy=share_of(a == b, units=units, seed=seed, level=level),
        precision=macro(0),
        recall=macro(1),
        f1=macro(2),
        classes=tuple(
            ClassScores(
                label=str(known[c]),
                true=int(actual[i]),
                said=int(given[i]),
                right=int(right[i]),
                precision=float(precision[i]) if given[i] else None,
                recall=float(recall[i]) if actual[i] else None,
                f1=float(f1[i]) if actual[i] + given[i] else None,
            )
            for i, c in enumerate(kept)
        ),
    )


def _ratios(right: Float64, true: Float64, said: Float64) -> tuple[Float64, Float64, Float64]:
    """Precision, recall and F1, 0 where there is nothing to divide by."""

    def over(part: Float64, whole: Float64) -> Float64:
        return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

    return over(right, said), over(right, true), over(2 * right, true + said)


def _both(first: Labels, second: Labels, units: npt.ArrayLike | None) -> tuple[Any, Any, Any]:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} labels of one rater beside {len(second)} of the other")
    (a, b), _ = coded([first, second])
    both = (a >= 0) & (b >= 0)
    return a[both], b[both], None if units is None else np.asarray(units)[both]
