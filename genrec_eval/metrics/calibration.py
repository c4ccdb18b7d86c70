"""Whether a list reflects the interests of a history in their proportions."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, excluded, owners, part, required, top_of
from genrec_eval.protocol.arrays import Float64, Int64, Ragged


@define(
    Definition(
        name="calibration",
        title="Miscalibration",
        summary="How far the genres of the list are from those of the user's history; 0 for the same mix.",
        formula=(
            "p(g) = mean over the items of the history of p(g | item), q(g) the same over the first k slots,"
            " p(g | item) = 1 / number of its attributes; divergence=kl: sum of p ln(p / ((1 - alpha) q +"
            " alpha p)); js: Jensen-Shannon divergence in bits; hellinger: Hellinger distance;"
            " weights=rank: slot r weighs 1 / log2(r + 1)"
        ),
        degenerate=(
            "Unknown ids and items without attributes are left out; repeats count each time, in list and"
            " history. Users without an answer (unanswered), with an empty list (empty-list), without an item"
            " with attributes in the list (no-attributes) or in the history (no-history) are excluded and"
            " counted."
        ),
        source="Steck 2018 (RecSys), alpha = 0.01; Hellinger and Jensen-Shannon are bounded by 1.",
        direction="lower",
        bounds=(0.0, None),
        traps=(
            "kl depends on alpha: a list that misses every genre of the history scores -ln(alpha), 4.6. A"
            " short list cannot hold many genres, so even the best list scores above 0."
        ),
        parameters={
            "alpha": (0.01, (0.001, 0.01, 0.05, 0.1)),
            "divergence": ("kl", ("kl", "js", "hellinger")),
            "weights": ("uniform", ("uniform", "rank")),
        },
        meanings={
            "alpha": "how much of the history's mix is added to the list's, so that kl stays finite",
            "divergence": "kl is Steck's; js and hellinger are bounded by 1 and do without alpha",
            "weights": "rank lets the top of the list count more",
        },
        needs=("attributes",),
    )
)
def calibration(lists: RankedLists, *, k: int, alpha: float, divergence: str, weights: str) -> UnitScores:
    """Divergence of the list's genres from those of the history."""
    attributes = required(lists.catalogue.attributes, "attributes", "calibration")
    n = max(len(lists.catalogue.attribute_names), int(attributes.values.max(initial=-1)) + 1, 1)
    width = min(k, lists.items.shape[1])
    slots = 1 / np.log2(np.arange(2, width + 2)) if weights == "rank" else np.ones(width)
    values, listed, had = np.zeros(len(lists)), np.zeros(len(lists)), np.zeros(len(lists))
    for rows in blocks(len(lists), max(n, width, int(lists.history.lengths.max(initial=0)))):
        history = part(lists.history, rows)
        top = top_of(lists.items[rows], k)
        m = len(top)
        p = shares(owners(history), history.values, np.ones(len(history.values)), attributes, m, n)
        of = np.repeat(np.arange(m), width)
        q = shares(of, top.ravel(), np.tile(slots, m), attributes, m, n)
        had[rows], listed[rows] = p.sum(axis=1), q.sum(axis=1)
        values[rows] = _divergence(p, q, alpha, divergence)
    reasons = excluded(lists, listed, "no-attributes")
    reasons["no-history"] = (had == 0) & ~np.logical_or.reduce(list(reasons.values()))
    return UnitScores(values=np.where((had > 0) & (listed > 0), values, 0.0), reasons=reasons)


def shares(rows: Int64, items: np.ndarray, weights: Float64, attributes: Ragged, m: int, n: int) -> Float64:
    """float64[m, n], the weight of each attribute in each row, rows summing to 1 or, without any, to 0.

    Parameters
    ----------
    rows, items, weights
        Entries: the row, the item and how much it counts. An item's weight is divided evenly among its
        attributes; unknown items and those without attributes are left out.
    """
    sizes = np.append(attributes.lengths, 0)
    keep = np.flatnonzero((items >= 0) & (sizes[items] > 0))
    of = attributes.take(items[keep].astype(np.int64))
    entry = np.repeat(keep, of.lengths)
    cells = rows[entry] * n + of.values
    each = (weights / np.maximum(sizes[items], 1))[entry]
    found = np.bincount(cells, weights=each, minlength=m * n).astype(np.float64).reshape(m, n)
    whole = found.sum(axis=1, keepdims=True)
    return np.divide(found, whole, out=np.zeros_like(found), where=whole > 0)


def _divergence(p: Float64, q: Float64, alpha: float, name: str) -> Float64:
    if name == "hellinger":
        return np.sqrt(np.maximum(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1) / 2, 0.0))
    if name == "js":
        middle = (p + q) / 2
        return np.clip((_relative(p, middle) + _relative(q, middle)) / (2 * np.log(2)), 0.0, 1.0)
    return np.maximum(_relative(p, (1 - alpha) * q + alpha * p), 0.0)


def _relative(p: Float64, q: Float64) -> Float64:
    """Sum of p ln(p / q) per row; q is positive wherever p is."""
    some = p > 0
    logs = np.log(np.where(some, p, 1.0)) - np.log(np.where(some, q, 1.0))
    return (p * logs).sum(axis=1)
