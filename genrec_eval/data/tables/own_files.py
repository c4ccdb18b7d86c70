"""Reads interactions, items and users from files whose columns a suite names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest, digest_file
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.tables.assemble import assemble
from genrec_eval.data.tables.ids import ids_of
from genrec_eval.data.tables.lists import embeddings_of, lists_of_text, texts_of, tokens_of
from genrec_eval.data.tables.log import Log
from genrec_eval.data.tables.reading import Source, locate
from genrec_eval.data.tables.streams import clip

if TYPE_CHECKING:
    from genrec_eval.data.tables.files import FilesSpec

RECIPE = 2
"""Raised whenever the same files and options would load differently."""

_LISTS = ("aliases", "genres")


def load_files(spec: FilesSpec, folder: Path) -> Dataset:
    """Load the files of ``spec``.

    Raises
    ------
    UsageError
        When a file is missing, broken or lacks a column, or a cell is not what it should be.
    """
    paths = {"interactions": _file(spec.interactions, folder, "option interactions")}
    item_table = user_table = None
    if spec.items is not None:
        paths["items"] = _file(spec.items, folder, "option items")
        item_table = _items(spec, paths["items"])
    if spec.users is not None:
        paths["users"] = _file(spec.users, folder, "option users")
        user_table = _users(spec, paths["users"])
    digests = {role: digest_file(path) for role, path in paths.items()}
    options = spec.model_dump(exclude={"interactions", "items", "users", "label", "licence", "source"})
    return assemble(
        _interactions(spec, paths["interactions"]),
        name=spec.label,
        digest=digest({"dataset": "files", "recipe": RECIPE, "files": digests, "options": options}),
        item_table=item_table,
        user_table=user_table,
        groups=spec.groups,
        licence=spec.licence,
        source=spec.source,
        facts={"files": digests},
    )


def _file(text: str, folder: Path, what: str) -> Path:
    path = locate(text, folder, what)
    if not path.is_file():
        raise UsageError(f"{path} is a folder where a file is expected (from {what})")
    return path


def _interactions(spec: FilesSpec, path: Path) -> Log:
    source = Source(
        path=path, delimiter=spec.delimiter, names=spec.names, encoding=spec.encoding, quoted=spec.quoted
    )
    found = source.columns()
    names = {role: name for role, name in spec.columns.model_dump().items() if name is not None}
    for role in ("rating", "timestamp"):
        if role not in names and role in found:
            names[role] = role
    if "rating" in names and source.format == "text":
        source = replace(source, types={names["rating"]: pa.float64()})
    table = source.read(list(names.values()))
    columns = {role: table.column(name) for role, name in names.items()}
    return Log(
        user=columns["user"],
        item=columns["item"],
        rating=columns.get("rating"),
        timestamp=columns.get("timestamp"),
        where=source.where,
        names=names,
        unit=spec.time_unit,
    )


def _table(spec: FilesSpec, path: Path, names: dict[str, str | None], role: str) -> tuple[Source, pa.Table]:
    """All columns under their canonical names, ids first, as distinct text."""
    source = Source(path=path, delimiter=spec.delimiter, encoding=spec.encoding, multiline=True)
    wanted = {to: name for to, name in names.items() if name is not None}
    table = source.read(list(dict.fromkeys([*wanted.values(), *source.columns()])))
    codes, ids = _distinct_ids(source, table.column(wanted[role]), wanted[role], role)
    columns = {role: ids.take(pa.array(codes))}
    columns |= {to: table.column(name) for to, name in wanted.items() if to != role}
    used = {*wanted.values(), *columns}
    columns |= {name: table.column(name) for name in table.column_names if name not in used}
    return source, pa.table(columns)


def _distinct_ids(
    source: Source, column: pa.ChunkedArray, name: str, role: str
) -> tuple[np.ndarray, pa.Array]:
    try:
        codes, ids = ids_of(column)
    except TypeError as error:
        raise UsageError(
            f"{source.path}, column '{name}' holds {error} where ids, text or whole numbers, are expected"
        ) from None
    if codes.min() < 0:
        raise UsageError(f"{source.where(int(codes.argmin()))}, column '{name}': the {role} is missing")
    if len(ids) < len(codes):
        _, first = np.unique(codes, return_index=True)
        again = int(np.setdiff1d(np.arange(len(codes)), first)[0])
        raise UsageError(
            f"{source.where(again)}, column '{name}': {role} {clip(ids[int(codes[again])])} is there already;"
            f" each {role} may have one row"
        )
    return codes, ids


def _items(spec: FilesSpec, path: Path) -> pa.Table:
    source, table = _table(spec, path, spec.item_columns.model_dump(), "item")
    for name in table.column_names:
        column = table.column(name)
        if name in _LISTS:
            column = lists_of_text(source, name, column, spec.list_separator)
        elif name == "semantic_id":
            column = tokens_of(source, column, spec.list_separator)
        elif name == "embedding":
            column = embeddings_of(source, column, spec.list_separator)
        elif name == "year":
            column = _years(source, column)
        elif name in ("title", "description", "provider"):
            column = texts_of(source, name, column)
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _users(spec: FilesSpec, path: Path) -> pa.Table:
    source, table = _table(spec, path, spec.user_columns.model_dump(), "user")
    for group in spec.groups:
        if group not in table.column_names:
            raise UsageError(
                f"{path} has no column '{group}' to group by{did_you_mean(group, table.column_names)}"
                f" (columns: {', '.join(table.column_names)})"
            )
    for place, name in enumerate(table.column_names):
        if name in spec.groups or not pa.types.is_nested(table.column(name).type):
            table = table.set_column(place, name, texts_of(source, name, table.column(name)))
    return table


def _years(source: Source, column: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = texts_of(source, "year", column)
    try:
        return texts.cast(pa.float64()).cast(pa.int32())  # pandas writes 1999.0 once a year is missing
    except pa.ArrowInvalid:
        for row, text in enumerate(texts.to_pylist()):
            if text is not None and not text.removesuffix(".0").lstrip("-").isdecimal():
                raise UsageError(f"{source.where(row)}, column 'year': {clip(text)} is not a year") from None
        raise UsageError(f"{source.path}, column 'year' holds numbers that are not years") from None
