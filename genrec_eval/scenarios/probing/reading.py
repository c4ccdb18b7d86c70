"""From records of a probe to judgements: the same table that a judge of a run leaves."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.rows import judged, judgement_table, verdict_rows
from genrec_eval.judging.tasks import Planned
from genrec_eval.judging.types import JudgeTask, Verdict
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status
from genrec_eval.protocol.wire import response_from_wire
from genrec_eval.scenarios.probing.asking import Questions

_KEPT = ("key", "cached", "attempts", "input_tokens", "output_tokens", "cost")


def probe_judgements(
    questions: Questions,
    records: Iterable[pa.RecordBatch],
    *,
    scenario: str = "",
    judge: str = "",
) -> pa.Table:
    """The verdicts of one judge, schema JUDGEMENTS.

    ``case`` is the item (a pair whatever its order, or a text), ``model`` and ``other`` name texts, and
    ``sample`` is the repeat. Questions without a record have no row.

    Raises
    ------
    UsageError
        When a record belongs to no question: the run directory is damaged.
    """
    places = {asked["case"]: row for row, asked in enumerate(questions.rows)}
    tasks: dict[int, JudgeTask] = {}
    rows: list[dict[str, Any]] = []
    for batch in records:
        for record in batch.to_pylist():
            row = places.get(record["case"])
            if row is None:
                raise UsageError(
                    f"a record belongs to no case of the scenario: '{record['case']}'; the run directory is"
                    " damaged: run again with --fresh"
                )
            asked = questions.rows[row]
            task = tasks.get(row) or tasks.setdefault(row, questions.task(row))
            rows += [
                one | _own(questions, record, asked, scenario, judge)
                for one in verdict_rows(_planned(asked, task), _verdict(questions, record, asked, task))
            ]
    order = {"given": 0, "swapped": 1, None: 0}
    rows.sort(key=lambda one: (places[_case(one)], one["sample"], order[one["order"]]))
    return judgement_table(rows)


def _case(row: dict[str, Any]) -> str:
    return f"{row['case']}|{row['order']}" if row["order"] else row["case"]


def _planned(asked: dict[str, Any], task: JudgeTask) -> Planned:
    shown = asked["answers"][::-1] if asked["order"] == "swapped" else asked["answers"]
    writers = tuple(filter(None, (asked["model"], asked["other"])))
    return Planned(
        case=asked["item"],
        unit=asked["unit"],
        repeat=0,
        step=0,
        writers=writers,
        lengths=tuple(map(len, shown)),
        task=task,
        order=asked["order"],
    )


def _verdict(
    questions: Questions, record: dict[str, Any], asked: dict[str, Any], task: JudgeTask
) -> Verdict | None:
    status = Status(record["status"])
    if status is Status.NOT_ATTEMPTED:
        return None
    wire = record["response"]
    response = None if wire is None else response_from_wire("chat", json.loads(wire))
    answer = Answer(status=status, response=response, error=record.get("error"))

    def read(given: ChatResponse, shown: Any) -> Verdict:
        try:
            return questions.dialect.parse(given, shown, score_mode=questions.score_mode)
        except UsageError as error:  # no log-probabilities where the dialect reads them: no verdict, and why
            from genrec_eval.judging.types import JudgementStatus

            said = str(error).removeprefix(f"task '{shown.id}': ")
            return Verdict(status=JudgementStatus.UNPARSED, reason=said)

    planned = _planned(asked, task)
    return judged(answer, planned, read)


def _own(
    questions: Questions, record: dict[str, Any], asked: dict[str, Any], scenario: str, judge: str
) -> dict[str, Any]:
    wire = record["response"]
    return {
        "scenario": scenario,
        "judge": judge,
        "dialect": questions.dialect.name,
        "rubric": asked["rubric"],
        "task": asked["task"],
        "sample": record["repeat"],
        "raw": None if wire is None else json.loads(wire).get("text"),
        **{name: record.get(name) for name in _KEPT},
    }
