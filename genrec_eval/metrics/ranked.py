"""What all accuracy metrics of ranked lists share: the edges, and the parameters that decide them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.base import Bool, Definition, Family, UnitScores
from genrec_eval.metrics.hits import Marks
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Float64, Int64

SHARED: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {
    "view": ("generated", ("generated", "filtered")),
    "ties": ("order", ("order", "worst", "expected", "best")),
    "no_truth": ("exclude", ("exclude", "zero", "one")),
    "no_list": ("zero", ("zero", "exclude")),
}
"""Parameters of every accuracy metric."""

MEANINGS = {
    "view": (
        "generated scores the list as it came; filtered first drops unknown ids, repeats, items of the"
        " history and items that are not among the candidates, and the list closes up before the cut;"
        " where people come back to items it drops what they want"
    ),
    "ties": (
        "what the order of items with equal scores, side by side, is taken to be: order is the model's own;"
        " worst puts misses first, best puts hits first; expected is the exact average over all orders."
        " All but order need the model's scores; a list without them is excluded and counted (no-scores)"
    ),
    "no_truth": "a user without relevant items: exclude (and count), or score zero or one",
    "no_list": "a user without an answer or with an empty list: score zero, or exclude (and count)",
}

DEGENERATE = (
    "A user without relevant items is excluded and counted (no-truth). No answer and an empty list score 0. A"
    " repeated item counts once, at its first occurrence; unknown ids and repeats keep their slots as misses."
)

TIE_TRAP = (
    " Ties: only items that the list names can tie; what the model left out with the same score as the last"
    " item is not seen."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What a metric finds in each list, before the rules for the edges.

    Attributes
    ----------
    numerator, denominator
        [n] or a number; a value is their ratio, 0 where the denominator is 0.
    undefined
        bool[n], users without truth; None for those without relevant items.
    reasons
        Further reasons why a user has no score; one that has no truth comes under that.
    weights
        float64[n] or None, as in :class:`~genrec_eval.metrics.base.UnitScores`.
    """

    numerator: npt.ArrayLike
    denominator: npt.ArrayLike
    undefined: Bool | None = None
    reasons: Mapping[str, Bool] = field(default_factory=dict)
    weights: Float64 | None = None


def ranked(definition: Definition) -> Callable[[Callable[..., Ratio]], Family]:
    """Make a metric of a function from lists to a :class:`Ratio`, with the parameters of :data:`SHARED`.

    The function gets the lists of the view asked for, ``k`` where the definition needs a cutoff, ``ties``
    and the definition's own parameters. A definition may declare ``ties`` itself, in its own values.
    """
    own_ties = "ties" in definition.parameters
    shared = {name: value for name, value in SHARED.items() if name not in definition.parameters}
    whole = replace(
        definition,
        parameters={**definition.parameters, **shared},
        meanings={**MEANINGS, **definition.meanings},
    )

    def wrap(function: Callable[..., Ratio]) -> Family:
        @functools.wraps(function)
        def scored(
            lists: RankedLists, *, view: str, ties: str, no_truth: str, no_list: str, **own: Any
        ) -> UnitScores:
            lists = lists.filtered if view == "filtered" else lists
            unscored = np.zeros(len(lists), bool) if own_ties or ties == "order" else lists.unscored
            if unscored.any() and lists.scores is None:
                undefined = lists.truth.lengths == 0
                found = Ratio(numerator=0.0, denominator=1.0, undefined=undefined)
            else:
                found = function(lists, ties=ties, **own)
            return _finish(lists, found, {"no-scores": unscored}, no_truth=no_truth, no_list=no_list)

        return Family(whole, scored)

    return wrap


def _finish(
    lists: RankedLists, found: Ratio, reasons: Mapping[str, Bool], *, no_truth: str, no_list: str
) -> UnitScores:
    """Values and reasons of the users."""
    values = np.zeros(len(lists))
    denominator = np.asarray(found.denominator)
    np.divide(found.numerator, denominator, out=values, where=denominator > 0)
    undefined = lists.truth.lengths == 0 if found.undefined is None else found.undefined
    if no_truth != "exclude":
        values[undefined] = 1.0 if no_truth == "one" else 0.0
    masks = left_out(lists, undefined, {**reasons, **found.reasons}, no_truth=no_truth, no_list=no_list)
    return UnitScores(values=values, reasons=masks, weights=found.weights)


def left_out(
    lists: RankedLists, undefined: Bool, reasons: Mapping[str, Bool], *, no_truth: str, no_list: str
) -> dict[str, Bool]:
    """Reason → bool[n], the users without a score; the first reason that holds is theirs."""
    ordered: dict[str, Bool] = {}
    if no_truth == "exclude":
        ordered["no-truth"] = undefined
    if no_list == "exclude":
        ordered |= {"unanswered": ~lists.answered, "empty-list": lists.lengths == 0}
    ordered |= {name: mask if no_truth == "exclude" else mask & ~undefined for name, mask in reasons.items()}
    free = np.ones(len(lists), bool)
    masks: dict[str, Bool] = {}
    for name, mask in ordered.items():
        if mask.any():
            masks[name] = mask & free
            free &= ~mask
    return masks


def hit_marks(lists: RankedLists, ties: str) -> Marks:
    """The hits where ``ties`` puts them; not for expected ties, which have no one place."""
    if ties == "order":
        return lists.hits
    return lists.worst_hits if ties == "worst" else lists.best_hits


def hit_counts(lists: RankedLists, ties: str, k: int | Int64) -> npt.NDArray[Any]:
    """[n], hits among the first ``k`` slots (of each list), on average where ties are."""
    if ties == "expected":
        return lists.tied_hits.counts(k)
    marks = hit_marks(lists, ties)
    if isinstance(k, int):
        return marks.counts(k)
    return np.bincount(marks.rows[marks.ranks < k[marks.rows]], minlength=len(lists))
