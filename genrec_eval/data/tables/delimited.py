"""Text tables: read by the fast reader; a fault is then looked for line by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.streams import clip, first_line, opened

if TYPE_CHECKING:
    from genrec_eval.data.tables.reading import Source

MOST_REFUSED = 1000
"""Rows that a tolerant source passes over before it is taken for another layout."""


def header(source: Source) -> list[str]:
    """Names of the columns."""
    if source.names is not None:
        return list(source.names)
    return next(_raw_rows(source), (0, []))[1]


def read_delimited(source: Source, wanted: list[str]) -> pa.Table:
    """The columns ``wanted``: text, or what ``source.types`` says."""
    from pyarrow import csv as arrow_csv

    refused = source.refused

    def refuse(row: Any) -> str:
        if refused is None or len(refused) >= MOST_REFUSED:
            return "error"
        refused.append(clip(row.text))
        return "skip"

    # bytes that are no text must be refused before they reach the handler, where they cannot be
    encoding = "utf-8-sig" if refused is not None and source.encoding == "utf-8" else source.encoding
    try:
        table = arrow_csv.read_csv(
            source.path,
            read_options=arrow_csv.ReadOptions(
                column_names=source.names, encoding=encoding, block_size=1 << 23
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=source.separator,
                quote_char='"' if source.quoted else False,
                newlines_in_values=source.multiline,
                invalid_row_handler=None if refused is None else refuse,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=wanted,
                column_types={name: source.types.get(name, pa.string()) for name in wanted},
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, UnicodeError, OSError) as error:
        _explain(source, wanted)
        raise UsageError(f"{source.path} cannot be read: {first_line(error)}") from error
    if source.quoted and any(_spans_lines(table.column(name)) for name in wanted):
        _refuse_open_quotes(source)
    return table


def rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields of each row below the header, blank lines and refused rows left out."""
    found = _raw_rows(source)
    width = len(source.names if source.names is not None else next(found, (0, []))[1])
    for line, row in found:
        if source.refused is None or len(row) == width:
            yield line, row


def _spans_lines(column: pa.ChunkedArray) -> bool:
    if pa.types.is_dictionary(column.type):
        return any(_spans_lines(pa.chunked_array([chunk.dictionary])) for chunk in column.chunks)
    return pa.types.is_string(column.type) and bool(pc.any(pc.match_substring(column, "\n")).as_py())


def _refuse_open_quotes(source: Source) -> None:
    """A quote that is not closed swallows the rows below it, and the fast reader lets it."""
    last = 0
    try:
        for line, _ in _raw_rows(source, strict=True):
            last = line
    except UsageError as error:
        raise UsageError(
            f"{source.path} line {last + 1}: a quote opens here that is not closed where its field ends,"
            f" and rows below become part of it ({str(error).rpartition(': ')[2]}); write a quote inside"
            ' a quoted text twice, and put one that begins a text in quotes, as in """Heroes"""'
        ) from None


def _explain(source: Source, wanted: list[str]) -> None:
    """Raise for the first line that is at fault."""
    columns = header(source)
    kinds = {columns.index(name): (name, source.types[name]) for name in wanted if name in source.types}
    too_many = source.refused is not None and len(source.refused) >= MOST_REFUSED
    for line, row in _raw_rows(source) if source.refused is None or too_many else rows(source):
        if len(row) != len(columns):
            raise UsageError(
                f"{source.path} line {line} has {len(row)} fields where {len(columns)} are expected"
                f" ({', '.join(columns)})"
            )
        if line == 1 and source.names is None:
            continue
        for place, (name, kind) in kinds.items():
            text = row[place].strip()
            if text and not _is(text, kind):
                raise UsageError(
                    f"{source.path} line {line}, column '{name}': {clip(text)} is not"
                    f" {'a whole number' if pa.types.is_integer(kind) else 'a number'}"
                )


def _raw_rows(source: Source, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    with opened(source.path) as stream:
        try:
            marked = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
            text = io.TextIOWrapper(stream, encoding=marked, newline="")
        except LookupError as error:
            raise UsageError(f"{source.path}: {error}") from None
        quoting: Any = csv.QUOTE_MINIMAL if source.quoted else csv.QUOTE_NONE
        reader = csv.reader(text, delimiter=source.separator, quoting=quoting, strict=strict)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except UnicodeError:
            raise _undecodable(source) from None
        except csv.Error as error:
            raise UsageError(f"{source.path} line {reader.line_num}: {error}") from None


def _undecodable(source: Source) -> UsageError:
    with opened(source.path) as stream:
        for line, raw in enumerate(stream, 1):
            try:
                raw.decode(source.encoding)
            except UnicodeDecodeError as error:
                return UsageError(
                    f"{source.path} line {line}: byte 0x{raw[error.start]:02X} is not {source.encoding} text;"
                    " save the file as UTF-8 or name its encoding (many old files are latin-1)"
                )
    return UsageError(f"{source.path} is not {source.encoding} text; name its encoding")


def _is(text: str, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        return True
    try:
        _ = int(text) if pa.types.is_integer(kind) else float(text)
    except ValueError:
        return False
    return True
