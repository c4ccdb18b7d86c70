"""The requests of ranking scenarios, made from the case table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec_eval.protocol.arrays import Int32, Int64, Ragged, Vocabulary
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.records import ragged
from genrec_eval.scenarios.ranking.rows import latest, repeated

if TYPE_CHECKING:
    pass

SHARED = "candidates"
"""Context table of the candidates that all cases share."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests are made of: the case table's columns as arrays."""

    users: pa.Array
    user_codes: Int32
    history: Ragged
    items: Vocabulary
    candidates: Ragged | None
    shared: Int32 | None
    """Candidates of all cases alike."""

    @classmethod
    def of(cls, prepared: Prepared, history_limit: int | None, anonymous: bool = False) -> Asked:
        """Read ``prepared``, keeping the latest ``history_limit`` items of each history."""
        assert prepared.training is not None
        users = prepared.cases.column("case" if anonymous else "unit").combine_chunks()
        history = ragged(prepared.cases.column("history"))
        if history_limit is not None:
            history = latest(history, history_limit)
        items = Vocabulary(prepared.context["items"].column("item"))
        cases = prepared.cases
        candidates = ragged(cases.column("candidates")) if "candidates" in cases.column_names else None
        table = prepared.context.get(SHARED)
        shared = None if table is None else table.column("code").to_numpy()
        known = np.full(len(users), -1, np.int32) if anonymous else prepared.training.users.encode(users)
        return cls(users, known, history, items, candidates, shared)

    def candidates_of(self, row: int) -> tuple[str, ...] | None:
        """What one case chooses from, as ids; None for the whole catalogue."""
        if self.shared is not None:
            return tuple(self.items.strings[code] for code in self.shared.tolist())
        return None if self.candidates is None else self.named(self.candidates, row)

    def named(self, lists: Ragged, row: int) -> tuple[str, ...]:
        """The ids of one list."""
        return tuple(self.items.strings[code] for code in lists[row].tolist())

    def batch(self, rows: Int64, k: int) -> RankBatch:
        """Requests of the cases at ``rows``."""
        return RankBatch(
            users=self.users.take(pa.array(rows)),
            user_codes=self.user_codes[rows],
            history=self.history.take(rows),
            k=k,
            items=self.items,
            candidates=self._candidates(rows),
        )

    def _candidates(self, rows: Int64) -> Ragged | None:
        if self.shared is not None:
            return repeated(self.shared, len(rows))
        return None if self.candidates is None else self.candidates.take(rows)
