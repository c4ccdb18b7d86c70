"""MT-bench judgements in FastChat's form (Zheng et al. 2023): pairs in both orders, and single ratings.

A row with ``error``, -1 or ``$ERROR$`` is a judgement without a verdict and stays in the log.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import MissingData
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.judgements.reading import digest_of, json_rows, number_of, text_of
from genrec_eval.data.judgements.spec import MTBenchSpec
from genrec_eval.data.tables.streams import clip

_WINNERS = {"model_1": "first", "model_2": "second", "tie": "tie", "error": None}
_SHOWN = {"given": "g1", "swapped": "g2"}


def read_mtbench(spec: MTBenchSpec, folder: Path) -> JudgementLog:
    """Two rows per pair and turn, or one per answer and turn; a repeated row is a repeat.

    Raises
    ------
    MissingData
        When the folder has no ``*pair*.jsonl`` or ``*single*.jsonl``.
    UsageError
        When a row is malformed, unless such rows are skipped.
    """
    files = [folder] if folder.is_file() else sorted(folder.glob(f"*{spec.kind}*.jsonl*"))
    if not files:
        raise MissingData(f"{folder} holds no *{spec.kind}*.jsonl; {spec.where}")
    rows = Rows(skip=spec.malformed == "skip")
    seen: Counter[tuple[str, ...]] = Counter()
    for path in files:
        for place, row in json_rows(path):
            fault = (_pair if spec.kind == "pair" else _single)(rows, row, seen)
            if fault is not None:
                rows.fault(f"{place}: {fault}")
    name = f"mtbench {spec.kind}"
    return rows.finish(name, licence=spec.licence, source=spec.source, digest=digest_of(files))


def _common(row: dict[str, Any]) -> dict[str, Any]:
    judge = row.get("judge")
    names = [text_of(part) for part in judge] if isinstance(judge, list) else [text_of(judge)]
    return {
        "item": f"{row['question_id']}/{row.get('turn', 1)}",
        "unit": str(row["question_id"]),
        "category": f"turn {row.get('turn', 1)}",
        "judge": names[0] if names and names[0] else "judge",
        "arm": names[1] if len(names) > 1 else None,
    }


def _pair(rows: Rows, row: Any, seen: Counter[tuple[str, ...]]) -> str | None:
    if not _has(row, "model_1", "model_2"):
        return "no object with question_id, model_1 and model_2"
    for shown in _SHOWN.values():
        if row.get(f"{shown}_winner") not in _WINNERS:
            return f"{shown}_winner is {clip(row.get(f'{shown}_winner'))}, not model_1, model_2, tie or error"
    common = _common(row)
    names = [text_of(row[name]) or "" for name in ("model_1", "model_2")]
    repeat = seen[common["item"], *names]
    seen[common["item"], *names] += 1
    texts = [_answer(row.get("g1_user_prompt"), which) for which in ("A", "B")]
    for order, shown in _SHOWN.items():
        said = text_of(row.get(f"{shown}_judgment"))
        winner = row[f"{shown}_winner"]
        rows.add(
            **common,
            system=names[0],
            other=names[1],
            order=order,
            repeat=repeat,
            verdict=_WINNERS[winner],
            status=_status(winner != "error", said),
            label=winner,
            raw=said,
            prompt=text_of(row.get(f"{shown}_user_prompt")),
            text=texts[0],
            other_text=texts[1],
            length=None if texts[0] is None else len(texts[0]),
            other_length=None if texts[1] is None else len(texts[1]),
        )
    return None


def _single(rows: Rows, row: Any, seen: Counter[tuple[str, ...]]) -> str | None:
    if not _has(row, "model"):
        return "no object with question_id and model"
    score = number_of(row.get("score"))
    if score is None or not (score == -1 or 0 <= score <= 10):
        return f"score {clip(row.get('score'))} is not between 1 and 10, or -1 for none"
    common = _common(row)
    name = text_of(row["model"]) or ""
    repeat = seen[common["item"], name]
    seen[common["item"], name] += 1
    said = text_of(row.get("judgment"))
    text = _answer(row.get("user_prompt"), "")
    rows.add(
        **common,
        system=name,
        repeat=repeat,
        score=None if score == -1 else score,
        status=_status(score != -1, said),
        label=str(row["score"]),
        raw=said,
        prompt=text_of(row.get("user_prompt")),
        text=text,
        length=None if text is None else len(text),
    )
    return None


def _has(row: Any, *names: str) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("question_id"), int | str)
        and all(isinstance(row.get(name), str) for name in names)
    )


def _status(judged: bool, said: str | None) -> str:
    if judged:
        return "ok"
    return "api_error" if said is None or said == "$ERROR$" else "unparsed"


def _answer(prompt: Any, which: str) -> str | None:
    """The answer that a one-turn prompt shows as Assistant A's, B's or the only one's."""
    if not isinstance(prompt, str):
        return None
    name = f"Assistant {which}'s" if which else "Assistant's"
    start, end = f"[The Start of {name} Answer]\n", f"\n[The End of {name} Answer]"
    if prompt.count(start) != 1 or prompt.count(end) != 1:
        return None
    return text_of(prompt.partition(start)[2].partition(end)[0])
