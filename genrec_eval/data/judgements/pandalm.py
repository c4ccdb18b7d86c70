"""PandaLM's human-labelled test set (Wang et al. 2023) and the judges recorded beside it.

Joined by ``idx``, never by position. Labels are 1, 2 and 0 for a tie; a judge's result that is none of them
is a judgement without a verdict: upstream counts it as a tie.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.judgements.reading import digest_of, json_rows, key_of, need, text_of
from genrec_eval.data.judgements.spec import PandaLMSpec
from genrec_eval.data.tables.streams import clip

_TEST = "testset-v1.json"
_VERDICTS = {"1": "first", "2": "second", "0": "tie", "tie": "tie"}
_PEOPLE = ("annotator1", "annotator2", "annotator3")


def read_pandalm(spec: PandaLMSpec, folder: Path) -> JudgementLog:
    """The pairs, with one row per recorded judge: every ``<judge>-testset-v1.json`` of the folder.

    Raises
    ------
    MissingData
        When the test set or any judge's file is not there.
    UsageError
        When a row is malformed, unless such rows are skipped.
    """
    test = need(folder, _TEST, spec.where)
    files = sorted(path for path in folder.glob(f"*-{_TEST}*") if path.is_file())
    if not files:
        need(folder, f"<judge>-{_TEST}", spec.where)
    rows = Rows(skip=spec.malformed == "skip")
    pairs = _pairs(test, rows)
    for path in files:
        judge = path.name.split(f"-{_TEST}")[0]
        seen: set[str] = set()
        for place, row in json_rows(path):
            fault = _judged(rows, pairs, seen, judge, row)
            if fault is not None:
                rows.fault(f"{place}: {fault}")
    return rows.finish(
        "pandalm",
        licence=spec.licence,
        source=spec.source,
        digest=digest_of([test, *files]),
        annotators=_PEOPLE,
    )


def _pairs(test: Path, rows: Rows) -> dict[str, dict[str, Any]]:
    pairs: dict[str, dict[str, Any]] = {}
    for place, row in json_rows(test):
        if not isinstance(row, dict) or not isinstance(row.get("idx"), int):
            rows.fault(f"{place}: no object with a whole number idx")
            continue
        for name in ("response1", "response2"):
            if isinstance(row.get(name), bool):  # upstream's file has the answer True as a truth value
                row[name] = str(row[name])
        texts = [row.get(name) for name in ("instruction", "input", "response1", "response2", "cmp_key")]
        if not all(isinstance(text, str) for text in texts):
            rows.fault(f"{place}: instruction, input, responses or cmp_key are no texts")
            continue
        human = [_verdict(row.get(name)) for name in _PEOPLE]
        if None in human:
            wrong = _PEOPLE[human.index(None)]
            rows.fault(f"{place}: {wrong} is {clip(row.get(wrong))}, not 0, 1 or 2")
            continue
        first, _, second = row["cmp_key"].partition("_")
        if not second:
            rows.fault(f"{place}: cmp_key {clip(row['cmp_key'])} does not name two models")
            continue
        item = str(row["idx"])
        if item in pairs:
            raise UsageError(f"{place}: idx {item} is there twice; rows are joined by it")
        one, other = (text_of(row[name]) or "" for name in ("response1", "response2"))
        pairs[item] = {
            "item": item,
            "unit": key_of(row["instruction"], row["input"]),
            "system": text_of(first),
            "other": text_of(second),
            "category": text_of(row.get("motivation_app")),
            "order": "given",
            "human": human,
            "prompt": text_of("\n\n".join(filter(None, [row["instruction"], row["input"]]))),
            "text": one,
            "other_text": other,
            "length": len(one),
            "other_length": len(other),
        }
    return pairs


def _judged(rows: Rows, pairs: dict[str, dict[str, Any]], seen: set[str], judge: str, row: Any) -> str | None:
    """Add the judgement, or say what is wrong with it."""
    if not isinstance(row, dict):
        return "no JSON object"
    item = str(row.get("idx"))
    if item not in pairs:
        return f"idx {clip(item)} is not in {_TEST}"
    if item in seen:
        return f"idx {item} is there twice"
    results = [name for name in row if name.endswith("_result")]
    if len(results) != 1:
        return "there is not one field *_result"
    seen.add(item)
    stem = results[0].removesuffix("_result")
    label = row[results[0]]
    rows.add(
        **pairs[item],
        judge=judge,
        verdict=_verdict(label),
        label=text_of(str(label)),
        raw=text_of(row.get(f"{stem}_reason")),
    )
    return None


def _verdict(label: Any) -> str | None:
    return None if isinstance(label, bool) else _VERDICTS.get(str(label).strip().lower())
