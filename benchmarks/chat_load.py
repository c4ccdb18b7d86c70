"""A scenario of plain chat calls: the least work that an asynchronous engine can be asked to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.metrics.base import Definition, Metric, UnitScores
from genrec_eval.protocol.requests import ChatRequest, Message
from genrec_eval.scenarios.base import Case, Prepared, Scenario, ScoredUnits


def prompt(number: int) -> str:
    """The prompt of a case, of about 200 tokens."""
    return f"case {number}: " + "recommend a film to a person who liked these. " * 20


_ANSWERED = Definition(
    name="echoed",
    title="Echoed",
    summary="Share of answers that repeat the prompt.",
    formula="1 if the answer equals the prompt, else 0",
    degenerate="No answer counts as 0.",
    source="This benchmark.",
    direction="higher",
    values="indicator",
    needs_cutoff=False,
)


class ChatLoad(Scenario):
    """Independent chat calls that are echoed."""

    name = "chat-load"
    kind = "chat"
    title = "Chat load"
    summary = "Independent chat calls."

    class Options(StrictModel):
        """Number of calls."""

        calls: PositiveInt = 2000

    def prepare(self, dataset: Any) -> Prepared:
        """One case per call."""
        ids = [str(number) for number in range(self.options.calls)]
        return Prepared(cases=pa.table({"case": ids, "unit": ids, "arm": ["neutral"] * len(ids)}))

    def metrics(self) -> list[Metric]:
        """Whether the prompt came back."""
        return [Metric(definition=_ANSWERED, function=lambda *_: None, k=None)]

    def request(self, prepared: Prepared, case: Case) -> ChatRequest:
        """A chat of one message."""
        return ChatRequest(messages=(Message("user", prompt(case.row)),))

    def score(
        self, cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]
    ) -> ScoredUnits:
        """Compare each answer with its prompt."""
        said = {row["case"]: row["text"] for batch in records for row in batch.to_pylist()}
        ids = cases.column("unit").to_pylist()
        hit = np.array([float(said.get(name) == prompt(int(name))) for name in ids])
        there = np.array([name in said for name in ids])
        return ScoredUnits(
            units=cases.column("unit").combine_chunks(),
            scores={"echoed": UnitScores(values=hit)},
            groups={},
            attempted=there,
            answered=there,
        )
