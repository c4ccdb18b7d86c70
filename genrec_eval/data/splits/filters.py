"""What is dropped from a dataset's interactions before they are split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Interactions

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.spec import SplitSpec

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Kept:
    """Interactions that are left.

    Attributes
    ----------
    mask
        bool over the dataset's interactions; None when all are kept.
    dropped
        How many are not, by reason.
    """

    interactions: Interactions
    mask: Mask | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def prefilter(dataset: Dataset, spec: SplitSpec) -> Kept:
    """Apply ``drop_below``, then ``k_core``."""
    log = dataset.interactions
    mask = np.ones(len(log), bool)
    dropped: dict[str, int] = {}
    facts: dict[str, Any] = {}
    if spec.drop_below is not None:
        if log.rating is None:
            raise UsageError(
                f"dataset '{dataset.name}' has no ratings, so drop_below cannot be applied; leave it out"
            )
        mask = log.rating >= spec.drop_below
        dropped["below-rating"] = int(np.count_nonzero(~mask))
        facts["drop_below"] = spec.drop_below
    if spec.k_core is not None:
        core, rounds = k_core(log, spec.k_core.users, spec.k_core.items, mask)
        dropped["k-core"] = int(np.count_nonzero(mask)) - rounds[-1]["interactions"]
        facts["k_core"] = {
            "least_per_user": spec.k_core.users,
            "least_per_item": spec.k_core.items,
            "counted": "training and test together",
            "rounds": rounds,
        }
        mask = core
    if len(mask) and not mask.any():
        raise UsageError(
            f"nothing is left of dataset '{dataset.name}' after {' and '.join(dropped)}; ask for less"
        )
    if mask.all():
        return Kept(log, None, dropped, facts)
    return Kept(log.where(mask), mask, dropped, facts)


def core_catalogue(dataset: Dataset, kept: Kept, spec: SplitSpec) -> tuple[Dataset, Kept]:
    """The data set without the items that a k-core left nothing of, and what is kept in its codes.

    An item outside the core is no candidate and counts in no share of the catalogue.
    """
    import pyarrow as pa

    from genrec_eval.core.fingerprint import digest
    from genrec_eval.protocol.arrays import Vocabulary

    inside = np.bincount(kept.interactions.item, minlength=len(dataset.items)) > 0
    code = (np.cumsum(inside) - 1).astype(np.int32)
    log = replace(kept.interactions, item=code[kept.interactions.item])
    assert spec.k_core is not None
    core = replace(
        dataset,
        items=Vocabulary(dataset.items.ids.filter(pa.array(inside))),
        item_table=dataset.item_table.filter(pa.array(inside)),
        interactions=log,
        digest=digest({"dataset": dataset.digest, "k_core": spec.k_core.model_dump()}),
    )
    facts = {**kept.facts, "items_outside_the_core": int(np.count_nonzero(~inside))}
    return core, replace(kept, interactions=log, facts=facts)


def k_core(
    interactions: Interactions, users: int, items: int, among: Mask | None = None
) -> tuple[Mask, list[dict[str, int]]]:
    """Drop users and items with too few interactions until none is left that has.

    Parameters
    ----------
    interactions
        A user's repeated interactions with an item count each.
    users, items
        Fewest interactions of a user, and of an item.
    among
        bool[n]: only these are counted and kept.

    Returns
    -------
    mask : bool[n]
    rounds
        What is left before the first round and after each: ``interactions``, ``users``, ``items``. A
        round drops users and items by the counts at its beginning; the result does not depend on that.
    """
    rows = np.arange(len(interactions)) if among is None else np.flatnonzero(among)
    user, item = interactions.user[rows], interactions.item[rows]
    rounds = []
    while True:
        by_user, by_item = np.bincount(user), np.bincount(item)
        rounds.append(
            {
                "interactions": len(rows),
                "users": int(np.count_nonzero(by_user)),
                "items": int(np.count_nonzero(by_item)),
            }
        )
        keep = ((by_user >= users)[user]) & ((by_item >= items)[item])
        if keep.all():
            break
        rows, user, item = rows[keep], user[keep], item[keep]
    mask = np.zeros(len(interactions), bool)
    mask[rows] = True
    return mask, rounds
