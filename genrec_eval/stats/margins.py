"""Good enough within a margin: non-inferiority and equivalence of a paired difference.

A difference that is not significant says little; these tests reverse the burden of proof. Both are
one-sided at ``alpha``, so that they agree with the interval at level 1 - 2 alpha: 0.025 goes with the 95 %
intervals of a report, 0.05 is what equivalence studies use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genrec_eval.stats.fitting import fit_each
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.sample import Sample


@dataclass(frozen=True, slots=True)
class MarginTest:
    """What a test against a margin found.

    Attributes
    ----------
    interval
        Of the difference, at level 1 - 2 alpha.
    p
        None where there is no interval.
    holds
        Whether the claim is shown; False says that it is not shown, never that the opposite is.
    """

    interval: Interval
    margin: float
    p: float | None
    holds: bool


def non_inferiority(
    differences: Sequence[Sample],
    margin: float,
    *,
    seed: int,
    alpha: float = 0.025,
    higher_is_better: bool = True,
) -> list[MarginTest]:
    """Whether each model is worse than its baseline by less than ``margin``.

    Parameters
    ----------
    differences
        Model − baseline, from :func:`~genrec_eval.stats.sample.paired`.
    margin
        The greatest loss that is acceptable, above 0, in the unit of the metric.

    >>> import numpy as np
    >>> one = Sample(values=np.tile([-0.02, 0.03, 0.0, -0.01], 50), scored=np.ones(200, bool))
    >>> [non_inferiority([one], margin, seed=1)[0].holds for margin in (0.01, 0.001)]
    [True, False]
    """
    found: dict[int, float | None] = {}
    for index, fitted in fit_each(differences, seed):
        if fitted.fit is None:
            found[index] = None
        elif higher_is_better:
            found[index] = fitted.fit.tails(-_above_zero(margin))[0]
        else:
            found[index] = fitted.fit.tails(_above_zero(margin))[1]
    return _tests(differences, margin, found, seed, alpha)


def equivalence(
    differences: Sequence[Sample], margin: float, *, seed: int, alpha: float = 0.05
) -> list[MarginTest]:
    """Whether each difference lies within ``margin`` on both sides: two one-sided tests (Schuirmann 1987).

    >>> import numpy as np
    >>> one = Sample(values=np.tile([-0.02, 0.03, 0.0, -0.01], 50), scored=np.ones(200, bool))
    >>> [equivalence([one], margin, seed=1)[0].holds for margin in (0.01, 0.001)]
    [True, False]
    """
    found = {
        index: None
        if fitted.fit is None
        else max(fitted.fit.tails(-_above_zero(margin))[0], fitted.fit.tails(margin)[1])
        for index, fitted in fit_each(differences, seed)
    }
    return _tests(differences, margin, found, seed, alpha)


def _tests(
    differences: Sequence[Sample], margin: float, p: dict[int, float | None], seed: int, alpha: float
) -> list[MarginTest]:
    tests = []
    for index, interval in enumerate(intervals(differences, seed=seed, level=1 - 2 * alpha)):
        found = p[index]
        tests.append(MarginTest(interval, margin, found, found is not None and found <= alpha))
    return tests


def _above_zero(margin: float) -> float:
    if not margin > 0:
        raise ValueError(f"a margin is greater than 0, not {margin}")
    return margin
