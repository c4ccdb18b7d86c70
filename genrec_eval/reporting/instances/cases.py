"""The cases of a scenario, read as far as their instances need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int64

WINDOW = 4096
"""Cases whose instances are made together."""
_DETAIL = ("history", "truth", "targets", "ratings", "candidates")
_VALUES = 60
"""Values of one group that can be filtered by."""
_TITLES = 300_000
"""Catalogues with more items have no titles beside their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The n cases of a scenario.

    Attributes
    ----------
    path
        The case table; None where the run keeps none and the records say which cases there are.
    ids, units, arms
        string[n] each.
    unit_of
        int64[n], position of each case's unit among ``unit_ids``.
    groups
        Name → string[n].
    items
        Ids of the catalogue that the codes of the case table point into; None where there is none.
    titles
        Item → title, for catalogues that have them.
    """

    path: Path | None
    ids: pa.Array
    units: pa.Array
    arms: pa.Array
    unit_ids: pa.Array
    unit_of: Int64
    groups: dict[str, pa.Array]
    items: pa.Array | None
    titles: dict[str, str]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def read(cls, directory: Path, scenario: str, records: list[Path]) -> Cases:
        """Read ``cases/<scenario>.parquet``, else what the records say.

        Raises
        ------
        UsageError
            When a file cannot be read.
        """
        path = directory / "cases" / f"{scenario}.parquet"
        if path.is_file():
            names = [name for name in _names(path) if name in ("case", "unit", "arm") or _is_group(name)]
            table = _read(path, names)
        else:
            kept = [_read(part, ["case", "unit", "arm", "scenario"]) for part in records]
            table = pa.concat_tables(kept)
            table = table.filter(pc.equal(table.column("scenario").cast(pa.string()), scenario))
            first = table.append_column("row", pa.array(np.arange(len(table)))).group_by("case")
            rows = first.aggregate([("row", "min")]).column("row_min").to_numpy()
            table = table.take(np.sort(rows))
            path = None  # type: ignore[assignment]
        units = _words(table, "unit")
        unit_ids = pc.unique(units)
        items, titles = _catalogue(directory / "cases" / f"{scenario}@items.parquet")
        return cls(
            path=path,
            ids=_words(table, "case"),
            units=units,
            arms=_words(table, "arm"),
            unit_ids=unit_ids,
            unit_of=positions(units, unit_ids),
            groups={name[6:]: _words(table, name) for name in table.column_names if _is_group(name)},
            items=items,
            titles=titles,
        )

    def slices(self) -> list[str]:
        """``"<group>=<value>"`` of all cases, the first values of each group."""
        return [
            f"{name}={str(value)[:200]}"
            for name, column in self.groups.items()
            for value in sorted(pc.unique(column).drop_null().to_pylist())[:_VALUES]
        ]

    def details(self) -> Iterator[tuple[int, pa.Table | None]]:
        """Windows of cases: number of the first, and what was asked of them as lists of item ids."""
        names = [name for name in _DETAIL if self.path is not None and name in _names(self.path)]
        if self.path is None or not names:
            for start in range(0, len(self), WINDOW):
                yield start, None
            return
        start = 0
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(WINDOW, columns=names):
                columns = {name: self._spelt(name, batch.column(name)) for name in names}
                yield start, pa.table({name: one for name, one in columns.items() if one is not None})
                start += len(batch)

    def _spelt(self, name: str, column: pa.Array) -> pa.Array | None:
        """Lists of codes as lists of ids."""
        if not pa.types.is_list(column.type) or name == "ratings":
            return column if pa.types.is_list(column.type) else None
        flat = column.flatten()
        if not pa.types.is_integer(flat.type):
            return column
        if self.items is None:
            return None
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), self.items.take(flat))


def values(column: pa.ChunkedArray) -> list[Any]:
    """Python values of a column; lists of coded words much faster than by ``to_pylist``."""
    if not pa.types.is_list(column.type):
        return column.to_pylist()
    whole = column.combine_chunks()
    array = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole
    if not len(column):
        return []
    flat = array.flatten()
    if pa.types.is_dictionary(flat.type) and len(flat.dictionary) > len(flat):
        inside = flat.dictionary_decode().to_pylist()
    elif pa.types.is_dictionary(flat.type):
        words = np.array([*flat.dictionary.to_pylist(), None], object)
        inside = words[flat.indices.fill_null(-1).to_numpy(zero_copy_only=False)].tolist()
    else:
        inside = flat.to_pylist()
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths).tolist()
    valid = array.is_valid().to_pylist()
    starts = [0, *ends[:-1]]
    return [inside[a:b] if there else None for a, b, there in zip(starts, ends, valid, strict=True)]


def positions(words: pa.Array, among: pa.Array) -> Int64:
    """int64[n], where each word stands in ``among``; −1 where it does not."""
    if words.equals(among):
        return np.arange(len(words), dtype=np.int64)
    found = pc.fill_null(pc.index_in(words, value_set=among), -1)
    return found.to_numpy(zero_copy_only=False).astype(np.int64)


def _catalogue(path: Path) -> tuple[pa.Array | None, dict[str, str]]:
    if not path.is_file() or "item" not in _names(path):
        return None, {}
    titled = "title" in _names(path)
    table = _read(path, ["item", "title"] if titled else ["item"])
    items = _words(table, "item")
    if not titled or len(items) > _TITLES:
        return items, {}
    pairs = zip(items.to_pylist(), table.column("title").to_pylist(), strict=True)
    return items, {item: str(title)[:200] for item, title in pairs if title}


def _is_group(name: str) -> bool:
    return name.startswith("group.")


def _words(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(len(table), pa.string())
    column = table.column(name).cast(pa.string())
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _names(path: Path) -> list[str]:
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None


def _read(path: Path, columns: list[str]) -> Any:
    try:
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None
