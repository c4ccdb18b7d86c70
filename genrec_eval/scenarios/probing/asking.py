"""Rows of the case table as tasks and requests of the dialect that the table came with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from genrec_eval.judging.dialect import Dialect
from genrec_eval.judging.question import rubric_from_json
from genrec_eval.judging.types import JudgeTask
from genrec_eval.protocol.requests import ChatRequest

_COLUMNS = ("case", "unit", "probe", "item", "model", "other", "order", "task", "rubric", "answers")


class Questions:
    """The questions of a prepared or stored probe.

    Attributes
    ----------
    rows
        Per question: case, unit, probe, item, model, other, order, task, rubric and answers.
    """

    def __init__(self, cases: pa.Table, context: Mapping[str, pa.Table]) -> None:
        self.dialect = Dialect.model_validate(json.loads(context["dialect"].column("json")[0].as_py()))
        rubrics = (rubric_from_json(json.loads(t)) for t in context["rubrics"].column("json").to_pylist())
        self.rubrics = {rubric.name: rubric for rubric in rubrics}
        settings = context["settings"].to_pylist()[0]
        self.fence: bool = settings["fence"]
        self.score_mode: Any = settings["score_mode"]
        self.repeats: bool = settings["repeats"]
        self.rows: list[dict[str, Any]] = cases.select(_COLUMNS).to_pylist()
        self._shown = cases.select(["prompt", "context", "reference"])

    def task(self, row: int) -> JudgeTask:
        """One question."""
        asked = self.rows[row]
        shown = {name: self._shown.column(name)[row].as_py() for name in self._shown.column_names}
        rubric = self.rubrics[asked["rubric"]]
        script = self.dialect.tasks[asked["task"]]
        wants = rubric.reference or "reference" in script.needs
        return JudgeTask(
            # a digest: the id may enter a prompt, and the name of a text says what is wrong with it
            id=hashlib.sha256(asked["case"].encode()).hexdigest()[:16],
            kind=asked["task"],
            rubric=rubric,
            prompt=shown["prompt"],
            answers=tuple(asked["answers"]),
            reference=shown["reference"] if wants else None,
            context=shown["context"] if rubric.context or "context" in script.needs else None,
        )

    def request(self, row: int) -> ChatRequest:
        """What is sent."""
        return self.dialect.render(self.task(row), fence=self.fence).request

    def ties(self) -> bool:
        """Whether the dialect lets a judge of pairs say that neither is better."""
        script = self.dialect.tasks.get("pairwise")
        if script is None:
            return False
        labels = getattr(script.parser, "labels", None)
        if isinstance(labels, Mapping):
            return "tie" in labels.values()
        return not script.parser.reads_logprobs

    def top(self, rubric: str) -> float:
        """The greatest score."""
        return float(self.dialect.scale_of(self.rubrics[rubric])[1])
