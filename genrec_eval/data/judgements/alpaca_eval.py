"""AlpacaEval 2 (Dubois et al. 2024): preferences of one judge for models against one baseline.

``preference`` lies in [1, 2] and is 1 + P(model wins); 1.5, and 0 in old files, is a draw. Here it is the
``score`` of the pair (model, baseline). Joined by the id of the instruction: a model may lack rows.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import MissingData, UsageError
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.judgements.reading import (
    csv_rows,
    digest_of,
    find,
    json_rows,
    key_of,
    number_of,
    text_of,
)
from genrec_eval.data.judgements.spec import AlpacaEvalSpec
from genrec_eval.data.tables.streams import clip

JUDGE = "weighted_alpaca_eval_gpt4_turbo"
_BASELINE = "gpt4_1106_preview"
_TABLES = {
    "leaderboard": "published_leaderboard.csv",
    "weights": "published_glm_weights.csv",
    "difficulty": "derived_instruction_difficulty.csv",
}

_LENGTHS = "baseline_lengths.csv"


def read_alpaca_eval(spec: AlpacaEvalSpec, folder: Path) -> JudgementLog:
    """One row per model and instruction; ``published`` has the tables that lie beside, by first column.

    Raises
    ------
    MissingData
        When the folder has neither form.
    UsageError
        When a row is malformed, unless such rows are skipped.
    """
    rows = Rows(skip=spec.malformed == "skip")
    tables = sorted(folder.glob("annotations_*.csv*")) if spec.form != "annotations" else []
    if tables:
        files = [tables[0]]
        for place, row in csv_rows(tables[0], ("model", "instruction_id", "preference")):
            if row is None:
                rows.fault(f"{place} has another number of fields than the header")
            else:
                _from_table(rows, place, row)
    else:
        files = sorted({*folder.rglob("annotations.json"), *folder.rglob("annotations.json.gz")})
        files = [path for path in files if path.is_file()] if spec.form != "table" else []
        if not files:
            raise MissingData(
                f"{folder} holds no annotations_*.csv and no <model>/annotations.json; {spec.where}"
            )
        for path in files:
            for place, found in json_rows(path):
                _from_annotations(rows, place, found)
    published: dict[str, Any] = {}
    for name, file in _TABLES.items():
        beside = find(folder, file)
        if beside is not None:
            published[name] = _numbers(beside)
    if (beside := find(folder, _LENGTHS)) is not None:
        published["lengths"] = _lengths(beside)
    return rows.finish(
        "alpaca-eval",
        licence=spec.licence,
        source=spec.source,
        digest=digest_of(files),
        published=published,
    )


def _from_table(rows: Rows, place: str, row: dict[str, str]) -> None:
    preference = _preference(row["preference"])
    if preference is None:
        rows.fault(f"{place}, column 'preference': {clip(row['preference'])} is not 0 or between 1 and 2")
        return
    shown = {"1": "given", "1.0": "given", "0": "swapped", "0.0": "swapped"}
    lengths = [number_of(row.get(name)) for name in ("model_chars", "baseline_chars")]
    rows.add(
        item=text_of(row["instruction_id"]),
        system=text_of(row["model"]),
        other=_BASELINE,
        judge=JUDGE,
        order=shown.get(row.get("model_shown_first", "")),
        mass=number_of(row.get("p_m_plus_M")),
        length=None if lengths[0] is None else int(lengths[0]),
        other_length=None if lengths[1] is None else int(lengths[1]),
        **_judged(preference),
    )


def _from_annotations(rows: Rows, place: str, found: Any) -> None:
    texts = (
        [text_of(found.get(name)) for name in ("instruction", "output_1", "output_2")]
        if isinstance(found, dict)
        else [None]
    )
    if any(text is None for text in texts):
        rows.fault(f"{place}: no object with texts instruction, output_1 and output_2")
        return
    preference = _preference(found.get("preference"))
    if preference is None:
        rows.fault(f"{place}: preference {clip(found.get('preference'))} is not 0 or between 1 and 2")
        return
    prompt, baseline, answer = (text or "" for text in texts)
    raw = found.get("raw_completion")
    rows.add(
        item=key_of(prompt),
        system=text_of(found.get("generator_2")) or "model",
        other=text_of(found.get("generator_1")) or _BASELINE,
        judge=text_of(found.get("annotator")) or JUDGE,
        category=text_of(found.get("dataset")),
        raw=text_of(raw) if isinstance(raw, str) else _content(raw),
        prompt=prompt,
        text=answer,
        other_text=baseline,
        length=len(answer),
        other_length=len(baseline),
        cost=number_of(found.get("price_per_example")),
        seconds=number_of(found.get("time_per_example")),
        **_judged(preference),
    )


def _preference(value: Any) -> float | None:
    """P(model wins); NaN where the judge gave none; None for what is no preference."""
    if value is None or value in ("", "nan"):
        return math.nan
    found = number_of(value)
    if found == 0:
        return 0.5
    return found - 1 if found is not None and 1 <= found <= 2 else None


def _judged(preference: float) -> dict[str, Any]:
    if math.isnan(preference):
        return {"status": "unparsed"}
    verdict = "tie" if preference == 0.5 else "first" if preference > 0.5 else "second"
    return {"score": preference, "verdict": verdict, "status": "ok"}


def _content(raw: Any) -> str | None:
    message = raw.get("message") if isinstance(raw, dict) else None
    return text_of(message.get("content")) if isinstance(message, dict) else None


def _lengths(path: Path) -> dict[str, dict[str, float]]:
    """Generator → instruction → characters of its answer: the baseline's, and its reruns'."""
    found: dict[str, dict[str, float]] = {}
    for place, row in csv_rows(path, ("generator", "instruction_id", "n_chars")):
        count = None if row is None else number_of(row["n_chars"])
        if row is None or count is None:
            raise UsageError(f"{place}: no generator, instruction_id and number n_chars")
        found.setdefault(row["generator"], {})[row["instruction_id"]] = count
    return found


def _numbers(path: Path) -> dict[str, dict[str, float | str]]:
    """First column → the others, as numbers where they are."""
    found: dict[str, dict[str, float | str]] = {}
    for _, row in csv_rows(path, ()):
        if row:
            key, *names = row
            found[row[key]] = {
                name: row[name] if (number := number_of(row[name])) is None else number for name in names
            }
    return found
