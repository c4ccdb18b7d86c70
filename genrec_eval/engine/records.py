"""Records of one model in one scenario, written as parquet parts with bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.engine.journal import Exchange
from genrec_eval.engine.rundir import whole_file
from genrec_eval.protocol.requests import Request
from genrec_eval.protocol.responses import Answer, ChatResponse, RankResponse, RateResponse
from genrec_eval.protocol.tables import RECORDS
from genrec_eval.scenarios.base import Case

ROWS = 4096


def part_name(model: str, scenario: str, part: int) -> str:
    """File name of a part; ``@`` cannot occur in a name of the suite."""
    return f"{scenario}@{model}.{part:05d}.parquet"


def parts(folder: Path, model: str, scenario: str) -> list[Path]:
    """The parts that exist, in order."""
    return sorted(folder.glob(f"{scenario}@{model}.[0-9][0-9][0-9][0-9][0-9].parquet"))


def write_part(path: Path, table: pa.Table, metadata: dict[str, str] | None = None) -> None:
    """Write one part so that it is either complete or absent."""
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with whole_file(path) as partial:
        pq.write_table(table, partial, compression="zstd")


class RecordWriter:
    """Collects records of single exchanges and writes a part whenever enough have come.

    The order of rows is the order of arrival: scoring joins by id, never by position.
    """

    def __init__(self, folder: Path, model: str, scenario: str) -> None:
        self.folder, self.model, self.scenario = folder, model, scenario
        self.written = 0
        self._rows: list[dict[str, Any]] = []

    def add(
        self,
        case: Case,
        repeat: int,
        step: int,
        request: Request,
        answer: Answer,
        exchange: Exchange,
        cached: bool,
        intended: float,
    ) -> None:
        """Keep one record."""
        response = answer.response
        row: dict[str, Any] = {
            "case": case.id,
            "unit": case.unit,
            "arm": case.arm,
            "repeat": repeat,
            "step": step,
            "status": str(answer.status),
            "error": answer.error,
            "raw": answer.raw,
            "request": exchange.request.decode(),
            "response": None if exchange.response is None else exchange.response.decode(),
            "blob": exchange.blob,
            "key": exchange.key,
            "attempts": exchange.attempts,
            "cached": cached,
            "intended": intended,
            "sent": exchange.sent,
            "first": exchange.first,
            "end": exchange.ended,
            "input_tokens": exchange.input_tokens,
            "output_tokens": exchange.output_tokens,
            "cost": exchange.cost,
        }
        if isinstance(response, RankResponse):
            row |= {"items": response.items, "item_scores": response.scores}
            row |= {"mentions": response.mentions, "grounding": response.grounding}
        elif isinstance(response, RateResponse):
            row["ratings"] = response.ratings
        if isinstance(response, ChatResponse):
            row["text"] = response.text
        elif exchange.response is not None:
            # what a chat model wrote stays readable beside what was read from it
            row["text"] = orjson.loads(exchange.response).get("text")
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected as one part."""
        if not self._rows:
            return
        constants = {"model": self.model, "scenario": self.scenario}
        columns = [
            _column(f, [constants.get(f.name, row.get(f.name)) for row in self._rows]) for f in RECORDS
        ]
        path = self.folder / part_name(self.model, self.scenario, self.written)
        write_part(path, pa.Table.from_arrays(columns, schema=RECORDS))
        self.written += 1
        self._rows.clear()


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    if pa.types.is_dictionary(field.type):
        return pa.array(values, pa.string()).cast(field.type)
    return pa.array(values, field.type)


def drop_stale(folder: Path, model: str, scenario: str, kept: int) -> None:
    """Remove parts of an earlier play beyond the first ``kept``."""
    for path in parts(folder, model, scenario)[kept:]:
        path.unlink()
