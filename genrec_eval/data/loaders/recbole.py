"""RecBole's atomic files: tables whose header names a type beside each column."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset

PADDING = "[PAD]"
"""What RecBole calls the id that it puts at 0; its counts of users and items include it."""

_TITLES = ("title", "movie_title", "name", "item_name", "artist_name", "book_title")
_GENRES = ("genres", "genre", "class", "categories", "category")
_YEARS = ("year", "release_year", "publication_year")
_GROUPS = ("gender", "age", "occupation", "country")


class RecBoleSpec(FolderSpec):
    """RecBole's atomic files: X.inter and, if there, X.item and X.user."""

    summary: ClassVar[str] = "RecBole atomic files: .inter, .item and .user with typed headers"
    loader: ClassVar[str] = "recbole"

    name: str | None = Field(
        None, description="Which data set, such as ml-100k, where a folder holds several."
    )
    user: str = Field("user_id", description="Column of users.")
    item: str = Field("item_id", description="Column of items.")
    rating: str | None = Field(None, description="Column of ratings; 'rating' if there is one.")
    timestamp: str | None = Field(None, description="Column of times; 'timestamp' if there is one.")
    title: str | None = Field(None, description="Column of titles; told from its usual names when not given.")
    licence: str | None = Field(None, description="For the report's provenance.")
    source: str | None = Field(None, description="Where the data come from, for the report's provenance.")

    def read(self, files: Files) -> Dataset:
        """Read the three files; rows of the padding id are refused."""
        from dataclasses import replace

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log

        stem = (self.name or "*").lower()
        path = files.need(f"{stem}.inter", option="name")
        name = path.name[: path.name.lower().index(".inter")]
        items, users = files.find(f"{name.lower()}.item"), files.find(f"{name.lower()}.user")
        told: list[str] = []
        log = _Atomic(path)
        names = {"user": log.need(self.user), "item": log.need(self.item)}
        for role, wanted in (("rating", self.rating), ("timestamp", self.timestamp)):
            found = log.need(wanted) if wanted else log.full(role)
            if found:
                names[role] = found
        table = log.read(list(names.values()), told, padded=(names["user"], names["item"]))
        item_table = user_table = None
        if items:
            item_table = self._items(_Atomic(items), told)
        groups: tuple[str, ...] = ()
        if users:
            atomic = _Atomic(users)
            user_table = atomic.table(self.user, "user", told)
            groups = tuple(group for group in _GROUPS if group in user_table.column_names)
        data = finish(
            Log(
                user=table[names["user"]],
                item=table[names["item"]],
                rating=table[names["rating"]] if "rating" in names else None,
                timestamp=table[names["timestamp"]] if "timestamp" in names else None,
                where=log.where,
                names=names,
            ),
            loader=self.loader,
            name=name,
            files=[file for file in (path, items, users) if file],
            options=self.model_dump(exclude={"licence", "source"}),
            item_table=item_table,
            user_table=user_table,
            groups=groups,
            licence=self.licence,
            source=self.source or "https://recbole.io/dataset_list.html",
            warnings=told,
        )
        counts = {"recbole_user_num": len(data.users) + 1, "recbole_item_num": len(data.items) + 1}
        return replace(data, facts={**data.facts, **counts})

    def _items(self, atomic: _Atomic, told: list[str]) -> pa.Table:
        table = atomic.table(self.item, "item", told)
        if self.title is not None:
            atomic.need(self.title)
        for role, usual in (
            ("title", (self.title,) if self.title else _TITLES),
            ("genres", _GENRES),
            ("year", _YEARS),
        ):
            found = next((name for name in usual if name in table.column_names), None)
            if found is not None:
                column = _as(role, table[found])
                table = table.drop_columns([found]).append_column(role, column)
        return table


class _Atomic:
    """One atomic file."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        from genrec_eval.core.errors import UsageError
        from genrec_eval.data.tables.reading import Source
        from genrec_eval.data.tables.streams import clip

        kinds = ("token", "token_seq", "float", "float_seq")
        self.path = path
        self.header = Source(path=path, delimiter="\t", quoted=False).columns()
        for cell in self.header:
            if cell.rpartition(":")[2] not in kinds:
                raise UsageError(
                    f"{path} line 1: {clip(cell)} is not a column of an atomic file, which is written"
                    f" name:type with a type of {', '.join(kinds)}"
                )
        types = {cell: pa.float64() for cell in self.header if cell.endswith(":float")}
        self.source = Source(path=path, delimiter="\t", quoted=False, types=types)

    def full(self, name: str) -> str | None:
        """The column's name with its type."""
        return next((cell for cell in self.header if cell.rpartition(":")[0] == name), None)

    def need(self, name: str) -> str:
        """Like :meth:`full`, or the sentence about a column that is not there."""
        from genrec_eval.core.errors import UsageError, did_you_mean

        found = self.full(name)
        if found is None:
            known = [cell.rpartition(":")[0] for cell in self.header]
            raise UsageError(
                f"{self.path} has no column '{name}'{did_you_mean(name, known)} (columns: {', '.join(known)})"
            )
        return found

    def read(self, columns: Sequence[str], told: list[str], padded: Sequence[str]) -> pa.Table:
        """The columns; rows whose id is the padding of RecBole's own tables are no rows of the data."""
        import numpy as np
        import pyarrow.compute as pc

        table = self.source.read(columns)
        padding = np.zeros(table.num_rows, bool)
        for name in padded:
            padding |= pc.fill_null(pc.equal(table[name], PADDING), False).to_numpy()
        if padding.any():
            told.append(f"{padding.sum()} rows of {self.path.name} with the padding id {PADDING} are dropped")
        self._rows = np.flatnonzero(~padding)
        return table.filter(~padding)

    def where(self, row: int) -> str:
        """Place in the file of a row that was read."""
        return self.source.where(int(self._rows[row]) if len(self._rows) else 0)

    def table(self, key: str, role: str, told: list[str]) -> pa.Table:
        """All columns under their bare names, the ids first."""
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import cleaned, split_texts

        id_column = self.need(key)
        read = self.read(list(dict.fromkeys([id_column, *self.header])), told, padded=(id_column,))
        columns = {role: read[id_column]}
        for cell in self.header:
            name, _, kind = cell.rpartition(":")
            if cell == id_column or name == role:
                continue
            column = read[cell]
            if kind.endswith("_seq"):
                column = split_texts(column, " ")
            columns[name] = cleaned(column) if kind == "token" else column
        return pa.table(columns)


def _as(role: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    listed = pa.types.is_list(column.type)
    if role == "genres":
        if listed:
            return column
        return pa.chunked_array(
            [pa.array([[v] if v else [] for v in column.to_pylist()], pa.list_(pa.string()))]
        )
    if listed:
        column = pc.binary_join(column, " ")
    if role == "title":
        return column.cast(pa.string())
    years = [str(v)[:4] if v is not None else "" for v in column.to_pylist()]
    return pa.chunked_array(
        [pa.array([int(y) if y.isdecimal() and len(y) == 4 else None for y in years], pa.int32())]
    )
