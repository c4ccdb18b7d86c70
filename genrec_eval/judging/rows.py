"""Verdicts as rows of ``judgements.parquet``: as they were read, before any policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from genrec_eval.judging.tasks import Planned
from genrec_eval.judging.types import JudgementStatus, Verdict
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    import pyarrow as pa

IDENTICAL = "identical"
"""Label of a pair whose texts are the same: a tie that nobody was asked about."""

_FIRST = {"first": 1.0, "tie": 0.5, "second": 0.0}


def judged(answer: Answer, planned: Planned, read: Any) -> Verdict:
    """The verdict in an answer, or why there is none.

    Parameters
    ----------
    read
        ``read(response, task)``: the parser of the judge's dialect.
    """
    response = answer.response
    if not isinstance(response, ChatResponse):
        said = f"{answer.status}: {answer.error}" if answer.error else str(answer.status)
        return Verdict(status=JudgementStatus.API_ERROR, reason=said)
    if answer.status is Status.REFUSED:
        return Verdict(status=JudgementStatus.REFUSED, reason="the judge declined")
    verdict: Verdict = read(response, planned.task)
    if verdict.status is JudgementStatus.UNPARSED and answer.status is Status.TRUNCATED:
        return replace(verdict, status=JudgementStatus.TRUNCATED)
    return _checked(verdict, planned)


def _checked(verdict: Verdict, planned: Planned) -> Verdict:
    """A verdict that has what its kind of task needs; a dialect may be somebody else's."""
    task = planned.task
    if verdict.status is not JudgementStatus.OK or task is None:
        return verdict
    wrong = None
    numbers = [verdict.score, verdict.preference, verdict.mass, *verdict.scores]
    if any(number is not None and not math.isfinite(number) for number in numbers):
        wrong = "a number of the verdict is not finite"
    elif task.kind == "pointwise" and verdict.score is None:
        wrong = "no score was read"
    elif task.kind == "pairwise" and verdict.winner is None and verdict.preference is None:
        wrong = "no winner was read"
    elif task.kind == "listwise" and len(verdict.scores) != len(task.answers):
        wrong = f"{len(verdict.scores)} ranks for {len(task.answers)} answers"
    elif task.kind == "claims" and len(verdict.scores) != len(task.claims):
        wrong = f"{len(verdict.scores)} verdicts for {len(task.claims)} claims"
    if wrong is None:
        return verdict
    return Verdict(status=JudgementStatus.UNPARSED, reason=wrong, label=verdict.label)


def verdict_rows(planned: Planned, verdict: Verdict | None) -> list[dict[str, Any]]:
    """One row per text or claim that the verdict is about; None where nobody was asked.

    What only the caller knows (judge, scenario, sample, exchange) is added by the caller.
    """
    base: dict[str, Any] = {
        "case": planned.case,
        "unit": planned.unit,
        "repeat": planned.repeat,
        "step": planned.step,
        "order": planned.order,
        "model": planned.writers[0],
        "length": planned.lengths[0],
    }
    if planned.order is not None:
        base |= {"other": planned.writers[1], "other_length": planned.lengths[1]}
    if planned.identical:
        return [base | {"status": str(JudgementStatus.OK), "value": 0.5, "label": IDENTICAL}]
    if verdict is None or planned.task is None:
        base |= {"status": str(JudgementStatus.NOT_ASKED), "reason": planned.reason}
        if planned.order is not None:
            return [base]
        return [base | {"model": model, "length": length} for model, length in _shown(planned)]
    base |= {
        "status": str(verdict.status),
        "label": verdict.label,
        "reason": verdict.reason,
        "mass": verdict.mass,
    }
    ok, kind = verdict.status is JudgementStatus.OK, planned.task.kind
    if kind == "pointwise":
        return [base | {"value": verdict.score if ok else None}]
    if kind == "pairwise":
        return [base | (_pair(planned, verdict) if ok else {})]
    if kind == "claims":
        claims = planned.task.claims
        return [
            base | {"claim": i, "text": claim, **(_part(verdict, i) if ok else {})}
            for i, claim in enumerate(claims)
        ]
    return [
        base | {"model": model, "length": length, **(_part(verdict, i) if ok else {})}
        for i, (model, length) in enumerate(_shown(planned))
    ]


def _shown(planned: Planned) -> list[tuple[str, int | None]]:
    return list(zip(planned.writers, planned.lengths, strict=True))


def _pair(planned: Planned, verdict: Verdict) -> dict[str, Any]:
    first = _FIRST[verdict.winner or "tie"]
    if verdict.preference is not None:
        first = 1.0 - verdict.preference
    given = planned.order == "given"
    found: dict[str, Any] = {"value": first if given else 1.0 - first, "strength": verdict.strength}
    if len(verdict.scores) == 2:
        own, other = verdict.scores if given else reversed(verdict.scores)
        found |= {"own_value": own, "other_value": other}
    return found


def _part(verdict: Verdict, i: int) -> dict[str, Any]:
    label = verdict.labels[i] if i < len(verdict.labels) else verdict.label
    return {"value": verdict.scores[i], "label": label}


def judgement_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of the schema JUDGEMENTS; what a row does not name is null."""
    import pyarrow as pa

    from genrec_eval.protocol.tables import JUDGEMENTS

    columns = []
    for field in JUDGEMENTS:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_dictionary(field.type):
            columns.append(pa.array(values, pa.string()).cast(field.type))
        else:
            columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=JUDGEMENTS)
