"""NineRec: the same task on nine platforms, each with its own users, items and titles in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.tables.log import Log

_HEADS = {"user_id", "user", "uid", "item_id", "item", "iid", "vid", "video_id"}


class NineRecSpec(FolderSpec):
    """One domain of NineRec: X_pair.csv or X_behaviour.tsv and, if there, X_item.csv."""

    summary: ClassVar[str] = "NineRec: one of its domains, titles in Chinese and English"
    loader: ClassVar[str] = "ninerec"

    domain: str | None = Field(
        None, pattern=r"^\w+$", description="Which domain, such as QB, where a folder holds several."
    )
    interactions: Literal["pair", "behaviour"] | None = Field(
        None, description="'pair' has times, 'behaviour' the order; by default pairs where they are there."
    )
    order: Literal["user-item", "item-user"] | None = Field(
        None, description="Of the first two columns of the pairs; told from the items when not given."
    )
    language: Literal["en", "zh"] = Field(
        "en", description="Of the titles; those of the other become aliases."
    )

    def read(self, files: Files) -> Dataset:
        """Read the pairs or the sequences, and the titles."""
        from genrec_eval.data.loaders.parts import finish

        stem = (self.domain or "*").lower()
        items = files.find(f"{stem}_item.csv", option="domain")
        table = None if items is None else _items(items, self.language)
        wanted = [self.interactions] if self.interactions else ["pair", "behaviour"]
        endings = {"pair": "_pair.csv", "behaviour": "_behaviour.tsv"}
        path = files.need(*(stem + endings[kind] for kind in wanted), option="domain")
        log = self._pairs(path, table) if "_pair.csv" in path.name.lower() else _sequences(path)
        domain = path.name[: path.name.lower().rindex("_")]
        return finish(
            log,
            loader=self.loader,
            name=f"ninerec {domain}",
            files=[file for file in (path, items) if file],
            options=self.model_dump(),
            item_table=table,
            licence="NineRec: research, no modified copies",
            source="https://github.com/westlake-repl/NineRec",
        )

    def _pairs(self, path: Path, items: pa.Table | None) -> Log:

        from genrec_eval.core.errors import UsageError
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.reading import Source

        first = Source(path=path).columns()
        if len(first) not in (2, 3):
            raise UsageError(
                f"{path} line 1 has {len(first)} fields where a user, an item and maybe a time are expected"
            )
        names = first if {name.strip().lower() for name in first} & _HEADS else ("first", "second", "time")
        source = Source(path=path, names=None if names is first else names[: len(first)])
        columns = source.read().columns
        order = self.order or _order(path, columns[0], columns[1], items)
        user, item = columns[:2] if order == "user-item" else (columns[1], columns[0])
        time: pa.ChunkedArray | None = columns[2] if len(first) == 3 else None
        return Log(
            user=user,
            item=item,
            rating=None,
            timestamp=time,
            where=source.where,
            names={"timestamp": names[-1]},
        )


def _order(path: Path, first: pa.ChunkedArray, second: pa.ChunkedArray, items: pa.Table | None) -> str:
    """Which comes first: NineRec's page says the user, but not all of its files do."""
    import pyarrow.compute as pc

    from genrec_eval.core.errors import UsageError

    head = [column.slice(0, 10_000) for column in (first, second)]
    if items is not None:
        left, right = (pc.sum(pc.is_in(c, value_set=items["item"])).as_py() for c in head)
        if left != right:
            return "item-user" if left > right else "user-item"
    marks = [tuple(pc.all(pc.starts_with(c, mark)).as_py() for mark in "uv") for c in head]
    for order, pattern in (
        ("user-item", [(True, False), (False, True)]),
        ("item-user", [(False, True), (True, False)]),
    ):
        if marks == pattern:
            return order
    raise UsageError(
        f"{path}: nothing tells which of the first two columns is the user's;"
        " say order: user-item or item-user"
    )


def _sequences(path: Path) -> Log:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import split_ids
    from genrec_eval.data.tables.log import Log
    from genrec_eval.data.tables.reading import Source

    source = Source(path=path, names=("user", "items"), quoted=False)
    table = source.read()
    lists = split_ids(table["items"])
    rows = np.repeat(np.arange(table.num_rows), pc.list_value_length(lists).to_numpy())
    return Log(
        user=table["user"].take(pa.array(rows)),
        item=pc.list_flatten(lists),
        rating=None,
        timestamp=None,
        where=lambda row: source.where(int(rows[row]) if len(rows) else 0),
    )


def _items(path: Path, language: str) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.loaders.parts import cleaned
    from genrec_eval.data.tables.reading import Source

    first = Source(path=path).columns()
    if len(first) not in (2, 3):
        raise UsageError(f"{path} line 1 has {len(first)} fields where an item, zh and maybe en are expected")
    names = None if first[0].strip().lower() in _HEADS else ("item", "zh", "en")[: len(first)]
    columns = [cleaned(column) for column in Source(path=path, names=names, multiline=True).read().columns]
    shown, other = (columns[-1], columns[1]) if language == "en" else (columns[1], columns[-1])
    pairs = zip(shown.to_pylist(), other.to_pylist(), strict=True)
    aliases = [[b] if b is not None and b != a else [] for a, b in pairs]
    return pa.table({"item": columns[0], "title": shown, "aliases": pa.array(aliases, pa.list_(pa.string()))})
