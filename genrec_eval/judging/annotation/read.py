"""Filled-in sheets as they come back: csv, and the file that the form saves."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.tables.delimited import rows
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.streams import clip
from genrec_eval.judging.annotation.sheets import ANSWER
from genrec_eval.judging.annotation.write import COMMENT

SCHEMA = "genrec-eval/annotations/1"
"""What the form's file says of itself."""
LARGEST = 1 << 28
"""Bytes of a file that is read."""

TEXTS = ("question", "facts", "reference", "answer", "answer_a", "answer_b", "claim")
_KNOWN = ("item", *TEXTS, *ANSWER.values(), COMMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer, or a blank one.

    Attributes
    ----------
    item
        The opaque id; that of a claim ends in a dot and its number.
    words
        Column (score, winner, verdict) → what stands in it, blank or not.
    texts
        What the row says was shown; empty for the form.
    where
        ``file:line`` or ``file, answer 7``.
    dialect
        ``csv`` or ``form``.
    """

    item: str
    words: Mapping[str, str]
    comment: str
    where: str
    dialect: str
    texts: Mapping[str, str] = field(default_factory=dict)


def read_answers(path: Path) -> list[Said]:
    """All rows of one file, in their order.

    Raises
    ------
    UsageError
        When there is no such file, or it is neither a sheet nor what the form saves.
    """
    if not path.is_file():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UsageError(f"no such file of annotations: {path}{did_you_mean(path.name, beside)}")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path} is larger than {LARGEST >> 20} MB, which no sheet is")
    if path.suffix.lower() == ".json":
        return list(_form(path))
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return list(_csv(path))
    hint = "; the form's page is not what it saves: open it and press 'Save answers'"
    raise UsageError(
        f"{path} is neither a .csv sheet nor the .json file that the form saves"
        f"{hint if path.suffix.lower() in ('.html', '.htm') else ''}"
    )


def _csv(path: Path) -> Iterator[Said]:
    # spreadsheets write the separator of their country
    source = Source(path=path, multiline=True, delimiter=_delimiter(path))
    found = source.columns()
    for name in found:
        if name not in _KNOWN:
            raise UsageError(
                f"{path}: unknown column {clip(name)}{did_you_mean(name, _KNOWN)}"
                " (a sheet comes back with the columns that it went out with)"
            )
    if "item" not in found:
        raise UsageError(f"{path} has no column 'item', without which nothing is known of its rows")
    if not set(ANSWER.values()) & set(found):
        raise UsageError(f"{path} has no column of answers: {', '.join(ANSWER.values())}")
    source.read(found)  # names every fault of a table by its line
    answers = [name for name in found if name in ANSWER.values()]
    begins = 2
    for ends, cells in rows(source):
        row = dict(zip(found, cells, strict=True))
        line, begins = begins, ends + 1
        if not any(cell.strip() for cell in cells):
            continue  # a spreadsheet keeps rows that were emptied
        yield Said(
            item=row["item"].strip(),
            words={name: row[name].strip() for name in answers},
            comment=row.get(COMMENT, "").strip(),
            where=f"{path}:{line}",
            dialect="csv",
            texts={name: row[name] for name in found if name in TEXTS},
        )


def _delimiter(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.readline(1 << 16).decode("utf-8-sig", "replace")
    counts = {one: next(csv.reader([head], delimiter=one), []).count("item") for one in (",", ";", "\t")}
    return next((one for one, n in counts.items() if n), ",")


def _form(path: Path) -> Iterator[Said]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON ({error}); save the form's answers once more") from None
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a file that an annotation form saves (schema '{SCHEMA}')")
    answers = raw.get("answers")
    if not isinstance(answers, list):
        raise UsageError(f"{path} has no list 'answers'; save the form's answers once more")
    for at, one in enumerate(answers, 1):
        where = f"{path}, answer {at}"
        if not isinstance(one, dict) or not isinstance(one.get("item"), str):
            raise UsageError(f"{where} has no 'item'; save the form's answers once more")
        yield Said(
            item=one["item"].strip(),
            words={name: _text(one[name], where, name) for name in ANSWER.values() if name in one},
            comment=_text(one.get(COMMENT, ""), where, COMMENT),
            where=where,
            dialect="form",
        )


def _text(value: Any, where: str, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{where}: '{name}' is {clip(value)}, and not a text or number")
    return str(value).strip()


def read_all(paths: Sequence[Path]) -> list[Said]:
    """All rows of several files."""
    return [one for path in paths for one in read_answers(path)]
