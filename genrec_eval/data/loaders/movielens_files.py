"""Reads the three layouts in which MovieLens is distributed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest, digest_file
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.ages import AGES, bucket
from genrec_eval.data.loaders.folder import Files
from genrec_eval.data.tables.assemble import assemble
from genrec_eval.data.tables.log import Log
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.streams import clip, opened
from genrec_eval.data.tables.titles import other_titles, split_year

RECIPE = 2
"""Raised whenever the same files would load differently."""

LICENCE = "GroupLens terms of use: research, no redistribution without permission"
LICENCE_SHARED = "GroupLens terms of use: research, redistribution under the same terms"
"""Of the releases in csv: latest, 20M, 25M and 32M."""
SOURCE = "https://grouplens.org/datasets/movielens/"
GROUPS = ("gender", "age", "occupation")

OCCUPATIONS = (
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
    "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer",
    "programmer", "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer",
    "tradesman/craftsman", "unemployed", "writer",
)  # fmt: skip

_GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip

_BY_RATINGS = {
    100_836: "movielens-latest-small",
    20_000_263: "movielens-20m",
    25_000_095: "movielens-25m",
    32_000_204: "movielens-32m",
}

_INT, _FLOAT = pa.int64(), pa.float64()


def load_movielens(files: Files) -> Dataset:
    """Load the MovieLens release among ``files``.

    Raises
    ------
    UsageError
        When no layout is recognised or a file does not hold what it should.
    """
    layouts = {"u.data": _load_100k, "ratings.dat": _load_dat, "ratings.csv": _load_csv}
    for name, load in layouts.items():
        if name in files.names:
            return load(files.names)
    raise files.wrong(f"MovieLens release: no {', no '.join(layouts)}")


def _load_100k(files: dict[str, Path]) -> Dataset:
    names = ("user", "item", "rating", "timestamp")
    source = Source(path=files["u.data"], delimiter="\t", names=names, types=dict.fromkeys(names, _INT))
    items = users = None
    if "u.item" in files:
        rows = _fields(files["u.item"], "|", 5 + len(_GENRES_100K))
        items = _items(
            (row[0], row[1], _year_of(row[2]), _flagged(files["u.item"], line, row[5:])) for line, row in rows
        )
    if "u.user" in files:
        rows = _fields(files["u.user"], "|", 5)
        users = _users(
            (row[0], _gender(row[2]), bucket(_whole(files["u.user"], line, "age", row[1])), row[3])
            for line, row in rows
        )
    return _finish("movielens-100k", source, names, files, ("u.data", "u.item", "u.user"), items, users)


def _load_dat(files: dict[str, Path]) -> Dataset:
    # '::' read as ':' leaves an empty column between any two, which the fast reader skips
    names = ("user", "", "item", " ", "rating", "  ", "timestamp")
    types = {"user": _INT, "item": _INT, "rating": _FLOAT, "timestamp": _INT}
    source = Source(path=files["ratings.dat"], delimiter=":", names=names, types=types)
    items = users = None
    if "movies.dat" in files:
        rows = _fields(files["movies.dat"], "::", 3)
        items = _items((row[0], row[1], None, _listed(row[2])) for _, row in rows)
    if "users.dat" in files:
        where = files["users.dat"]
        rows = _fields(where, "::", 5)
        users = _users((row[0], _gender(row[1]), *_decoded(where, line, row)) for line, row in rows)
    name = "movielens-1m" if "users.dat" in files else "movielens-10m"
    return _finish(
        name, source, tuple(types), files, ("ratings.dat", "movies.dat", "users.dat"), items, users
    )


def _load_csv(files: dict[str, Path]) -> Dataset:
    wanted = ("userid", "movieid", "rating", "timestamp")
    source = Source(path=files["ratings.csv"])
    columns = _match(source, wanted)
    types = dict(zip(columns, (_INT, _INT, _FLOAT, _INT), strict=True))
    source = Source(path=files["ratings.csv"], types=types)
    items = None
    if "movies.csv" in files:
        movies = Source(path=files["movies.csv"], multiline=True)
        table = movies.read(_match(movies, ("movieid", "title", "genres")))
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        items = _items((item, title, None, _listed(genres)) for item, title, genres in rows)
    return _finish(None, source, columns, files, ("ratings.csv", "movies.csv"), items, None)


def _match(source: Source, wanted: Sequence[str]) -> tuple[str, ...]:
    """The columns of the file, whatever their case."""
    found = {name.strip().lower(): name for name in source.columns()}
    return tuple(found.get(name, name) for name in wanted)


def _finish(
    name: str | None,
    source: Source,
    columns: Sequence[str],
    files: dict[str, Path],
    used: Sequence[str],
    items: pa.Table | None,
    users: pa.Table | None,
) -> Dataset:
    table = source.read(columns)
    user, item, rating, timestamp = table.columns
    roles = ("user", "item", "rating", "timestamp")
    digests = {name: digest_file(files[name]) for name in used if name in files}
    return assemble(
        Log(
            user=user,
            item=item,
            rating=rating,
            timestamp=timestamp,
            where=source.where,
            names=dict(zip(roles, columns, strict=True)),
        ),
        name=name or _BY_RATINGS.get(table.num_rows, "movielens"),
        digest=digest({"dataset": "movielens", "recipe": RECIPE, "files": digests}),
        item_table=_distinct(items, "item", files, used[1]),
        user_table=None if users is None else _distinct(users, "user", files, used[2]),
        groups=() if users is None else GROUPS,
        licence=LICENCE_SHARED if "ratings.csv" in used else LICENCE,
        source=SOURCE,
        facts={"files": digests},
    )


def _distinct(table: pa.Table | None, role: str, files: dict[str, Path], name: str) -> pa.Table | None:
    if table is None:
        return None
    counts = pc.value_counts(table.column(role).combine_chunks())
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise UsageError(f"{files[name]} has {role} {clip(twice[0]['values'])} more than once")
    return table


def _fields(path: Path, delimiter: str, count: int) -> Iterable[tuple[int, list[str]]]:
    """Line number and fields of each line; UTF-8, or latin-1 as GroupLens wrote it."""
    with opened(path) as stream:
        raw = stream.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if not text.strip():
        raise UsageError(f"{path} is empty")
    for number, line in enumerate(text.split("\n"), 1):
        row = line.rstrip("\r").split(delimiter)
        if row == [""]:
            continue
        if len(row) != count:
            raise UsageError(f"{path} line {number} has {len(row)} fields where {count} are expected")
        yield number, row


def _items(rows: Iterable[tuple[str, str, int | None, list[str]]]) -> pa.Table:
    ids, titles, years, genres = zip(*rows, strict=True)
    named = [" ".join(title.split()) for title in titles]
    return pa.table(
        {
            "item": [item.strip() for item in ids],
            "title": named,
            "year": pa.array(
                [split_year(title)[1] or year for title, year in zip(named, years, strict=True)], pa.int32()
            ),
            "aliases": pa.array([other_titles(title) for title in named], pa.list_(pa.string())),
            "genres": pa.array(genres, pa.list_(pa.string())),
        }
    )


def _users(rows: Iterable[tuple[str, str | None, str | None, str | None]]) -> pa.Table:
    ids, gender, age, occupation = zip(*rows, strict=True)
    return pa.table(
        {
            "user": [user.strip() for user in ids],
            "gender": pa.array(gender, pa.string()),
            "age": pa.array(age, pa.string()),
            "occupation": pa.array(occupation, pa.string()),
        }
    )


def _decoded(path: Path, line: int, row: list[str]) -> tuple[str, str]:
    age = _whole(path, line, "age", row[2])
    occupation = _whole(path, line, "occupation", row[3])
    if age not in AGES:
        codes = ", ".join(map(str, AGES))
        raise UsageError(f"{path} line {line}: {age} is not an age code of MovieLens 1M ({codes})")
    if not 0 <= occupation < len(OCCUPATIONS):
        raise UsageError(
            f"{path} line {line}: {occupation} is not an occupation code of MovieLens 1M (0 to 20)"
        )
    return AGES[age], OCCUPATIONS[occupation]


def _whole(path: Path, line: int, column: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{path} line {line}, {column}: {clip(text)} is not a whole number") from None


def _gender(text: str) -> str | None:
    return text.strip().upper() or None


def _listed(text: str) -> list[str]:
    return [] if text.startswith("(no genres") else [part for part in text.strip().split("|") if part]


def _flagged(path: Path, line: int, flags: list[str]) -> list[str]:
    if not set(flags) <= {"0", "1"}:
        raise UsageError(f"{path} line {line}: the {len(flags)} genre flags are not all 0 or 1")
    pairs = zip(_GENRES_100K, flags, strict=True)
    return [genre for genre, flag in pairs if flag == "1" and genre != "unknown"]


def _year_of(text: str) -> int | None:
    """Year of a release date such as ``01-Jan-1995``."""
    year = text.strip()[-4:]
    return int(year) if year.isdecimal() and len(year) == 4 else None
