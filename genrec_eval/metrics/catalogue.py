"""What metrics may know of the items: popularity in training, attributes, providers, what came later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged

_ROWS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Facts about n items, one entry each; None for what is not known.

    Attributes
    ----------
    train_counts
        int64[n], interactions of each item in training.
    train_users
        int64[n], distinct users of each item in training.
    n_users
        Users with at least one training interaction; 0 when not known.
    attributes
        Attribute codes (genres) of each item, distinct; an item may have none.
    attribute_names
        Name of each attribute code.
    embeddings
        float32[n, d].
    providers
        int32[n], code of each item's provider; -1 where not known.
    provider_names
        Name of each provider code.
    provider_targets
        Name of a provider → the share of exposure that the user of the suite declares to be due to it.
    test_counts
        int64[n], interactions of each item in the held-out part; for leakage audits only.
    first_seen
        int64[n], Unix seconds of each item's first interaction anywhere in the data; the greatest int64 for
        items without any.
    ambiguous
        bool[n], items that share their semantic id with another.
    """

    train_counts: Int64
    train_users: Int64 | None = None
    n_users: int = 0
    attributes: Ragged | None = None
    attribute_names: Sequence[str] = ()
    embeddings: npt.NDArray[np.float32] | None = None
    providers: Int32 | None = None
    provider_names: Sequence[str] = ()
    provider_targets: Mapping[str, float] | None = None
    test_counts: Int64 | None = None
    first_seen: Int64 | None = None
    ambiguous: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n = len(self)
        for name in (
            "train_users",
            "attributes",
            "embeddings",
            "providers",
            "test_counts",
            "first_seen",
            "ambiguous",
        ):
            part = getattr(self, name)
            if part is not None and len(part) != n:
                raise ValueError(f"{name} has {len(part)} entries for {n} items")

    def __len__(self) -> int:
        return len(self.train_counts)

    @cached_property
    def embedded(self) -> npt.NDArray[np.bool_]:
        """bool[n], items with an embedding: finite, and not all zeros."""
        found = np.zeros(len(self), bool)
        if self.embeddings is not None:
            for start in range(0, len(self), _ROWS):
                some = self.embeddings[start : start + _ROWS]
                found[start : start + _ROWS] = np.isfinite(some).all(axis=1) & some.any(axis=1)
        return found

    def directions(self, codes: npt.NDArray[np.integer]) -> Float64:
        """float64[..., d], the embeddings of ``codes`` at length 1; zeros for -1 and items without one."""
        assert self.embeddings is not None
        known = (codes >= 0) & np.append(self.embedded, False)[codes]
        wide = self.embeddings[np.where(known, codes, 0)].astype(np.float64)
        wide[~known] = 0.0
        lengths = np.sqrt((wide * wide).sum(axis=-1, keepdims=True))
        return np.divide(wide, lengths, out=wide, where=lengths > 0)
