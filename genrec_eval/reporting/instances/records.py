"""Where the records of one model lie, by case; rows are read only where they are shown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int64
from genrec_eval.protocol.status import FAILED, UNANSWERED, Status
from genrec_eval.reporting.instances.cases import WINDOW, Cases, positions, values

_KEYS = ("model", "scenario", "case", "status")
_SHOWN = (
    "repeat", "step", "status", "error", "items", "mentions", "grounding", "ratings", "text", "blob", "raw",
    "request", "attempts", "cached", "sent", "end", "input_tokens", "output_tokens", "cost",
)  # fmt: skip
_KEPT_ROWS = 120_000
"""Records in memory at a time."""
_GATHERED = 1_000_000_000
"""Bytes of records that are gathered in one pass where their order is not that of the cases."""
_SCATTERED = 3
"""Times that each part would be read, window by window, from which on they are gathered before."""

FINE = (str(Status.OK), str(Status.LOGGED))


def severity(status: str) -> int:
    """0 for an answer, 1 for half of one, 2 for none that can be used; unknown words count as none."""
    if status in FINE:
        return 0
    return 1 if status in {str(one) for one in Status} - {str(one) for one in FAILED} else 2


_SURELY_NONE = {str(one) for one in UNANSWERED}


def _worse_first(status: str) -> tuple[int, bool, str]:
    return -severity(status), status not in _SURELY_NONE, status


def record_files(directory: Path) -> list[Path]:
    """All files of records of a run."""
    return sorted((directory / "records").rglob("*.parquet"))


class Records:
    """The records of one model in one scenario.

    Parameters
    ----------
    paths
        Files that may hold them; rows of others are passed over.
    cases
        The cases of the scenario, which records are joined to by id.

    Attributes
    ----------
    statuses
        Names, the worst first.
    status
        int16[n cases], position in ``statuses`` of the worst record of each case; −1 where there is none.
    strangers
        Records without a status, or of a case that the run does not hold.
    """

    def __init__(self, paths: list[Path], model: str, scenario: str, cases: Cases) -> None:
        self._groups: list[tuple[Path, int]] = []
        self._tables: OrderedDict[int, pa.Table] = OrderedDict()
        self._gathered: dict[int, tuple[Int64, pa.Table]] = {}
        held: list[pa.Array] = []
        mine: list[np.ndarray] = []
        words: list[tuple[np.ndarray, list[str]]] = []
        for path, group, table in _status_columns(paths):
            wanted = pc.and_(
                pc.equal(table.column("model").cast(pa.string()), model),
                pc.equal(table.column("scenario").cast(pa.string()), scenario),
            ).to_numpy()
            if not wanted.any():
                continue
            coded = table.column("status").cast(pa.string()).combine_chunks().dictionary_encode()
            codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            words.append((codes, [str(word) for word in coded.dictionary.to_pylist()]))
            held.append(table.column("case").cast(pa.string()).combine_chunks())
            mine.append(wanted)
            self._groups.append((path, group))
        self._ends = np.cumsum([len(one) for one in held], dtype=np.int64)
        self.statuses = sorted({word for _, names in words for word in names}, key=_worse_first)
        place = {word: number for number, word in enumerate(self.statuses)}
        none = len(self.statuses)
        # all at once: looking up a part alone would hash the ids of all cases again
        owner = positions(pa.concat_arrays(held), cases.ids) if held else np.zeros(0, np.int64)
        wanted = np.concatenate([*mine, np.zeros(0, bool)])
        status = np.concatenate(
            [
                np.zeros(0, np.int16),
                *(np.array([*map(place.get, names), none], np.int16)[codes] for codes, names in words),
            ]
        )
        known = wanted & (owner >= 0) & (status < none)
        self.strangers = int((wanted & ~known).sum())
        self.status = np.full(len(cases), none, np.int16)
        np.minimum.at(self.status, owner[known], status[known])
        self.status[self.status == none] = -1
        whole = np.where(wanted, owner, -1)
        self._order = np.argsort(whole, kind="stable")
        self._starts = np.searchsorted(whole[self._order], np.arange(len(cases) + 1))

    def counts(self) -> dict[str, int]:
        """Status → cases whose worst record has it."""
        found = np.bincount(self.status[self.status >= 0], minlength=len(self.statuses)).tolist()
        return {name: count for name, count in zip(self.statuses, found, strict=True) if count}

    def gather(self, rows: Int64) -> None:
        """Read what is needed of cases ``rows`` in one pass, where window by window would take many.

        A model that answers in an order of its own, as recorded answers do, has the records of neighbouring
        cases in all parts.
        """
        at, owner = self._places(rows)
        group = np.searchsorted(self._ends, at, side="right")
        used = np.unique(group)
        touched = len(np.unique(owner // WINDOW * len(self._ends) + group))
        if touched <= _SCATTERED * len(used) or self._size(used) * len(rows) > _GATHERED * self._rows(used):
            return
        for number in used.tolist():
            mine = at[group == number] - self._first(number)
            self._gathered[number] = (mine, self._read(number).take(pa.array(mine)))

    def _places(self, rows: Int64) -> tuple[Int64, Int64]:
        """Records of cases ``rows`` in the order of the files, and the case of each."""
        spans = [self._order[self._starts[row] : self._starts[row + 1]] for row in rows.tolist()]
        at = np.concatenate([*spans, np.zeros(0, np.int64)]).astype(np.int64)
        owner = np.repeat(rows, [len(span) for span in spans])
        order = np.argsort(at, kind="stable")
        return at[order], owner[order]

    def _first(self, number: int) -> int:
        return int(self._ends[number - 1]) if number else 0

    def _rows(self, used: Int64) -> int:
        return sum(int(self._ends[number]) - self._first(number) for number in used.tolist())

    def _size(self, used: Int64) -> int:
        """Bytes of these parts before compression."""
        size = 0
        for number in used.tolist():
            path, group = self._groups[number]
            with pq.ParquetFile(path) as file:
                size += file.metadata.row_group(group).total_byte_size
        return size

    def of(self, rows: Int64) -> dict[int, list[dict[str, Any]]]:
        """Case → its records by repeat and step, for cases ``rows``."""
        at, owner = self._places(rows)
        found: dict[int, list[dict[str, Any]]] = {}
        group = np.searchsorted(self._ends, at, side="right")
        for number in np.unique(group).tolist():
            mine = group == number
            inside = at[mine] - self._first(number)
            if number in self._gathered:
                held, table = self._gathered[number]
                inside = np.searchsorted(held, inside)
            else:
                table = self._table(number)
            some = table.take(pa.array(inside))
            for row, record in zip(owner[mine].tolist(), _dicts(some), strict=True):
                found.setdefault(row, []).append(record)
        for records in found.values():
            if len(records) > 1:
                records.sort(key=lambda record: (record.get("repeat") or 0, record.get("step") or 0))
        return found

    def _table(self, number: int) -> pa.Table:
        if number in self._tables:
            self._tables.move_to_end(number)
            return self._tables[number]
        table = self._tables[number] = self._read(number)
        while len(self._tables) > 1 and sum(map(len, self._tables.values())) > _KEPT_ROWS:
            self._tables.popitem(last=False)
        return table

    def _read(self, number: int) -> pa.Table:
        path, group = self._groups[number]
        with pq.ParquetFile(path, read_dictionary=["items.list.element"]) as file:
            names = [name for name in _SHOWN if name in file.schema_arrow.names]
            table = file.read_row_group(group, columns=names)
        return table.select([name for name in names if table.column(name).null_count < len(table)])


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    names = table.column_names
    columns = [values(table.column(name)) for name in names]
    for row in zip(*columns, strict=True):
        yield dict(zip(names, row, strict=True))


def _status_columns(paths: list[Path]) -> Iterator[tuple[Path, int, pa.Table]]:
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                if any(name not in file.schema_arrow.names for name in _KEYS):
                    raise UsageError(f"{path} is not a table of records; redo it with 'genrec-eval run'")
                for group in range(file.num_row_groups):
                    yield path, group, file.read_row_group(group, columns=list(_KEYS))
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval run'") from None
