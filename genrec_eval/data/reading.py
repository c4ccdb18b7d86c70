"""Reading tables from csv, tsv, parquet and JSON lines; a fault is named by file, line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.secrets import expand

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t", ".tab": "\t"}
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")


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
        Columns of a text table that are not text. A fault in them is explained by line.
    multiline
        Whether a quoted field of a text table may span lines.
    """

    path: Path
    delimiter: str | None = None
    names: Sequence[str] | None = None
    encoding: str = "utf-8"
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    multiline: bool = False

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
            lines = self._json_lines() if self.format == "jsonl" else self._rows()
            for count, (line, _) in enumerate(lines):
                if count == row:
                    return f"{self.path} line {line}"
        return f"{self.path} row {row + 1}"

    def columns(self) -> list[str]:
        """Names of the columns, without reading the file."""
        _refuse_empty(self.path)
        if self.format == "parquet":
            return list(_parquet(self.path).schema_arrow.names)
        if self.format == "jsonl":
            # A field may be missing anywhere, in the first line too.
            return list(dict.fromkeys(name for _, line in self._json_lines() for name in line))
        if self.names is not None:
            return list(self.names)
        return next(self._raw_rows(), (0, []))[1]

    def read(self, include: Sequence[str] | None = None) -> pa.Table:
        """Read the table, or only the columns ``include``.

        Raises
        ------
        UsageError
            When the file is empty, broken or lacks a column.
        """
        found = self.columns()
        for name in include or ():
            if name not in found:
                raise UsageError(
                    f"{self.path} has no column '{name}'{did_you_mean(name, found)}"
                    f" (columns: {', '.join(found)})"
                )
        twice = next((name for name in include or found if found.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"{self.path} has two columns named '{twice}'; rename one")
        wanted = list(found if include is None else dict.fromkeys(include))
        readers: dict[str, Callable[[list[str]], pa.Table]] = {
            "parquet": self._read_parquet,
            "jsonl": self._read_jsonl,
            "text": self._read_text,
        }
        table = readers[self.format](wanted)
        if table.num_rows == 0:
            raise UsageError(f"{self.path} holds no rows")
        return table

    def _read_parquet(self, wanted: list[str]) -> pa.Table:
        try:
            table = _parquet(self.path).read(columns=wanted)
            table.validate(full=True)  # that texts are UTF-8 is taken on the file's word otherwise
            return table
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{self.path} is a broken parquet file: {_first(error)}") from error

    def _read_text(self, wanted: list[str]) -> pa.Table:
        from pyarrow import csv as arrow_csv

        try:
            table = arrow_csv.read_csv(
                self.path,
                read_options=arrow_csv.ReadOptions(
                    column_names=self.names, encoding=self.encoding, block_size=1 << 23
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.separator, newlines_in_values=self.multiline
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=wanted,
                    column_types={name: self.types.get(name, pa.string()) for name in wanted},
                    null_values=[""],
                    strings_can_be_null=False,
                ),
            )
        except (pa.ArrowException, UnicodeError, OSError) as error:
            self._explain(wanted)
            raise UsageError(f"{self.path} cannot be read: {_first(error)}") from error
        spanning = [
            column
            for name, column in zip(table.column_names, table.columns, strict=True)
            if name not in self.types and pc.any(pc.match_substring(column, "\n")).as_py()
        ]
        if spanning:
            self._refuse_open_quotes()
        return table

    def _refuse_open_quotes(self) -> None:
        """A quote that is not closed swallows the rows below it, and the fast reader lets it."""
        last = 0
        try:
            for line, _ in self._raw_rows(strict=True):
                last = line
        except UsageError as error:
            raise UsageError(
                f"{self.path} line {last + 1}: a quote opens here that is not closed where its field ends,"
                f" and rows below become part of it ({str(error).rpartition(': ')[2]}); write a quote inside"
                ' a quoted text twice, and put one that begins a text in quotes, as in """Heroes"""'
            ) from None

    def _explain(self, wanted: list[str]) -> None:
        """Raise for the first line that is at fault."""
        columns = self.columns()
        kinds = {columns.index(name): (name, self.types[name]) for name in wanted if name in self.types}
        for line, row in self._rows():
            if len(row) != len(columns):
                raise UsageError(
                    f"{self.path} line {line} has {len(row)} fields where {len(columns)} are expected"
                    f" ({', '.join(columns)})"
                )
            for place, (name, kind) in kinds.items():
                text = row[place].strip()
                if text and not _is(text, kind):
                    raise UsageError(
                        f"{self.path} line {line}, column '{name}': {clip(text)} is not"
                        f" {'a whole number' if pa.types.is_integer(kind) else 'a number'}"
                    )

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and fields of each row below the header, blank lines left out."""
        rows = self._raw_rows()
        if self.names is None:
            next(rows, None)
        yield from rows

    def _raw_rows(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        with self._open() as stream:
            try:
                marked = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
                text = io.TextIOWrapper(stream, encoding=marked, newline="")
            except LookupError as error:
                raise UsageError(f"{self.path}: {error}") from None
            reader = csv.reader(text, delimiter=self.separator, strict=strict)
            try:
                for row in reader:
                    if row:
                        yield reader.line_num, row
            except UnicodeError:
                raise self._undecodable() from None
            except csv.Error as error:
                raise UsageError(f"{self.path} line {reader.line_num}: {error}") from None

    def _undecodable(self) -> UsageError:
        with self._open() as stream:
            for line, raw in enumerate(stream, 1):
                try:
                    raw.decode(self.encoding)
                except UnicodeDecodeError as error:
                    return UsageError(
                        f"{self.path} line {line}: byte 0x{raw[error.start]:02X} is not {self.encoding} text;"
                        " save the file as UTF-8 or name its encoding (many old files are latin-1)"
                    )
        return UsageError(f"{self.path} is not {self.encoding} text; name its encoding")

    def _json_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        import orjson

        with self._open() as stream:
            for line, raw in enumerate(stream, 1):
                if not raw.strip():
                    continue
                try:
                    found = orjson.loads(raw)
                except orjson.JSONDecodeError as error:
                    raise UsageError(f"{self.path} line {line} is not JSON: {error}") from None
                if not isinstance(found, dict):
                    raise UsageError(f"{self.path} line {line} is not a JSON object")
                yield line, found

    def _read_jsonl(self, wanted: list[str]) -> pa.Table:
        from pyarrow import json as arrow_json

        first = next(self._json_lines())[1]
        schema = pa.schema([(name, _json_type(first.get(name))) for name in wanted])
        try:
            return arrow_json.read_json(
                self.path,
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="ignore"
                ),
            ).select(wanted)
        except (pa.ArrowException, OSError) as error:
            return self._read_jsonl_slowly(wanted, error)

    def _read_jsonl_slowly(self, wanted: list[str], error: Exception) -> pa.Table:
        """Read what the fast reader refuses (1 here, 1.5 or "1" there), or say which line is at fault."""
        values: dict[str, list[Any]] = {name: [] for name in wanted}
        for line, row in self._json_lines():
            for name in wanted:
                value = row.get(name)
                if isinstance(value, dict | bool):
                    raise UsageError(f"{self.path} line {line}, column '{name}': unexpected {clip(value)}")
                values[name].append(value)
        for name, column in values.items():
            if len({type(value) for value in column if value is not None} - {int, float}) > 0:
                values[name] = [str(v) if isinstance(v, int | float) else v for v in column]
        try:
            return pa.table(values)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            raise UsageError(f"{self.path} cannot be read: {_first(error)}") from error

    @contextmanager
    def _open(self) -> Iterator[io.BufferedReader]:
        try:
            with pa.input_stream(self.path, compression="detect") as stream:
                yield io.BufferedReader(stream)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {_first(error)}") from error


def clip(value: Any, limit: int = 60) -> str:
    """``value`` in quotes, shortened: data may be long and may hold anything."""
    text = repr(str(value))
    return text if len(text) <= limit else f"{text[:limit]}…'"


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a parquet file: {_first(error)}") from error


def _refuse_empty(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder where a file is expected")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty")


def _first(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _is(text: str, kind: pa.DataType) -> bool:
    try:
        _ = int(text) if pa.types.is_integer(kind) else float(text)
    except ValueError:
        return False
    return True


def _json_type(value: Any) -> pa.DataType:
    """The type a column is read as, by its first value."""
    if isinstance(value, str):
        return pa.string()  # named, or texts that look like dates would be read as times
    if isinstance(value, list):
        return pa.list_(pa.string())
    return pa.int64() if isinstance(value, int) and not isinstance(value, bool) else pa.float64()
