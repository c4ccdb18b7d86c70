"""Files of recorded judgements: JSON arrays, csv and JSON lines, by row, with bounds."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import MissingData, UsageError, did_you_mean
from genrec_eval.data.tables.json_lines import objects
from genrec_eval.data.tables.streams import COMPRESSED, LONGEST_LINE, clip, opened

_LARGEST = 1 << 29
"""Bytes of a JSON array, which is read whole."""


def find(folder: Path, name: str) -> Path | None:
    """The file of that name, compressed or not."""
    for ending in ("", *COMPRESSED):
        path = folder / (name + ending)
        if path.is_file():
            return path
    return None


def need(folder: Path, name: str, where: str) -> Path:
    """Like :func:`find`.

    Raises
    ------
    MissingData
        When it is not there; ``where`` says where it can be had.
    """
    path = find(folder, name)
    if path is None:
        raise MissingData(f"{folder} holds no {name}; {where}")
    return path


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises
    ------
    UsageError
        When it is no JSON or too large.
    """
    import orjson

    with opened(path) as stream:
        raw = stream.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise UsageError(f"{path} is larger than {_LARGEST:,} bytes, which no log of judgements is")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    import json

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    try:  # other writers put lone surrogates into texts, which orjson refuses
        return json.loads(raw, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None


def json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Place and value of each entry of a JSON array, or of each line of JSON lines."""
    if any(path.name.endswith(".jsonl" + ending) for ending in ("", *COMPRESSED)):
        for line, row in objects(path):
            yield f"{path} line {line}", row
        return
    found = read_json(path)
    if not isinstance(found, list):
        raise UsageError(f"{path} holds no JSON array of judgements")
    for index, row in enumerate(found):
        yield f"{path} row {index + 1}", row


def csv_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Place and fields of each row of a csv file; None for a row with another number of fields.

    Raises
    ------
    UsageError
        When a column is missing, or the file is no UTF-8 text.
    """
    with opened(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        before = csv.field_size_limit(LONGEST_LINE)
        try:
            rows = csv.reader(text, strict=True)
            header = next(rows, [])
            for name in needed:
                if name not in header:
                    hint = did_you_mean(name, header)
                    raise UsageError(
                        f"{path} has no column '{name}'{hint} (columns: {clip(', '.join(header), 200)})"
                    )
            for index, fields in enumerate(rows):
                if fields:
                    fit = len(fields) == len(header)
                    yield f"{path} row {index + 1}", dict(zip(header, fields, strict=True)) if fit else None
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(f"{path} line {rows.line_num + 1} is not csv: {error}") from None
        finally:
            csv.field_size_limit(before)


def text_of(value: Any) -> str | None:
    """A text that any table can hold, None for anything else: lone surrogates are replaced."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def number_of(value: Any) -> float | None:
    """A finite number, None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None


def digest_of(paths: Sequence[Path]) -> str:
    """SHA-256 of the files' bytes, in the order of their names."""
    state = hashlib.sha256()
    for path in sorted(paths):
        state.update(path.name.encode())
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                state.update(block)
    return state.hexdigest()


def key_of(*texts: str) -> str:
    """A short stable id for texts that have none."""
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "replace")).hexdigest()[:12]
