"""The requests of arms, made from the case table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.protocol.arrays import Int64
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.protocol.requests import RankRequest
from genrec_eval.scenarios.base import Case, Prepared
from genrec_eval.scenarios.ranking.asked import Asked as RankAsked


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests are made of: who is asked about as in any ranking, and what is told of them."""

    ranking: RankAsked
    way: pa.Array
    ways: pa.Table

    @classmethod
    def of(cls, prepared: Prepared, history_limit: int | None) -> Asked:
        """Read ``prepared``, keeping the latest ``history_limit`` items of each history."""
        way = prepared.cases.column("way").combine_chunks()
        return cls(RankAsked.of(prepared, history_limit), way, prepared.context["ways"])

    def request(self, case: Case, k: int) -> RankRequest:
        """The request of one case."""
        told = self.ways.slice(self.way[case.row].as_py(), 1).to_pylist()[0]
        return RankRequest(
            user=case.unit,
            history=self.ranking.named(self.ranking.history, case.row),
            k=k,
            candidates=self.ranking.candidates_of(case.row),
            profile={} if told["attribute"] is None else {told["attribute"]: told["disclosed"]},
            wording=told["wording"],
        )

    def batch(self, rows: Int64, k: int) -> RankBatch:
        """Requests of the cases at ``rows``."""
        told = self.ways.take(self.way.take(pa.array(rows))).combine_chunks()
        attribute, disclosed = told.column("attribute"), told.column("disclosed")
        names = pc.unique(self.ways.column("attribute").drop_null()).to_pylist()
        nothing = pa.scalar(None, pa.string())
        profiles = {name: pc.if_else(pc.equal(attribute, name), disclosed, nothing) for name in names}
        wordings = told.column("wording").combine_chunks()
        return replace(
            self.ranking.batch(rows, k),
            profiles=pa.table(profiles),
            wordings=wordings if self.ways.column("wording").null_count < len(self.ways) else None,
        )
