"""What a planted share of a list does to the figures of fairness, in closed form.

Of the first ``k`` positions ``floor(k * share)`` are planted, those of
:func:`genrec_eval.reference.lists.planted_positions`. A list *with the flaw* has other items there,
none of them in the list without it, and the same items at the same ranks elsewhere. The formulas hold
wherever a row has enough unseen items for that: ``k`` and those that are put in.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from genrec_eval.reference.lists import planted_positions


def planted_ranks(k: int, share: float) -> list[int]:
    """The ranks, from 1, of the planted positions.

    >>> planted_ranks(10, 0.3)
    [4, 7, 10]
    """
    return [rank for rank, planted in enumerate(planted_positions(k, share).tolist(), 1) if planted]


def jaccard(k: int, share: float) -> float:
    """Jaccard of a list with the flaw and the one without: (k - m) / (k + m) with m planted positions.

    >>> round(jaccard(20, 0.3), 4)
    0.5385
    """
    planted = len(planted_ranks(k, share))
    return (k - planted) / (k + planted)


def serp(k: int, share: float) -> float:
    """SERP of the same pair: the weights k - r + 1 of the ranks that are not planted, over k (k + 1) / 2.

    >>> serp(10, 0.3)
    0.7818181818181819
    """
    return 1 - sum(k - r + 1 for r in planted_ranks(k, share)) / (k * (k + 1) / 2)


def prag(k: int, share: float) -> float:
    """PRAG of the same pair over k (k - 1) / 2: an item that stays comes before all k - r after it in both.

    >>> prag(10, 0.3)
    0.8
    """
    return 1 - sum(k - r for r in planted_ranks(k, share)) / (k * (k - 1) / 2)


def range_of_one(similarity: float) -> float:
    """SNSR when one value of an attribute has this similarity and every other one 1."""
    return 1 - similarity


def deviation_of_one(similarity: float, values: int) -> float:
    """SNSV, the population's, when one of ``values`` has this similarity and every other one 1.

    >>> deviation_of_one(0.5, 2)
    0.25
    """
    return (1 - similarity) * math.sqrt(values - 1) / values


def marginal(effect: float, held: float) -> float:
    """What an effect on an intersection makes of one of its values alone.

    Parameters
    ----------
    effect
        The change of a mean in the intersection.
    held
        The share of the people with the one value who have the other one too.
    """
    return effect * held


def noisy_jaccard(k: int, share: float, pool: int) -> float:
    """Expected Jaccard of two lists whose m planted items are drawn from the same ``pool``, independently.

    They share h of them with the hypergeometric chance C(m, h) C(pool - m, m - h) / C(pool, m).

    >>> noisy_jaccard(10, 0.3, 3)
    1.0
    """
    return sum(
        chance * (k - m + h) / (k + m - h)
        for m in [min(len(planted_ranks(k, share)), pool)]
        for h in range(m + 1)
        for chance in [math.comb(m, h) * math.comb(pool - m, m - h) / math.comb(pool, m)]
    )


def noisy_serp(k: int, share: float, pool: int) -> float:
    """Expected SERP of the same pair: a planted item is in the other list with chance m / pool.

    >>> noisy_serp(10, 0.3, 3)
    1.0
    """
    shared = min(len(planted_ranks(k, share)) / pool, 1.0)
    return shared + (1 - shared) * serp(k, share)


def exposure(k: int, share: float, weight: Callable[[int], float] = lambda r: 1 / math.log2(r + 1)) -> float:
    """Share of the exposure that the planted positions draw, rank r counting ``weight(r)``.

    >>> round(exposure(10, 0.5, weight=lambda r: 1.0), 4)
    0.5
    """
    return sum(map(weight, planted_ranks(k, share))) / sum(weight(r) for r in range(1, k + 1))
