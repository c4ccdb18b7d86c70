"""A run in memory: what the audit reads of a run directory, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.status import UNANSWERED
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.options import RankingOptions
from genrec_eval.scenarios.top_k import TopK

K = 5


class FakeRun:
    """One top-k scenario ``top-k``; models are given by their rows (case, repeat, status, items)."""

    def __init__(
        self, path: Path, world: Dataset, claims: Sequence[dict[str, Any]] = (), **options: Any
    ) -> None:
        self.path = path
        self.options = {"k": K, "groups": ["group"], **options}
        scenario = TopK(RankingOptions.model_validate(self.options), 7)
        self.prepared: Prepared = scenario.prepare(world)
        self.strings = world.items.strings
        self.rows: dict[str, list[tuple[str, int, str, list[str] | None]]] = {}
        self.run: dict[str, Any] = {
            "run": "fake",
            "seed": 7,
            "suite": {
                "scenarios": {"top-k": {"scenario": "top-k", "options": self.options}},
                "claims": list(claims),
                "engine": {"error_budget": 0.05},
                "level": 0.95,
            },
        }

    def add(self, model: str, skill: float, lost: dict[int, str] | None = None, junk: bool = False) -> None:
        """A model that names each relevant item with that probability; ``lost`` maps rows to statuses."""
        rng = np.random.default_rng(len(self.rows))
        rows = self.rows.setdefault(model, [])
        for i, case in enumerate(self.prepared.cases.to_pylist()):
            found = [item for item in case["truth"] if rng.random() < skill]
            taken = {*case["history"], *case["truth"]}
            filler = [item for item in rng.permutation(len(self.strings)).tolist() if item not in taken]
            items = [self.strings[item] for item in (found + filler)[:K]]
            status = (lost or {}).get(i, "ok")
            rows.append((case["case"], 0, status, ["nowhere"] * K if junk else items))

    def cases(self, scenario: str) -> pa.Table:
        assert scenario == "top-k"
        return self.prepared.cases

    def context(self, scenario: str) -> dict[str, pa.Table]:
        return dict(self.prepared.context)

    def records(
        self, model: str, scenario: str, columns: Sequence[str] | None = None
    ) -> Iterable[pa.RecordBatch]:
        case, repeat, status, items = zip(*self.rows[model], strict=True)
        yield pa.record_batch(
            {
                "case": pa.array(case, pa.string()),
                "repeat": pa.array(repeat, pa.int16()),
                "status": pa.array(status, pa.string()).dictionary_encode(),
                "items": pa.array(items, pa.list_(pa.string())),
            }
        )

    def played(self) -> list[tuple[str, str]]:
        return [(model, "top-k") for model in self.rows]

    @property
    def coverage(self) -> list[Coverage]:
        return [
            Coverage(
                model=model,
                scenario="top-k",
                state="run",
                attempted=len(rows),
                answered=sum(status not in UNANSWERED for _, _, status, _ in rows),
            )
            for model, rows in self.rows.items()
        ]
