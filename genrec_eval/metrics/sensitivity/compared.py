"""Each list held against the neutral lists of its unit, and why some cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists
from genrec_eval.metrics.sensitivity.similarity import SIMILARITIES, closed_up, only, similarity
from genrec_eval.protocol.arrays import PAD, Float64, Int32

Bool = npt.NDArray[np.bool_]

OF: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {
    "of": ("jaccard", tuple(SIMILARITIES)),
    "rule": ("standard", ("standard", "published")),
    "weighted": ("sensitive", ("sensitive", "neutral")),
}
"""Parameters of everything that compares two lists."""

MEANINGS = {
    "attribute": "the attribute that is disclosed; gender*age for both at once",
    "value": "the disclosed value; all values of the attribute when it is left out",
    "of": (
        "the similarity: jaccard: common items over all; serp: common items by rank, as in FaiRLLM's paper;"
        " serp_notebook: as its code has it, at most 0.274 for 20 items; prag: pairs in the same order over"
        " K(K-1)/2; prag_k_plus_1: over K(K+1), at most 0.452 for 20 items; prag_common: over pairs of common"
        " items, blind to which items are listed"
    ),
    "rule": (
        "standard: repeats are taken out, and K is the length of the longer list; published: lists as the"
        " code in print reads them, repeats and lengths included"
    ),
    "weighted": "whose ranks serp weighs, and whose pairs prag counts",
}

PAIRS = (
    " Repeat i under the value is held against the neutral repeats j other than i (against the same one where"
    " each is asked once), as neutral repeats are against each other."
)

DEGENERATE = (
    "An empty list against a neutral one that is not counts 0. Excluded and counted are units without a"
    " neutral answer (neutral-failed), with empty neutral lists only (empty-neutral), those that were asked"
    " none of the values (not-asked) and those for which one of the values asked has no list to compare"
    " (arm-failed): which values a model fails to answer is rarely chance."
)


def needs_attribute(parameters: Mapping[str, Any]) -> str | None:
    """A check of parameters."""
    return None if parameters["attribute"] else "name the attribute, as in attribute=gender"


def columns_of(lists: ArmLists, attribute: str, value: str = "", arm: str = "sensitive") -> dict[str, Int32]:
    """Value of the attribute → the variants that disclose it in the way of ``arm``.

    Raises
    ------
    UsageError
        When there is no such attribute or value.
    """
    sensitive = [(i, v) for i, v in enumerate(lists.variants) if v.arm == arm]
    names = list(dict.fromkeys(v.attribute for _, v in sensitive if v.attribute))
    how = "" if arm == "sensitive" else f" in the arm '{arm}'"
    if attribute not in names:
        raise UsageError(
            f"no list was asked for with '{attribute}' disclosed{how}{did_you_mean(attribute, names)}"
            f" (disclosed: {', '.join(names) or 'nothing'})"
        )
    found: dict[str, list[int]] = {}
    for index, variant in sensitive:
        if variant.attribute == attribute:
            found.setdefault(variant.value or "", []).append(index)
    if value and value not in found:
        raise UsageError(
            f"'{attribute}' was never disclosed as '{value}'{did_you_mean(value, found)}"
            f" (disclosed: {', '.join(found)})"
        )
    return {name: np.array(v, np.int32) for name, v in found.items() if value in ("", name)}


def repeat_pairs(lists: ArmLists) -> list[tuple[int, int]]:
    """(neutral repeat, other repeat): never the same one, which may share its chance, unless there is one."""
    r = len(lists.items)
    return [(i, j) for i in range(r) for j in range(r) if i != j or r == 1]


def compared(lists: ArmLists, k: int, of: str, rule: str, weighted: str, truth: bool = False) -> Float64:
    """float64[pairs, n, m], similarity of every list to the neutral one; NaN where one is missing or empty.

    The first column, neutral to neutral, is NaN where each is asked once.

    Parameters
    ----------
    truth
        Whether only held-out relevant items are compared; pairs without any are NaN, and so are those
        whose neutral list was empty to begin with.
    """
    key = "compared", k, of, rule, weighted, truth
    if key not in lists.kept:
        items = _relevant(lists) if truth else lists.items
        there = lists.answered[:, :, 0] & (lists.items[:, :, 0, :1] != PAD).any(axis=-1)
        found = np.empty((len(repeat_pairs(lists)), len(lists), len(lists.variants)))
        for at, (i, j) in enumerate(repeat_pairs(lists)):
            first, second = items[j], items[i][:, :1]
            if weighted == "neutral":
                first, second = second, first
            values = similarity(first, second, of, k=k, rule=rule)  # type: ignore[arg-type]
            values[~there[i]] = np.nan
            values[~lists.answered[j]] = np.nan
            found[at] = values
        if len(lists.items) == 1:
            found[:, :, 0] = np.nan
        lists.kept[key] = found
    held: Float64 = lists.kept[key]
    return held


def over_pairs(values: Float64) -> Float64:
    """Mean over the first axis of what is not NaN; NaN where nothing is."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def by_value(lists: ArmLists, cells: Float64, columns: Mapping[str, Int32]) -> Float64:
    """float64[n, g], the mean over the variants of each value; NaN where none was asked or one failed."""
    found = np.full((len(lists), len(columns)), np.nan)
    for at, some in enumerate(columns.values()):
        asked = lists.asked[:, some]
        total = np.where(asked, cells[:, some], 0.0).sum(axis=1)
        np.divide(total, asked.sum(axis=1), out=found[:, at], where=asked.any(axis=1))
    return found


