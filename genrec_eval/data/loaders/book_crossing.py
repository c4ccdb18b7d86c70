"""Book-Crossing: ratings of books, dirty on purpose: quotes in quotes, impossible ages, ratings of nought."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.protocol.arrays import Int64

_RATING = r'^"(?P<user>[^";]+)";"(?P<item>.+)";"(?P<rating>\d{1,9})"\s*$'
_TEXT = r"(?:\\.|[^\\])*?"  # a quote after a backslash does not end the field
_BOOK = (
    rf'^"(?P<item>[^";]+)";"(?P<title>{_TEXT})";"(?P<author>{_TEXT})";"(?P<year>-?\d{{1,9}})"'
    rf';"(?P<publisher>{_TEXT})"'
    r'(?:;"http[^"]*"){0,3}\s*$'
)
_USER = r'^"(?P<user>[^";]+)";"(?P<place>.*)";(?P<age>"[^"]*"|NULL)\s*$'
_MOST_ODD = 0.01


class BookCrossingSpec(FolderSpec):
    """Book-Crossing: BX-Book-Ratings.csv and, if there, BX-Books.csv and BX-Users.csv."""

    summary: ClassVar[str] = "Book-Crossing: book ratings with noisy ages, countries and texts"
    loader: ClassVar[str] = "book-crossing"

    keep: Literal["explicit", "all"] = Field(
        "explicit",
        description="'explicit': ratings from 1 to 10; 'all': every row, those of 0 (read, not rated) too,"
        " as feedback without ratings.",
    )

    def read(self, files: Files) -> Dataset:
        """Read the lines; those that do not follow the layout are refused and counted."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from genrec_eval.core.errors import UsageError
        from genrec_eval.data.loaders.parts import cleaned, finish
        from genrec_eval.data.tables.log import Log

        path = files.need("bx-book-ratings.csv")
        books, people = files.find("bx-books.csv"), files.find("bx-users.csv")
        told: list[str] = []
        table, rows = _matched(path, _RATING, told)
        # ids come with stray quotes, backslashes and blanks, and small letters for what others write large
        isbn = pc.utf8_upper(pc.replace_substring_regex(table["item"], r'["\\\s]', ""))
        table = table.set_column(1, "item", cleaned(isbn))
        rating = table["rating"].cast(pa.int64())
        if pc.max(rating).as_py() > 10:
            worst = int(rows[int(np.argmax(rating.to_numpy()))])
            raise UsageError(f"{path} line {worst + 1}: a rating of {pc.max(rating)} is not one of 0 to 10")
        explicit = pc.greater(rating, 0)
        implicit = len(rating) - pc.sum(explicit).as_py()
        given = pc.is_valid(table["item"])
        chosen = pc.and_(explicit, given) if self.keep == "explicit" else given
        table, rating, rows = table.filter(chosen), rating.filter(chosen), rows[chosen.to_numpy()]
        if not table.num_rows:
            raise UsageError(f"{path} holds no ratings from 1 to 10; read it with keep: all")
        log = Log(
            user=table["user"],
            item=table["item"],
            rating=rating if self.keep == "explicit" else None,
            timestamp=None,
            where=lambda row: f"{path} line {rows[row] + 1}",
        )
        users, ages = (None, 0) if people is None else _users(people, told)
        return finish(
            log,
            loader=self.loader,
            files=[file for file in (path, books, people) if file],
            options=self.model_dump(),
            item_table=_books(books, told) if books else None,
            user_table=users,
            groups=("age", "country") if users is not None else (),
            licence="free for research",
            source="http://www2.informatik.uni-freiburg.de/~cziegler/BX/",
            facts={"implicit_ratings": implicit, "ages_not_plausible": ages},
            warnings=told,
        )


def _matched(path: Path, pattern: str, told: list[str]) -> tuple[pa.Table, Int64]:
    """Named groups of each line below the header that matches, and the number of its line from 0."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.tables.reading import Source
    from genrec_eval.data.tables.streams import clip

    # latin-1 has a letter for every byte, and no text holds the delimiter
    source = Source(path=path, delimiter="\x01", names=["line"], encoding="latin-1", quoted=False)
    lines = source.read()["line"].slice(1)
    found = pc.extract_regex(lines, pattern)
    good = found.is_valid()
    odd = len(lines) - pc.sum(good).as_py() if len(lines) else 0
    if not len(lines):
        raise UsageError(f"{path} holds no rows")
    if odd:
        first = int(np.argmin(good.to_numpy()))
        example = f"line {first + 2}: {clip(lines[first].as_py())}"
        if odd == len(lines) or odd > max(10, _MOST_ODD * len(lines)):
            raise UsageError(
                f"{path} {example} is not of Book-Crossing's layout, fields in quotes with ';' between,"
                f" and so are {odd} of {len(lines)} lines"
            )
        told.append(f"{odd} lines of {path.name} that are not of its layout are refused, the first {example}")
    rows = np.flatnonzero(good.to_numpy()) + 1
    table = pa.Table.from_struct_array(found.filter(good))
    return table, rows


def _books(path: Path, told: list[str]) -> pa.Table:
    import html

    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import cleaned

    table, _ = _matched(path, _BOOK, told)
    columns = {"item": pc.utf8_upper(cleaned(table["item"]))}
    for name, source in (("title", "title"), ("authors", "author"), ("provider", "publisher")):
        texts = [html.unescape(text.replace('\\"', '"')).strip() for text in table[source].to_pylist()]
        columns[name] = pa.array([text if text not in ("", "N/A") else None for text in texts], pa.string())
    year = table["year"].cast(pa.int64())
    known = pc.and_(pc.greater(year, 1000), pc.less(year, 2030))
    columns["year"] = pc.if_else(known, year, None).cast(pa.int32())
    return pa.table(columns)


def _users(path: Path, told: list[str]) -> tuple[pa.Table, int]:
    import pyarrow as pa

    from genrec_eval.data.loaders.ages import plausible

    table, _ = _matched(path, _USER, told)
    written = [age.strip('"') for age in table["age"].to_pylist()]
    ages = [plausible(age) for age in written]
    odd = sum(bucket is None and age not in ("NULL", "") for bucket, age in zip(ages, written, strict=True))
    if odd:
        told.append(f"{odd} ages of users are not between 5 and 100 and are taken as unknown")
    countries = [place.rpartition(",")[2].strip(' ."').lower() for place in table["place"].to_pylist()]
    return pa.table(
        {
            "user": table["user"],
            "age": pa.array(ages, pa.string()),
            "country": pa.array([c if c not in ("", "n/a") else None for c in countries], pa.string()),
        }
    ), odd
