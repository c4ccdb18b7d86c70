"""Age groups, the same for every data set, so that slices can be compared."""

from __future__ import annotations

AGES = {
    1: "under 18",
    18: "18-24",
    25: "25-34",
    35: "35-44",
    45: "45-49",
    50: "50-55",
    56: "56+",
}
"""First year of each age bucket of MovieLens 1M, which is also its code there → the bucket's name."""


def bucket(age: int) -> str:
    """Age bucket as in MovieLens 1M.

    >>> bucket(17), bucket(18), bucket(49), bucket(80)
    ('under 18', '18-24', '45-49', '56+')
    """
    return AGES[max((first for first in AGES if first <= age), default=1)]


def plausible(text: str | None, low: int = 5, high: int = 100) -> str | None:
    """Bucket of an age as people type it; None for what is no age of a person who reads and listens.

    >>> plausible("34"), plausible("0"), plausible("239"), plausible("NULL"), plausible("18.0")
    ('25-34', None, None, None, '18-24')
    """
    digits = (text or "").strip().removesuffix(".0")
    if not digits.isdecimal() or len(digits) > 3 or not low <= int(digits) <= high:
        return None
    return bucket(int(digits))