def failures(
    lists: ArmLists, cells: Float64, columns: Mapping[str, Int32], also: Mapping[str, Bool] | None = None
) -> dict[str, Bool]:
    """Reason → bool[n], units that cannot be scored; the first that holds is theirs."""
    some = np.concatenate(list(columns.values()))
    neutral = lists.answered[:, :, 0]
    filled = neutral & (lists.items[:, :, 0, :1] != PAD).any(axis=-1)
    ordered = {
        "neutral-failed": ~neutral.any(axis=0),
        "empty-neutral": ~filled.any(axis=0),
        **(also or {}),
        "not-asked": ~lists.asked[:, some].any(axis=1),
        "arm-failed": (lists.asked[:, some] & np.isnan(cells[:, some])).any(axis=1),
    }
    return exclusive(ordered)


def exclusive(ordered: Mapping[str, Bool]) -> dict[str, Bool]:
    """Masks without overlap, the earlier first; those that hold for nobody are left out."""
    masks: dict[str, Bool] = {}
    free: Bool | None = None
    for name, mask in ordered.items():
        own = mask if free is None else mask & free
        free = ~mask if free is None else free & ~mask
        if own.any():
            masks[name] = own
    return masks


def scored_of(values: Float64, reasons: Mapping[str, Bool], sums: Float64 | None = None) -> UnitScores:
    """Scores with nothing but numbers under the reasons."""
    return UnitScores(
        values=np.nan_to_num(values), reasons=reasons, sums=None if sums is None else np.nan_to_num(sums)
    )


def no_truth(lists: ArmLists) -> Bool:
    """bool[n], units without a held-out relevant item."""
    return np.ones(len(lists), bool) if lists.truth is None else lists.truth.lengths == 0


def hits(lists: ArmLists, k: int) -> Float64:
    """float64[r, n, m], distinct relevant items among the first ``k`` slots; NaN where there is no list."""
    key = "hits", k
    if key not in lists.kept:
        found = np.count_nonzero(_relevant(lists, k) != PAD, axis=-1).astype(np.float64)
        lists.kept[key] = np.where(lists.answered, found, np.nan)
    held: Float64 = lists.kept[key]
    return held


def _relevant(lists: ArmLists, k: int | None = None) -> Int32:
    """int32[r, n, m, w], the lists' held-out relevant items, each once and in their order."""
    r, n, m = lists.items.shape[:3]
    items = lists.items if k is None else lists.items[..., :k]
    flat = items.reshape(-1, items.shape[-1])
    if lists.truth is None:
        return np.full_like(items, PAD)
    unit = np.broadcast_to(np.arange(n, dtype=np.int64)[None, :, None], (r, n, m)).reshape(-1)
    owners = np.repeat(np.arange(n, dtype=np.int64), lists.truth.lengths)
    wanted = owners << 32 | lists.truth.values.astype(np.int64)
    wanted = wanted[lists.truth.values >= 0]
    keep = np.isin(unit[:, None] << 32 | np.maximum(flat, 0).astype(np.int64), wanted) & (flat >= 0)
    return closed_up(only(flat, keep)).reshape(items.shape)


def sums_and_counts(values: Float64, reasons: Sequence[Bool]) -> Float64:
    """float64[n, 2 g], rows of :mod:`genrec_eval.stats.ranges`; zeros for units under a reason."""
    there = ~np.isnan(values)
    for mask in reasons:
        there = there & ~mask[:, None]
    return np.concatenate([np.where(there, values, 0.0), there.astype(np.float64)], axis=1)
