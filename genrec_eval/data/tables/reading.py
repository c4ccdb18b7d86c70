"""Reading tables from csv, tsv, parquet and JSON lines; a fault is named by file, line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.secrets import expand
from genrec_eval.data.tables.delimited import header, read_delimited, rows
from genrec_eval.data.tables.json_lines import objects, read_json_lines
from genrec_eval.data.tables.streams import COMPRESSED, clip, first_line, refuse_empty

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".tab": "\t"}


def locate(text: str, folder: Path, what: str) -> Path:
    """The existing file or folder that a suite names.

    Parameters
    ----------
    text
        A path, maybe with ``${env:NAME}``; relative paths are resolved against ``folder``.
    what
        The option it comes from, for the message.
    """
    try:
        path = folder / Path(expand(text)).expanduser()
        there = path.exists()
        beside = [p.name for p in path.parent.iterdir()] if not there and path.parent.is_dir() else []
    except (OSError, RuntimeError, ValueError) as error:  # too long, not readable, no such home folder
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{clip(text)} (from {what}) is not a usable path: {why}") from None
    if not there:
        raise UsageError(f"no such file or folder: {path} (from {what}){did_you_mean(path.name, beside)}")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table file and how it is to be read.

    Attributes
    ----------
    path
        csv, tsv, parquet or jsonl, maybe compressed; told apart by the name.
    delimiter
        Of a text table; by the name's ending when None.
    names
        Columns of a text table without a header line.
    encoding
        Of a text table.
    types
        Columns that are not text. A fault in them is explained by line.
    multiline
        Whether a quoted field of a text table may span lines.
    quoted
        Whether quotes in a text table enclose a field; otherwise they are text like any other.
    refused
        Where to put rows of a text table with too few or too many fields, which are then passed over;
        with None they are faults.
    """

    path: Path
    delimiter: str | None = None
    names: Sequence[str] | None = None
    encoding: str = "utf-8"
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    multiline: bool = False
    quoted: bool = True
    refused: list[str] | None = None

    @property
    def suffix(self) -> str:
        """Ending that tells the format."""
        endings = [ending.lower() for ending in self.path.suffixes]
        while endings and endings[-1] in COMPRESSED:
            endings.pop()
        return endings[-1] if endings else ""

    @property
    def format(self) -> str:
        """``parquet``, ``jsonl`` or ``text``."""
        if self.suffix in (".parquet", ".pq"):
            return "parquet"
        if self.suffix in (".jsonl", ".ndjson", ".json"):
            return "jsonl"
        if self.suffix in DELIMITERS or self.delimiter is not None:
            return "text"
        raise UsageError(
            f"{self.path}: the name does not end in .csv, .tsv, .parquet or .jsonl;"
            " for another text table say which delimiter it has"
        )

    @property
    def separator(self) -> str:
        """Delimiter of a text table."""
        return self.delimiter or DELIMITERS[self.suffix]

    def where(self, row: int) -> str:
        """``"file line 7"`` or ``"file row 6"`` for a row counted from 0."""
        if self.format == "parquet":
            return f"{self.path} row {row + 1}"
        with suppress(UsageError):
            for count, (line, _) in enumerate(objects(self.path) if self.format == "jsonl" else rows(self)):
                if count == row:
                    return f"{self.path} line {line}"
        return f"{self.path} row {row + 1}"

    def columns(self) -> list[str]:
        """Names of the columns; JSON lines are read through for them, other files are not."""
        refuse_empty(self.path)
        if self.format == "parquet":
            return list(_parquet(self.path).schema_arrow.names)
        if self.format == "jsonl":
            # a field may be missing anywhere, in the first line too
            return list(dict.fromkeys(name for _, line in objects(self.path) for name in line))
        return header(self)

    def read(self, include: Sequence[str] | None = None) -> pa.Table:
        """Read the table, or only the columns ``include``.

        Raises
        ------
        UsageError
            When the file is empty, broken or lacks a column.
        """
        refuse_empty(self.path)
        if self.format == "jsonl":
            wanted = list(dict.fromkeys(self.columns() if include is None else include))
            table = read_json_lines(self, wanted)
            if any(table.column(name).null_count == table.num_rows for name in wanted):
                self._check(wanted, self.columns())
        else:
            found = self.columns()
            self._check(include or (), found)
            twice = next((name for name in include or found if found.count(name) > 1), None)
            if twice is not None:
                raise UsageError(f"{self.path} has two columns named '{twice}'; rename one")
            wanted = list(found if include is None else dict.fromkeys(include))
            parquet = self.format == "parquet"
            table = self._read_parquet(wanted) if parquet else read_delimited(self, wanted)
        if table.num_rows == 0:
            raise UsageError(f"{self.path} holds no rows")
        return table

    def _check(self, wanted: Sequence[str], found: Sequence[str]) -> None:
        for name in wanted:
            if name not in found:
                raise UsageError(
                    f"{self.path} has no column '{name}'{did_you_mean(name, found)}"
                    f" (columns: {clip(', '.join(found), 300)[1:-1]})"
                )

    def _read_parquet(self, wanted: list[str]) -> pa.Table:
        try:
            table = _parquet(self.path).read(columns=wanted)
            table.validate(full=True)  # that texts are UTF-8 is taken on the file's word otherwise
            return table
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{self.path} is a broken parquet file: {first_line(error)}") from error


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a parquet file: {first_line(error)}") from error
