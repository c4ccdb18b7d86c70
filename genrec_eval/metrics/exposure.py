"""How much of users' attention the lists give to the items of a group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.item_groups import ItemGroups, attention, item_groups
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, ratio, top_of
from genrec_eval.protocol.arrays import PAD


@define(
    Definition(
        name="exposure",
        title="Exposure",
        summary="Share of all exposure that goes to the items of one group of providers or attributes.",
        formula=(
            "sum over users and the first k slots of w(r) · [item in the group] / sum of w(r) over slots"
            " whose group is known; w(r) = 1 / log2(r + 1), weights=geometric: 0.85^(r - 1),"
            " weights=uniform: 1; an item of several attributes belongs to each of them in equal parts;"
            " relative=catalogue: divided by the group's share of the catalogue, relative=train: of the"
            " training interactions"
        ),
        degenerate=(
            "Unknown ids and items whose group is not known are left out. Users without an answer"
            " (unanswered), with an empty list (empty-list) or without any item of a known group (no-group)"
            " are excluded and counted; when the group's own share is 0, all are (no-target)."
        ),
        source="Singh & Joachims 2018 (exposure and position bias); weights=geometric as LensKit.",
        direction="none",
        bounds=(0.0, None),
        traps=(
            "A user counts as much as their list draws exposure, so short lists count less. Without a target"
            " a share says nothing of fairness: name one with relative."
        ),
        parameters={
            "by": ("providers", ("providers", "attributes")),
            "group": ("", None),
            "relative": ("none", ("none", "catalogue", "train")),
            "weights": ("log2", ("log2", "geometric", "uniform")),
        },
        meanings={
            "by": "what the group is a group of",
            "group": "the provider or attribute, as the data spells it; must be given",
            "relative": "the share that the group's exposure is divided by",
            "weights": "how attention falls along the list",
        },
        needs=("by",),
    )
)
def exposure(lists: RankedLists, *, k: int, by: str, group: str, relative: str, weights: str) -> UnitScores:
    """Share of the exposure of the first ``k`` that the group has."""
    groups, code = _named(lists.catalogue, by, group)
    belongs, known = groups.part_of(code), groups.known
    target = _target(lists.catalogue, groups, code, relative)
    width = min(k, lists.items.shape[1])
    slots = attention(weights, width)
    given, whole = np.zeros(len(lists)), np.zeros(len(lists))
    belongs, known = np.append(belongs, 0.0), np.append(known, False)
    for rows in blocks(len(lists), width):
        top = top_of(lists.items[rows], k)
        given[rows] = (belongs[top] * slots).sum(axis=1)
        whole[rows] = (known[top] * slots).sum(axis=1)
    scores = ratio(lists, given, whole, "no-group", {"no-target": np.full(len(lists), target == 0)})
    return UnitScores(values=scores.values / (target or 1.0), reasons=scores.reasons, weights=whole)


@define(
    Definition(
        name="unlabelled",
        title="Unlabelled exposure",
        summary="Share of all exposure that goes to items whose provider or attribute is not known.",
        formula=(
            "sum over users and the first k slots of w(r) · [group of the item is not known] / sum of w(r)"
            " over filled slots; w(r) = 1 / log2(r + 1), weights=geometric: 0.85^(r - 1), weights=uniform: 1,"
            " which makes it the share of slots"
        ),
        degenerate=(
            "An id outside the catalogue is of no known group. Users without an answer (unanswered) or with"
            " an empty list (empty-list) are excluded and counted."
        ),
        source="This project.",
        direction="lower",
        unit="share",
        traps="Metrics of exposure leave these slots out: where they are many, those say little of the rest.",
        parameters={
            "by": ("providers", ("providers", "attributes")),
            "weights": ("log2", ("log2", "geometric", "uniform")),
        },
        meanings={
            "by": "what must be known of an item",
            "weights": "how attention falls along the list",
        },
        needs=("by",),
    )
)
def unlabelled(lists: RankedLists, *, k: int, by: str, weights: str) -> UnitScores:
    """Share of the exposure of the first ``k`` that no group has."""
    known = np.append(item_groups(lists.catalogue, by, "unlabelled").known, False)
    slots = attention(weights, min(k, lists.items.shape[1]))
    missed, whole = np.zeros(len(lists)), np.zeros(len(lists))
    for rows in blocks(len(lists), len(slots)):
        filled = lists.items[rows, :k] != PAD
        missed[rows] = ((filled & ~known[top_of(lists.items[rows], k)]) * slots).sum(axis=1)
        whole[rows] = (filled * slots).sum(axis=1)
    scores = ratio(lists, missed, whole, "no-group")  # of an empty list alone, for another reason
    return replace(scores, weights=whole)


def _named(catalogue: Catalogue, by: str, group: str) -> tuple[ItemGroups, int]:
    """Groups of items, and the code of the one that is named.

    Raises
    ------
    UsageError
        When there is no such group, or none is named.
    """
    groups = item_groups(catalogue, by, "exposure")
    names = list(groups.names)
    if not group:
        first = names[0] if names else "NAME"
        raise UsageError(f"metric 'exposure' needs a group, as in exposure(by={by},group={first})@10")
    return groups, groups.place(group, by, "exposure")


def _target(catalogue: Catalogue, groups: ItemGroups, code: int, relative: str) -> float:
    if relative == "none":
        return 1.0
    weights = catalogue.train_counts if relative == "train" else np.ones(len(catalogue))
    return float(groups.shares(weights)[code])
