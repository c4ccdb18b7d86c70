"""How alike two ranked lists are: the measures of FaiRLLM and its followers, each variant under its own name.

Four public implementations of "SERP*" and "PRAG*" give four different numbers for the same two lists, so a
variant is always named. Two rules say how lists are read:

``standard``
    Both lists lose what they repeat and close up, then are cut at ``k``. K is the length of the longer of
    the two, so identical lists score the most that the variant can give, and a list that came out shorter
    loses what it lacks. Nothing exceeds the variant's cap.
``published``
    As the code whose numbers are in print: slots as they came, cut at ``k``. Repeats then count in each of
    their slots, and may push ``serp_notebook`` above its cap.

An id outside the catalogue is an item like any other. Where one list is empty the similarity is 0, where
both are it is NaN: there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64

Bool = npt.NDArray[np.bool_]
Rule = Literal["standard", "published"]

_CELLS = 1 << 22
"""Cells of a work array: bounds the memory at some tens of MB."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Where the items of one list stand in another, for N pairs of lists.

    Attributes
    ----------
    places
        int64[N, w]: slot of each item of the first list in the second; w where the second lacks it, -1 after
        the end of the first.
    first, second
        int64[N], lengths.
    pairs
        int64[N], pairs of equal slots.
    same
        bool[N], whether the lists are equal, slot by slot.
    """

    places: Int64
    first: Int64
    second: Int64
    pairs: Int64
    same: Bool

    @property
    def found(self) -> Bool:
        """bool[N, w], items of the first list that the second has."""
        return (self.places >= 0) & (self.places < self.places.shape[1])

    @property
    def longer(self) -> Int64:
        """int64[N], the length of the longer list."""
        return np.maximum(self.first, self.second)

    def ordered_pairs(self, known: bool) -> Int64:
        """int64[N], pairs of items that the first list has in the order of the second.

        Parameters
        ----------
        known
            Whether the second must have both; else what it lacks stands behind all that it has.
        """
        places, width = self.places, self.places.shape[1]
        narrow: Int64 = places.astype(np.int16) if width < 1 << 15 else places
        before = narrow[:, :, None] < narrow[:, None, :]
        before &= np.triu(np.ones((width, width), bool), 1)
        before &= self.found[:, :, None]
        if known:
            before &= self.found[:, None, :]
        return np.count_nonzero(before, axis=(1, 2))


def similarity(first: Int32, second: Int32, of: str, *, k: int, rule: Rule = "standard") -> Float64:
    """Similarity of lists.

    Parameters
    ----------
    first
        int32[..., w], the list whose ranks are weighted (by ``serp``); -1 after the end of a list, which
        stands nowhere before it.
    second
        int32[..., w'], the list that the first is held against; leading axes broadcast.
    of
        A name of :data:`SIMILARITIES`.
    k
        Cutoff.

    Returns
    -------
    float64[...]
        0 where one list is empty, NaN where both are.

    >>> up = np.arange(20, dtype=np.int32)
    >>> [round(float(similarity(up, up, of, k=20)), 4) for of in SIMILARITIES]
    [1.0, 1.0, 0.2738, 1.0, 0.4524, 1.0]
    >>> [round(float(similarity(up, up[::-1], of, k=20)), 4) for of in SIMILARITIES]
    [1.0, 1.0, 0.2738, 0.0, 0.0, 0.0]
    """
    shape = np.broadcast_shapes(first.shape[:-1], second.shape[:-1])
    width = max(first.shape[-1], second.shape[-1], 1)
    pair = [
        np.broadcast_to(_padded(one, width), (*shape, width)).reshape(-1, width) for one in (first, second)
    ]
    function = SIMILARITIES[of] if rule == "standard" else PUBLISHED.get(of, SIMILARITIES[of])
    printed = rule == "published" and of in PUBLISHED
    values = np.empty(len(pair[0]))
    step = max(1, _CELLS // (width * width))
    for start in range(0, len(values), step):
        one, other = (side[start : start + step] for side in pair)
        if rule == "published":
            one, other = one[:, :k], other[:, :k]
        if not printed:
            one, other = closed_up(one)[:, :k], closed_up(other)[:, :k]
        values[start : start + step] = _values(function, one, other, last=printed and of.startswith("prag"))
    return values.reshape(shape)


def _padded(items: Int32, width: int) -> Int32:
    missing = width - items.shape[-1]
    if not missing:
        return items
    return np.pad(items, [(0, 0)] * (items.ndim - 1) + [(0, missing)], constant_values=PAD)


def _values(function: Callable[[Matched], Float64], one: Int32, other: Int32, last: bool) -> Float64:
    matched = _matched(one, other, last)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = function(matched)
    values = np.where((matched.first > 0) & (matched.second > 0), values, 0.0)
    values[(matched.first == 0) & (matched.second == 0)] = np.nan
    return values


def _matched(one: Int32, other: Int32, last: bool) -> Matched:
    filled = one != PAD
    equal = (one[:, :, None] == other[:, None, :]) & filled[:, :, None]
    width = one.shape[1]
    at = width - 1 - equal[:, :, ::-1].argmax(axis=2) if last else equal.argmax(axis=2)
    places = np.where(filled, np.where(equal.any(axis=2), at, width), -1)
    return Matched(
        places=places.astype(np.int64),
        first=np.count_nonzero(filled, axis=1),
        second=np.count_nonzero(other != PAD, axis=1),
        pairs=np.count_nonzero(equal, axis=2),
        same=(one == other).all(axis=1),
    )


def closed_up(items: Int32) -> Int32:
    """Lists without what stands earlier in the same list, what is left closed up; int32[N, w].

    >>> closed_up(np.array([[3, 3, -2, 4, -2, -1]], np.int32)).tolist()
    [[3, -2, 4, -1, -1, -1]]
    """
    ordered = np.sort(items, axis=1)
    rows = np.flatnonzero(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PAD)).any(axis=1))
    if not len(rows):
        return items
    some = items[rows]
    earlier = (some[:, :, None] == some[:, None, :]) & np.tri(some.shape[1], k=-1, dtype=bool)
    kept = ~earlier.any(axis=2) & (some != PAD)
    found = items.copy()
    found[rows] = only(some, kept)
    return found


def only(items: Int32, keep: Bool) -> Int32:
    """Lists of what is kept, closed up; both [N, w]."""
    places = np.arange(items.shape[1]) < np.count_nonzero(keep, axis=1)[:, None]
    found = np.full_like(items, PAD)
    found[places] = items[keep]
    return found


def _ranks(lists: Matched, length: Int64) -> Int64:
    """int64[N, w], K - rank + 1 of each slot, ranks from 1."""
    return length[:, None] - np.arange(lists.places.shape[1])


def jaccard(lists: Matched) -> Float64:
    """Common items over all items."""
    common = np.count_nonzero(lists.found, axis=1)
    return common / (lists.first + lists.second - common)


def serp(lists: Matched) -> Float64:
    """Common items, each with K - rank + 1 in the first list, over K(K+1)/2: FaiRLLM's paper."""
    k = lists.longer
    return (_ranks(lists, k) * lists.found).sum(axis=1) * 2 / (k * (k + 1))


def serp_notebook(lists: Matched) -> Float64:
    """Common items, each with K - rank + 2, over 2K(K+1): FaiRLLM's notebook, 0.274 at most for K = 20."""
    k = lists.longer
    return ((_ranks(lists, k) + 1) * lists.found).sum(axis=1) / (2 * k * (k + 1))


def prag(lists: Matched) -> Float64:
    """Pairs of the first list that the second has in the same order, over K(K-1)/2; 1 for equal single items.

    What the second list lacks stands behind all that it has.
    """
    k = lists.longer
    return np.where(k == 1, lists.same, lists.ordered_pairs(False) * 2 / (k * (k - 1)))


def prag_k_plus_1(lists: Matched) -> Float64:
    """The same pairs over K(K+1): LangFair, at most 0.452 for K = 20."""
    k = lists.longer
    return lists.ordered_pairs(False) / (k * (k + 1))


def prag_common(lists: Matched) -> Float64:
    """Pairs of common items in the same order over all pairs of common items; 0 below two common items."""
    common = np.count_nonzero(lists.found, axis=1)
    pairs = common * (common - 1) / 2
    return np.where(pairs > 0, lists.ordered_pairs(True) / np.maximum(pairs, 1), 0.0)


def _serp_printed(lists: Matched) -> Float64:
    """K is the length of the first list, to which the second is cut; repeats count in each slot."""
    k = lists.first
    found = lists.found & (lists.places < k[:, None])
    return (_ranks(lists, k) * found).sum(axis=1) * 2 / (k * (k + 1))


def _notebook_printed(lists: Matched) -> Float64:
    """Each pair of equal slots counts; ranks are of the first list, the norm is of the second."""
    weights = _ranks(lists, lists.first) + 1
    return (weights * lists.pairs).sum(axis=1) / (2 * lists.second * (lists.second + 1))


def _prag_printed(lists: Matched) -> Float64:
    """Pairs of slots of the first list; an item stands where the second list has it last."""
    k = lists.first
    return np.where(k == 1, lists.same, lists.ordered_pairs(False) * 2 / (k * (k - 1)))


def _langfair_printed(lists: Matched) -> Float64:
    return lists.ordered_pairs(False) / (lists.first * (lists.first + 1))


SIMILARITIES: Mapping[str, Callable[[Matched], Float64]] = {
    "jaccard": jaccard,
    "serp": serp,
    "serp_notebook": serp_notebook,
    "prag": prag,
    "prag_k_plus_1": prag_k_plus_1,
    "prag_common": prag_common,
}
"""Name of a variant → its standard form."""

PUBLISHED: Mapping[str, Callable[[Matched], Float64]] = {
    "serp": _serp_printed,
    "serp_notebook": _notebook_printed,
    "prag": _prag_printed,
    "prag_k_plus_1": _langfair_printed,
}
"""The forms of the code in print, where they read lists in another way."""
