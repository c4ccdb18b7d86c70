"""How much of users' attention the lists give to the items of a group."""

from __future__ import annotations

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, ratio, required, top_of
from genrec_eval.protocol.arrays import Float64

PATIENCE = 0.85
"""Chance that a user who looked at one slot looks at the next, as in LensKit and Moffat & Zobel 2008."""


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
    belongs, known = membership(lists.catalogue, by, group)
    width = min(k, lists.items.shape[1])
    slots = {
        "log2": 1 / np.log2(np.arange(2, width + 2)),
        "geometric": PATIENCE ** np.arange(width),
        "uniform": np.ones(width),
    }[weights]
    given, whole = np.zeros(len(lists)), np.zeros(len(lists))
    belongs, known = np.append(belongs, 0.0), np.append(known, False)
    for rows in blocks(len(lists), width):
        top = top_of(lists.items[rows], k)
        given[rows] = (belongs[top] * slots).sum(axis=1)
        whole[rows] = (known[top] * slots).sum(axis=1)
    target = _target(lists.catalogue, belongs[:-1], known[:-1], relative)
    scores = ratio(lists, given, whole, "no-group", {"no-target": np.full(len(lists), target == 0)})
    return UnitScores(values=scores.values / (target or 1.0), reasons=scores.reasons, weights=whole)


def membership(catalogue: Catalogue, by: str, group: str) -> tuple[Float64, np.ndarray]:
    """float64[n], how far each item belongs to the group, and bool[n], whether its groups are known.

    Raises
    ------
    UsageError
        When there is no such group, or none is named.
    """
    if by == "providers":
        codes = required(catalogue.providers, "providers", "exposure")
        names = catalogue.provider_names
    else:
        attributes = required(catalogue.attributes, "attributes", "exposure(by=attributes)")
        names = catalogue.attribute_names
    if not group:
        first = names[0] if len(names) else "NAME"
        raise UsageError(f"metric 'exposure' needs a group, as in exposure(by={by},group={first})@10")
    if group not in names:
        raise UsageError(
            f"metric 'exposure': no item's {by} hold '{group}'{did_you_mean(group, names)}"
            f" (known: {', '.join(list(names)[:10])}{', ...' if len(names) > 10 else ''})"
        )
    code = list(names).index(group)
    if by == "providers":
        return (codes == code).astype(np.float64), codes >= 0
    sizes = attributes.lengths
    holders = np.repeat(np.arange(len(sizes)), sizes)[attributes.values == code]
    belongs = np.zeros(len(sizes))
    belongs[holders] = 1 / sizes[holders]
    return belongs, sizes > 0


def _target(catalogue: Catalogue, belongs: Float64, known: np.ndarray, relative: str) -> float:
    if relative == "none":
        return 1.0
    weights = catalogue.train_counts * known if relative == "train" else known.astype(np.int64)
    return float((belongs * weights).sum() / max(int(weights.sum()), 1))
