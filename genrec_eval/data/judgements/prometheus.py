"""The test sets of Prometheus (Kim et al. 2024): answers graded several times by GPT-4 on a rubric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genrec_eval.core.errors import MissingData
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.judgements.reading import digest_of, json_rows, key_of, number_of, text_of
from genrec_eval.data.judgements.spec import PrometheusRepeatSpec
from genrec_eval.data.tables.streams import clip

_OPEN, _CLOSE = "###Response to evaluate:\n", "\n\n###Reference Answer"
_SCALE = (1, 5)


def read_prometheus(spec: PrometheusRepeatSpec, folder: Path) -> JudgementLog:
    """One row per answer and grading, of every ``*_eval.json`` of the folder.

    Raises
    ------
    MissingData
        When there is none.
    UsageError
        When a row is malformed, unless such rows are skipped.
    """
    files = sorted(path for path in folder.glob("*_eval.json*") if path.is_file())
    if not files:
        raise MissingData(f"{folder} holds no *_eval.json; {spec.where}")
    rows = Rows(skip=spec.malformed == "skip")
    for path in files:
        kind = path.name.split("_eval.json")[0]
        for place, row in json_rows(path):
            fault = _add(rows, kind, row)
            if fault is not None:
                rows.fault(f"{place}: {fault}")
    return rows.finish("prometheus-repeat", licence=spec.licence, source=spec.source, digest=digest_of(files))


def _add(rows: Rows, kind: str, row: Any) -> str | None:
    """Add the gradings of one answer, or say what is wrong with it."""
    if not isinstance(row, dict) or not isinstance(row.get("instruction"), str) or "idx" not in row:
        return "no object with idx and a text instruction"
    scores, said = row.get("gpt4_score"), row.get("gpt4_feedback")
    if not isinstance(scores, list) or not isinstance(said, list) or len(scores) != len(said) or not scores:
        return "gpt4_score and gpt4_feedback are not lists of equal length"
    numbers = [number_of(score) for score in scores]
    wrong = [
        score
        for score, n in zip(scores, numbers, strict=True)
        if n is None or not _SCALE[0] <= n <= _SCALE[1]
    ]
    if wrong:
        return f"gpt4_score {clip(wrong[0])} is not between 1 and 5"
    whole = row["instruction"]
    _, begun, rest = whole.partition(_OPEN)
    answer, ended, _ = rest.rpartition(_CLOSE)
    text = text_of(answer) if begun and ended else None
    item = f"{kind}/{row['idx']}"
    for repeat, (score, feedback) in enumerate(zip(numbers, said, strict=True)):
        rows.add(
            item=text_of(item),
            unit=f"{kind}/{key_of(whole.partition(_OPEN)[0])}",
            system=text_of(row.get("response_source")) or "unknown",
            judge="gpt-4",
            arm="prometheus",
            category=text_of(row.get("category")),
            repeat=repeat,
            score=score,
            label=str(scores[repeat]),
            raw=text_of(feedback),
            prompt=text_of(whole) if repeat == 0 else None,
            text=text,
            length=None if text is None else len(text),
        )
    return None
