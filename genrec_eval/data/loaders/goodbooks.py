"""Goodbooks-10k: ten thousand books and six million ratings without times."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset


class GoodbooksSpec(FolderSpec):
    """Goodbooks-10k: ratings.csv and, if there, books.csv."""

    summary: ClassVar[str] = "Goodbooks-10k: six million ratings of ten thousand books, without times"
    loader: ClassVar[str] = "goodbooks"

    def read(self, files: Files) -> Dataset:
        """Read the ratings in the order of the file, which the publisher says is that of time."""
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.reading import Source

        path, books = files.need("ratings.csv"), files.find("books.csv")
        names = {"user": "user_id", "item": "book_id", "rating": "rating"}
        source = Source(path=path, types=dict.fromkeys(names.values(), pa.int64()))
        table = source.read(list(names.values()))
        log = Log(
            user=table["user_id"],
            item=table["book_id"],
            rating=table["rating"],
            timestamp=None,
            where=source.where,
            names=names,
        )
        return finish(
            log,
            loader=self.loader,
            files=[path, *([books] if books else [])],
            options=self.model_dump(),
            item_table=_books(books) if books else None,
            licence="CC BY-SA 4.0",
            source="https://github.com/zygmuntz/goodbooks-10k",
        )


def _books(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import cleaned, split_texts
    from genrec_eval.data.tables.reading import Source

    year = "original_publication_year"
    source = Source(path=path, multiline=True, types={year: pa.float64()})
    wanted = ["book_id", "title", "original_title", year, "authors", "language_code"]
    found = source.columns()
    table = source.read([name for name in wanted if name in found or name in ("book_id", "title")])
    columns = {"item": table["book_id"], "title": cleaned(table["title"])}
    if year in found:
        columns["year"] = pc.floor(table[year]).cast(pa.int32(), safe=False)
    if "original_title" in found:
        other = cleaned(table["original_title"])
        differs = pc.fill_null(pc.not_equal(other, columns["title"]), False)
        texts = pc.if_else(differs, other, pa.scalar(None, pa.string())).to_pylist()
        columns["aliases"] = pa.chunked_array(
            [pa.array([[text] if text else [] for text in texts], pa.list_(pa.string()))]
        )
    if "authors" in found:
        columns["authors"] = split_texts(table["authors"], ",")
    if "language_code" in found:
        columns["language"] = cleaned(table["language_code"])
    return pa.table(columns)
