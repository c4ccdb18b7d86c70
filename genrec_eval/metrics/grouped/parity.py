"""Classification fairness of lists: parity of an outcome, of chances where it is due, and of both rates.

What a classifier would say of a user is whether the list holds an item of some kind; what is true of them is
whether they went on to choose one. The definitions are those of fairlearn, which the tests hold them to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.grouped.by_group import (
    BY,
    LEAST_USERS,
    MEANINGS,
    TRAPS,
    highest_and_lowest,
    settle_by,
    within,
)
from genrec_eval.metrics.grouped.gap import gap_between, ratio_between
from genrec_eval.metrics.item_groups import item_groups
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.popularity import tail
from genrec_eval.metrics.slots import owners, top_of
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.group_labels import label_test
from genrec_eval.stats.ranges import LowestOverHighest, Range, range_of, ratio_of, widest
from genrec_eval.stats.resolution import Resolution, of_labels

if TYPE_CHECKING:
    from genrec_eval.stats.fits import Fit

_OUTCOMES = ("hit", "long_tail", "attributes", "providers")
_PARAMETERS: dict[str, Any] = {
    **BY,
    "outcome": ("long_tail", _OUTCOMES),
    "items": ("", None),
    "form": ("difference", ("difference", "ratio")),
    **LEAST_USERS,
}
_MEANINGS = {
    **MEANINGS,
    "outcome": (
        "what a list may hold among its first k: hit: an item held out for the user; long_tail: an item of"
        " the long tail (the less popular items, with 20 % of the training interactions); attributes,"
        " providers: an item of `items`. It is due where a held-out item is of that kind; a hit is due to"
        " every user with held-out items"
    ),
    "items": "the attribute or provider, as the data spells it",
    "form": "difference: highest rate less lowest; ratio: lowest over highest",
}
_DEGENERATE = (
    "A list that is empty or was not answered has no such item. A user of several lists counts once, with the"
    " share of those lists to which a rate applies. Users of unknown group (no-group) and"
    " of groups with fewer than `least` users that count (small-group) are excluded and counted; with fewer"
    " than two groups left everybody is (one-group), and there is no value; so in a slice, of its users."
)
_BOUNDS = (0.0, 1.0)


def _unfit(parameters: Mapping[str, Any]) -> str | None:
    if parameters["outcome"] in ("attributes", "providers") and not parameters["items"]:
        return f"outcome={parameters['outcome']} needs items, the name of one of them"
    if parameters["outcome"] in ("hit", "long_tail") and parameters["items"]:
        return f"outcome={parameters['outcome']} takes no items"
    if parameters["least"] < 2:
        return f"least is at least 2 users, not {parameters['least']}"
    return None


def _unfit_odds(parameters: Mapping[str, Any]) -> str | None:
    if parameters["outcome"] == "hit":
        return "a hit is due to every user with held-out items, and undue to none: use equal_opportunity"
    return _unfit(parameters)


def kind_of(catalogue: Catalogue, outcome: str, items: str, name: str) -> Bool:
    """bool[n_items + 1], the items of the kind; the last entry stands for what is outside the catalogue.

    Parameters
    ----------
    name
        Of the metric that asks, for its errors.
    """
    if outcome == "long_tail":
        return np.append(tail(catalogue.train_counts, "interactions", 0.2) > 0.5, False)
    groups = item_groups(catalogue, outcome, name)
    return np.append(groups.part_of(groups.place(items, outcome, name)) > 0, False)


def _found_and_due(
    lists: RankedLists, k: int, outcome: str, items: str, name: str
) -> tuple[Bool, Bool, Bool]:
    """bool[n] each: the outcome is in the list, it is due, and whether it is due is known."""
    known = lists.truth.lengths > 0
    if outcome == "hit":
        return lists.hits.counts(k) > 0, known, np.ones(len(lists), bool)
    kind = kind_of(lists.catalogue, outcome, items, name)
    found: Bool = np.any(kind[top_of(lists.items, k)], axis=1)
    wanted = owners(lists.truth)[kind[np.maximum(lists.truth.values, -1)]]
    return found, np.bincount(wanted, minlength=len(lists)) > 0, known


def _rates(
    lists: RankedLists, name: str, conditions: Sequence[bool | None], k: int, outcome: str, items: str
) -> UnitScores:
    """What each list adds: the outcome and 1, for each rate that is compared.

    Parameters
    ----------
    conditions
        For each rate: whether the outcome must be due, undue, or either.
    """
    found, due, known = _found_and_due(lists, k, outcome, items, name)
    reasons: dict[str, Bool] = {}
    counting = [np.ones(len(due), bool) if one is None else due == one for one in conditions]
    if tuple(conditions) != (None,):
        reasons["no-truth"] = ~known if outcome != "hit" else ~due
        counting = [mask & ~reasons["no-truth"] for mask in counting]
        undue = ~np.logical_or.reduce(counting) & ~reasons["no-truth"]
        if undue.any():
            reasons["not-due"] = undue
    columns = [column for mask in counting for column in (found & mask, mask)]
    return UnitScores(
        values=found.astype(np.float64), reasons=reasons, sums=np.stack(columns, axis=1).astype(np.float64)
    )


def _value(parameters: Mapping[str, Any]) -> Callable[[Float64, Mapping[str, Any]], Float64]:
    return gap_between if parameters["form"] == "difference" else ratio_between


def _one(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    return _value(parameters)(sums, parameters)


def _one_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return (range_of if parameters["form"] == "difference" else ratio_of)(rows, _BOUNDS)


def _one_test(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    return label_test(rows, seed)


def _one_resolution(rows: Float64, parameters: Mapping[str, Any]) -> Resolution:
    return of_labels(rows)


def _worst_resolution(rows: Float64, parameters: Mapping[str, Any]) -> Resolution:
    one, other = (of_labels(half) for half in np.split(rows, 2, axis=1))
    return one.also(other)


def _worst(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """The greater difference, or the smaller ratio, of both rates."""
    both = [_value(parameters)(half, parameters) for half in np.split(sums, 2, axis=-1)]
    found: Float64 = (np.maximum if parameters["form"] == "difference" else np.minimum)(*both)
    return found


def _worst_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    ranges: list[Range] = []
    for half in np.split(rows, 2, axis=1):
        found = _one_alone(half, parameters)
        if isinstance(found, str):
            return found
        ranges.append(found.log if isinstance(found, LowestOverHighest) else found)  # type: ignore[arg-type]
    both = widest(ranges)
    return both if parameters["form"] == "difference" else LowestOverHighest(both)


def _worst_test(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    """Bonferroni over both rates."""
    tested = [label_test(half, seed) for half in np.split(rows, 2, axis=1)]
    given = [p for p in tested if p is not None]
    return min(1.0, min(given) * len(given)) if given else None


def _within(scores: UnitScores, mask: Bool, parameters: Mapping[str, Any]) -> UnitScores:
    if scores.sums is None:
        return scores
    return within(scores, mask, int(parameters["least"]), [np.split(scores.sums, 2, axis=1)[1]])


def _within_both(scores: UnitScores, mask: Bool, parameters: Mapping[str, Any]) -> UnitScores:
    if scores.sums is None:
        return scores
    return within(scores, mask, int(parameters["least"]), np.split(scores.sums, 4, axis=1)[1::2])


def _outcome(parameters: Mapping[str, Any]) -> str:
    named = {"hit": "a hit", "long_tail": "an item of the long tail"}.get(parameters["outcome"])
    return f"the share of lists with {named or 'an item of ' + str(parameters['items'])}"


def _told(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    return highest_and_lowest(rows, names, _outcome(parameters))


def _told_due(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    return highest_and_lowest(rows, names, f"{_outcome(parameters)}, where it is due,")


def _told_worse(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    due, undue = np.split(rows, 2, axis=1)
    apart = [float(_value(parameters)(half.sum(axis=0), parameters)) for half in (due, undue)]
    wide = apart[0] >= apart[1] if parameters["form"] == "difference" else apart[0] <= apart[1]
    words = f"{_outcome(parameters)}, where it is {'due' if wide else 'not due'},"
    return highest_and_lowest(due if wide else undue, names, words)


_SHARED: dict[str, Any] = {
    "direction": "none",
    "parameters": _PARAMETERS,
    "meanings": {name: text for name, text in _MEANINGS.items() if name in _PARAMETERS},
    "needs": ("groups", "outcome"),
}
_FORM = "; form=ratio: lowest over highest"


@define(
    Definition(
        name="demographic_parity",
        title="Demographic parity",
        summary="How far apart the groups' shares of users are whose list holds an item of some kind.",
        formula=f"max over groups of P(outcome in the first k | group) − min{_FORM}",
        degenerate=_DEGENERATE,
        source="fairlearn demographic_parity_difference and _ratio; Dwork et al. 2012 (statistical parity).",
        traps=TRAPS + " Groups that want different things are served alike only by serving some of them"
        " worse: set it beside equal_opportunity. form=difference is fair at 0, form=ratio at 1.",
        combine=_one,
        alone=_one_alone,
        test=_one_test,
        resolution=_one_resolution,
        tells=_told,
        settle=settle_by("demographic_parity", 2, (1, 1)),
        within=_within,
        check=_unfit,
        **_SHARED,
    )
)
def demographic_parity(
    lists: RankedLists, *, k: int, by: str, outcome: str, items: str, form: str, least: int
) -> UnitScores:
    """Outcome by group."""
    return _rates(lists, "demographic_parity", (None,), k, outcome, items)


@define(
    Definition(
        name="equal_opportunity",
        title="Equal opportunity",
        summary="How far apart the groups' shares are of users who get the kind of item that they went on to"
        " choose.",
        formula=f"max over groups of P(outcome in the first k | outcome is due, group) − min{_FORM}",
        degenerate="Users without held-out items (no-truth) and those to whom the outcome is not due"
        f" (not-due) are excluded and counted. {_DEGENERATE}",
        source="fairlearn equal_opportunity_difference and _ratio; Hardt, Price & Srebro 2016.",
        traps=TRAPS + " What users went on to choose depends on what they were shown: a truth that is biased"
        " makes unequal chances look equal. form=difference is fair at 0, form=ratio at 1.",
        combine=_one,
        alone=_one_alone,
        test=_one_test,
        resolution=_one_resolution,
        tells=_told_due,
        settle=settle_by("equal_opportunity", 2, (1, 1)),
        within=_within,
        check=_unfit,
        **_SHARED,
    )
)
def equal_opportunity(
    lists: RankedLists, *, k: int, by: str, outcome: str, items: str, form: str, least: int
) -> UnitScores:
    """Outcome by group, among those to whom it is due."""
    return _rates(lists, "equal_opportunity", (True,), k, outcome, items)


@define(
    Definition(
        name="equalised_odds",
        title="Equalised odds",
        summary="The wider of two ranges over groups: of the rates of an outcome where it is due, and where"
        " it is not.",
        formula=(
            "max of (max − min over groups of P(outcome | due, group), max − min of P(outcome | not due,"
            " group)); form=ratio: the smaller of both ratios of lowest to highest"
        ),
        degenerate=f"Users without held-out items (no-truth) are excluded and counted. {_DEGENERATE} A group"
        " needs `least` users of either kind.",
        source="fairlearn equalized_odds_difference and _ratio (agg='worst_case'); Hardt et al. 2016.",
        traps=TRAPS + " With unequal base rates it cannot hold together with calibration unless the model is"
        " perfect (Kleinberg et al. 2016). form=difference is fair at 0, form=ratio at 1.",
        combine=_worst,
        alone=_worst_alone,
        test=_worst_test,
        resolution=_worst_resolution,
        tells=_told_worse,
        settle=settle_by("equalised_odds", 4, (1, 1, 3, 3)),
        within=_within_both,
        check=_unfit_odds,
        **_SHARED,
    )
)
def equalised_odds(
    lists: RankedLists, *, k: int, by: str, outcome: str, items: str, form: str, least: int
) -> UnitScores:
    """Outcome by group, among those to whom it is due and among the others."""
    return _rates(lists, "equalised_odds", (True, False), k, outcome, items)
