"""A few exchanges per model as evidence: the first that went well, and one of each other status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.text import block, line

_SHOWN_ITEMS = 20
_MOST_STATUSES = 4
_WORDS = ("model", "scenario", "status")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, as quoted."""

    model: str
    scenario: str
    case: str
    step: int
    status: str
    error: str
    items: tuple[str, ...]
    more_items: int
    output: str


def exchanges(directory: Path) -> list[Exchange]:
    """Pick examples from ``records/*.parquet``; rows are read only where one is picked.

    Raises
    ------
    UsageError
        When a file is not a table of records.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[tuple[str, str, str], Exchange] = {}
    for path in sorted((directory / "records").rglob("*.parquet")):
        try:
            file = pq.ParquetFile(path)
            if any(name not in file.schema_arrow.names for name in _WORDS):
                raise UsageError(f"{path} is not a table of records; redo it with 'genrec-eval run'")
            for number in range(file.num_row_groups):
                words = file.read_row_group(number, columns=list(_WORDS)).combine_chunks()
                codes = [words.column(name).cast(pa.string()).dictionary_encode() for name in _WORDS]
                parts = [code.combine_chunks() if hasattr(code, "combine_chunks") else code for code in codes]
                joint = np.zeros(len(words), np.int64)
                for part in parts:
                    indices = part.indices.fill_null(0).to_numpy(zero_copy_only=False)
                    joint = joint * max(1, len(part.dictionary)) + indices
                _, first = np.unique(joint, return_index=True)
                names = [[part[row].as_py() for part in parts] for row in sorted(first.tolist())]
                wanted = {
                    row: (str(n[0]), str(n[1]), str(n[2]))
                    for row, n in zip(sorted(first.tolist()), names, strict=True)
                    if (str(n[0]), str(n[1]), str(n[2])) not in found and n[2] != "logged"
                }
                if wanted:
                    _pick(file, number, wanted, found)
        except (pa.ArrowInvalid, OSError) as error:
            raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval run'") from None
    kept: list[Exchange] = []
    per_model: dict[tuple[str, str], int] = {}
    # Trouble first: a reader asks what went wrong before what went well.
    for (model, scenario, _), exchange in sorted(found.items(), key=lambda pair: pair[0][2] == "ok"):
        if per_model.get((model, scenario), 0) < _MOST_STATUSES or exchange.status == "ok":
            kept.append(exchange)
            per_model[model, scenario] = per_model.get((model, scenario), 0) + 1
    return kept


def _pick(
    file: Any, number: int, wanted: Mapping[int, tuple[str, str, str]], found: dict[Any, Exchange]
) -> None:
    columns = [
        c
        for c in ("case", "step", "error", "items", "mentions", "grounding", "text", "raw")
        if c in file.schema_arrow.names
    ]
    start = 0
    rows = sorted(wanted)
    for batch in file.iter_batches(4096, row_groups=[number], columns=columns):
        while rows and rows[0] < start + len(batch):
            row = rows.pop(0)
            (values,) = batch.slice(row - start, 1).to_pylist()
            found[wanted[row]] = _exchange(wanted[row], values)
        start += len(batch)
        if not rows:
            return


def _exchange(key: tuple[str, str, str], values: Mapping[str, Any]) -> Exchange:
    model, scenario, status = key
    items = values.get("mentions") or values.get("items") or []
    tiers = values.get("grounding") or []
    if len(tiers) == len(items):
        items = [f"{item} ({tier})" for item, tier in zip(items, tiers, strict=True)]
    output = values.get("text") or values.get("raw") or ""
    return Exchange(
        model=model,
        scenario=scenario,
        case=line(values.get("case") or "", 80),
        step=int(values.get("step") or 0),
        status=status,
        error=line(values.get("error") or "", 400),
        items=tuple(line(item, 80) for item in items[:_SHOWN_ITEMS]),
        more_items=max(0, len(items) - _SHOWN_ITEMS),
        output=block(output, 2000) if output else "",
    )
