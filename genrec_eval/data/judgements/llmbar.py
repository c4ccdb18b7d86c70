"""LLMBar (Zeng et al. 2024): verdicts of judges in both orders about pairs with a gold label.

Read from upstream's folders (``<subset>/evaluators/<evaluator>/<strategy>/result.json`` with
``statistics.json`` beside it), or from one table ``judgements.csv`` with ``published_statistics.json``.
Verdicts of the swapped order are already those of the pair as given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import MissingData
from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.data.judgements.reading import (
    csv_rows,
    digest_of,
    find,
    json_rows,
    number_of,
    read_json,
    text_of,
)
from genrec_eval.data.judgements.spec import LLMBarSpec
from genrec_eval.data.tables.streams import clip

_COLUMNS = ("subset", "evaluator", "strategy", "item", "label", "winner_noswap", "winner_swap_unswapped")
_VERDICTS = {"1": "first", "2": "second"}
_ORDERS = ("given", "swapped")


def read_llmbar(spec: LLMBarSpec, folder: Path) -> JudgementLog:
    """Two rows per pair and evaluator; ``published["statistics"]`` maps ``subset|evaluator|strategy``.

    Raises
    ------
    MissingData
        When the folder has neither form.
    UsageError
        When a row is malformed, unless such rows are skipped.
    """
    rows = Rows(skip=spec.malformed == "skip")
    table = find(folder, "judgements.csv")
    published: dict[str, Any] = {}
    if table is not None:
        files = [table]
        for place, row in csv_rows(table, _COLUMNS):
            if row is None:
                rows.fault(f"{place} has another number of fields than the header")
            else:
                _from_table(rows, place, row)
        statistics = find(folder, "published_statistics.json")
        if statistics is not None:
            files.append(statistics)
            published = read_json(statistics)
    else:
        files = sorted(folder.rglob("evaluators/*/*/result.json"))
        if not files:
            raise MissingData(
                f"{folder} holds neither judgements.csv nor <subset>/evaluators/*/*/result.json; {spec.where}"
            )
        for path in files:
            evaluator, strategy = path.parent.parent.name, path.parent.name
            subset = path.parents[3].relative_to(folder).as_posix()
            for index, (place, found) in enumerate(json_rows(path)):
                _from_results(rows, place, found, (subset, evaluator, strategy), index)
            beside = path.with_name("statistics.json")
            if beside.is_file():
                published[f"{subset}|{evaluator}|{strategy}"] = read_json(beside)
    return rows.finish(
        "llmbar",
        licence=spec.licence,
        source=spec.source,
        digest=digest_of(files),
        annotators=("gold",),
        published={"statistics": published},
    )


def _from_table(rows: Rows, place: str, row: dict[str, str]) -> None:
    winners = (row["winner_noswap"], row["winner_swap_unswapped"])
    for name, value in zip(("label", *_COLUMNS[5:]), (row["label"], *winners), strict=True):
        if value not in _VERDICTS and (value or name == "label"):
            rows.fault(f"{place}, column '{name}': {clip(value)} is not 1 or 2")
            return
    scores = [number_of(row.get(name)) for name in ("score_1", "score_2")]
    lengths = [number_of(row.get(name)) for name in ("chars_1", "chars_2")]
    texts = [row.get("completion_noswap"), row.get("completion_swap")]
    item = f"{row['subset']}/{row['item']}"
    _add(
        rows,
        item,
        (row["subset"], row["evaluator"], row["strategy"]),
        row["label"],
        winners,
        texts,
        scores,
        lengths,
    )


def _from_results(rows: Rows, place: str, found: Any, names: tuple[str, str, str], index: int) -> None:
    label = str(found.get("label")) if isinstance(found, dict) else ""
    results = found.get("results") if isinstance(found, dict) else None
    last = results[-1] if isinstance(results, list) and results else None
    if label not in _VERDICTS or not isinstance(last, dict):
        rows.fault(f"{place}: no object with a label of 1 or 2 and results")
        return
    winners, texts = [], []
    for order in ("swap = False", "swap = True"):
        said = last.get(order)
        if not isinstance(said, dict) or said.get("winner") not in (*_VERDICTS, None):
            rows.fault(f"{place}: '{order}' has no winner of 1, 2 or null")
            return
        winners.append(said.get("winner") or "")
        completion = said.get("completion")
        texts.append(next(iter(completion), None) if isinstance(completion, list) else completion)
    lengths = [
        float(len(text)) if isinstance(text := found.get(name), str) else None
        for name in ("output_1", "output_2")
    ]
    scores = [
        number_of(next(iter(score), None)) if isinstance(score := last.get(name), list) else None
        for name in ("score_1", "score_2")
    ]
    _add(rows, f"{names[0]}/{index}", names, label, winners, texts, scores, lengths)


def _add(
    rows: Rows,
    item: str,
    names: tuple[str, str, str],
    label: str,
    winners: Any,
    texts: list[Any],
    scores: list[float | None],
    lengths: list[float | None],
) -> None:
    subset, evaluator, strategy = (text_of(name) for name in names)
    for order, winner, text in zip(_ORDERS, winners, texts, strict=True):
        rows.add(
            item=text_of(item),
            system="output 1",
            other="output 2",
            judge=evaluator,
            arm=strategy,
            category=subset,
            order=order,
            verdict=_VERDICTS.get(winner),
            status="ok" if winner else "unparsed",
            score=scores[0],
            other_score=scores[1],
            label=winner or None,
            raw=text_of(text) or None,
            human=[_VERDICTS[label]],
            length=None if lengths[0] is None else int(lengths[0]),
            other_length=None if lengths[1] is None else int(lengths[1]),
        )


def groups(log: JudgementLog) -> Iterator[tuple[str, JudgementLog]]:
    """``subset|evaluator|strategy`` and its rows, in the order of the log."""
    from dataclasses import replace

    import numpy as np

    names = zip(*(log.table[column].to_pylist() for column in ("category", "judge", "arm")), strict=True)
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault("|".join(name), []).append(row)
    for key, places in rows.items():
        yield key, replace(log, table=log.table.take(np.array(places)))
