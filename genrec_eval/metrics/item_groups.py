"""Groups of the items of a catalogue, by provider or attribute, and the attention that lists give them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.slots import Bool, required
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged

PATIENCE = 0.85
"""Chance that a user who looked at one slot looks at the next, as in LensKit and Moffat & Zobel 2008."""

MOST_GROUPS = 50
"""Every user holds a number or two for each group: for a million users 50 groups are 0.8 GB."""

OTHERS = "all others"
"""Name of the group of what is none of the largest."""


def attention(weights: str, width: int) -> Float64:
    """float64[width], the weight of each slot.

    >>> attention("geometric", 3)
    array([1.    , 0.85  , 0.7225])
    """
    slots: dict[str, Float64] = {
        "log2": 1 / np.log2(np.arange(2, width + 2)),
        "geometric": np.power(PATIENCE, np.arange(width, dtype=np.float64)),
        "uniform": np.ones(width),
    }
    return slots[weights]


@dataclass(frozen=True, slots=True)
class ItemGroups:
    """To which groups each of n items belongs; an item of several is in each of them in equal parts.

    Attributes
    ----------
    codes
        Codes of each item's groups, into ``names``; none where they are not known.
    names
        Of each group.
    """

    codes: Ragged
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def known(self) -> Bool:
        """bool[n_items], items that belong to some group."""
        return self.codes.lengths > 0

    def place(self, group: str, by: str, metric: str) -> int:
        """Code of a group by its name.

        Raises
        ------
        UsageError
            When no item is of that group; names the metric that asked.
        """
        names = list(self.names)
        if group not in names:
            raise UsageError(
                f"metric '{metric}': no item's {by} hold '{group}'{did_you_mean(group, names)}"
                f" (known: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''})"
            )
        return names.index(group)

    def part_of(self, code: int) -> Float64:
        """float64[n_items], how far each item belongs to the group."""
        sizes = self.codes.lengths
        holders = np.repeat(np.arange(len(sizes)), sizes)[self.codes.values == code]
        belongs = np.zeros(len(sizes))
        belongs[holders] = 1 / sizes[holders]
        return belongs

    def shares(self, weights: Float64 | Int64) -> Float64:
        """float64[groups], shares of ``weights`` [n_items] over items of known groups; 0 of none."""
        items = np.flatnonzero(self.known)
        totals = self.sums(np.zeros(len(items), np.int64), items, weights[items].astype(np.float64), 1)[0]
        return totals / (totals.sum() or 1.0)

    def sums(self, rows: Int64, items: Int64 | Int32, weights: Float64, n: int) -> Float64:
        """float64[n, groups], what the groups of ``items`` get in each row; -1 is no item.

        Parameters
        ----------
        rows, items, weights
            Parallel: in which row, 0..n-1, which item gets how much.
        """
        held = items >= 0
        rows, items, weights = rows[held], items[held], weights[held]
        codes = self.codes.take(items.astype(np.int64))
        sizes = codes.lengths
        cells = np.repeat(rows * len(self), sizes) + codes.values
        parts = np.repeat(weights / np.maximum(sizes, 1), sizes)
        found: Float64 = np.bincount(cells, weights=parts, minlength=n * len(self)).astype(np.float64)
        return found.reshape(n, len(self))

    def present(self, largest: int, metric: str, by: str) -> ItemGroups:
        """The groups that have items, numbered anew.

        Parameters
        ----------
        largest
            Groups to keep, those with the most items; the others become one. 0 to keep each.

        Raises
        ------
        UsageError
            When there are more than :data:`MOST_GROUPS` left.
        """
        counts = np.bincount(self.codes.values, minlength=len(self))
        kept = np.flatnonzero(counts)
        if largest and len(kept) > largest:
            kept = np.sort(np.lexsort((np.arange(len(counts)), -counts))[:largest])
        merged = len(kept) < np.count_nonzero(counts)
        if len(kept) + merged > MOST_GROUPS:
            raise UsageError(
                f"metric '{metric}' compares each group of items with the others, and there are"
                f" {np.count_nonzero(counts):,} of them (by={by}; at most {MOST_GROUPS}): name a coarser"
                " column in the data, such as the provider's size or country, or compare"
                f" largest={MOST_GROUPS - 1} or fewer, all others being one group"
            )
        renamed = np.full(len(self), len(kept), np.int32)
        renamed[kept] = np.arange(len(kept), dtype=np.int32)
        names = [str(self.names[code]) for code in kept.tolist()] + ([OTHERS] if merged else [])
        found = ItemGroups(Ragged(self.codes.offsets, renamed[self.codes.values]), names)
        return found._distinct() if merged else found

    def _distinct(self) -> ItemGroups:
        """An item of several small groups is once in the group of all others."""
        owner = np.repeat(np.arange(len(self.codes), dtype=np.int64), self.codes.lengths)
        keys = np.unique(owner * len(self) + self.codes.values)
        owner, codes = np.divmod(keys, len(self))
        return ItemGroups(Ragged.group(owner, codes.astype(np.int32), len(self.codes)), self.names)


def item_groups(catalogue: Catalogue, by: str, metric: str) -> ItemGroups:
    """Items by provider or attribute.

    Raises
    ------
    UsageError
        When the data knows no such groups.
    """
    if by == "attributes":
        attributes = required(catalogue.attributes, "attributes", f"{metric}(by=attributes)")
        return ItemGroups(attributes, catalogue.attribute_names)
    providers = required(catalogue.providers, "providers", metric)
    offsets = np.concatenate([[0], np.cumsum(providers >= 0)]).astype(np.int64)
    return ItemGroups(Ragged(offsets, providers[providers >= 0]), catalogue.provider_names)
