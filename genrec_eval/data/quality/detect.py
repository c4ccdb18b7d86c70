"""Which kind of dataset a folder or file is, by its names and the first lines alone."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from genrec_eval.core.errors import UsageError
from genrec_eval.data.loaders.folder import ARCHIVES, LAYOUTS, listed, recognise
from genrec_eval.data.tables.json_lines import objects
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.streams import clip

COLUMNS = {
    "user": (
        "user", "user_id", "userid", "uid", "user_idx", "username", "reviewer_id", "reviewerid",
        "customer_id", "customerid", "visitor_id", "visitorid", "member_id", "account_id",
    ),
    "item": (
        "item", "item_id", "itemid", "iid", "item_idx", "movie_id", "movieid", "product_id", "productid",
        "asin", "parent_asin", "book_id", "bookid", "isbn", "video_id", "news_id", "article_id", "artist_id",
        "track_id", "song_id", "business_id", "game_id",
    ),
    "rating": ("rating", "score", "stars", "overall"),
    "timestamp": ("timestamp", "time", "ts", "unix_time", "unixreviewtime", "date", "datetime", "created_at"),
}  # fmt: skip
"""What columns of one's own files are usually called, whatever their case."""

_TABLES = ("*.csv", "*.tsv", "*.parquet", "*.pq", "*.jsonl", "*.ndjson")
_MOST = 200


class Guess(NamedTuple):
    """A kind of dataset and the options that point it to the files."""

    kind: str
    options: dict[str, Any]


def detect(path: Path) -> Guess:
    """The kind of dataset that reads ``path``.

    Raises
    ------
    UsageError
        When none does; says what was looked for and what comes nearest.
    """
    return _file(path) if path.is_file() else _folder(path)


def _folder(path: Path) -> Guess:
    kind = recognise(path)
    if kind is not None:
        return Guess(kind, {"path": str(path)})
    inside = [below for below in sorted(path.iterdir()) if below.is_dir()][:_MOST]
    kinds = {below: found for below in inside if (found := recognise(below)) is not None}
    if set(kinds.values()) == {"mind"}:
        return Guess("mind", {"path": str(path)})  # its parts lie side by side
    if len(kinds) == 1:
        ((below, kind),) = kinds.items()
        return Guess(kind, {"path": str(below)})
    if kinds:
        some = ", ".join(f"'{below}' ({kind})" for below, kind in list(kinds.items())[:5])
        raise UsageError(f"{path} holds several data sets: {some}; give one of them")
    tables = {table: columns for table in _tables(path) if (columns := _columns(table)) is not None}
    if len(tables) == 1:
        ((table, columns),) = tables.items()
        return _own(table, columns)
    if tables:
        some = ", ".join(table.name for table in list(tables)[:5])
        raise UsageError(
            f"{path} holds several files with users and items ({some}); give one of them as PATH"
        )
    raise UsageError(f"{path} {_unknown(path)}")


def _file(path: Path) -> Guess:
    name = _bare(path)
    kinds = [
        kind
        for kind, layouts in LAYOUTS.items()
        if any(fnmatchcase(name, pattern) for layout in layouts for pattern in layout)
    ]
    if "amazon" in kinds and not name.startswith("meta_"):
        return Guess("amazon", {"path": str(path)})
    kind = recognise(path.parent)
    if kind in kinds and kind is not None:
        named = {"recbole": "name", "semantic-ids": "category", "ninerec": "domain"}
        cut = name.index("_" if kind == "ninerec" else ".") if kind in named else 0
        return Guess(
            kind, {"path": str(path.parent), **({named[kind]: path.name[:cut]} if kind in named else {})}
        )
    if name.endswith(ARCHIVES):
        raise UsageError(f"{path} is an archive; unpack it first")
    columns = _columns(path)
    if columns is None:
        raise UsageError(
            f"{path} is no file that is known: it has no columns for user and item, such as"
            f" {', '.join(COLUMNS['user'][:3])} and {', '.join(COLUMNS['item'][:3])}; name them with"
            " --dataset files --option columns.user=NAME --option columns.item=NAME, and where there is no"
            " header --option 'names=[NAME, NAME]'"
        )
    return _own(path, columns)


def _own(path: Path, columns: dict[str, str]) -> Guess:
    plain = all(role == name for role, name in columns.items())
    return Guess("files", {"interactions": str(path), **({} if plain else {"columns": columns})})


def _tables(path: Path) -> Iterator[Path]:
    for name, file in sorted(listed(path).items())[:_MOST]:
        if any(fnmatchcase(name, pattern) for pattern in _TABLES):
            yield file


def _columns(path: Path) -> dict[str, str] | None:
    """Role → column, by the usual names; None when there is not one for users and one for items."""
    try:
        source = Source(path=path)
        names = list(next(objects(path), (0, {}))[1]) if source.format == "jsonl" else source.columns()
    except UsageError:
        return None
    found: dict[str, str] = {}
    for role, usual in COLUMNS.items():
        by_name = {name.strip().lower(): name for name in names}
        hit = next((by_name[name] for name in usual if name in by_name), None)
        if hit is not None:
            found[role] = hit
    return found if {"user", "item"} <= found.keys() else None


def _unknown(path: Path) -> str:
    """What was looked for in a folder, and what comes nearest."""
    names = sorted(listed(path))
    there = ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else "no files"
    looked = "; ".join(
        f"{kind}: {' or '.join(' with '.join(layout) for layout in layouts)}"
        for kind, layouts in LAYOUTS.items()
    )
    archive = next((name for name in names if name.endswith(ARCHIVES)), None)
    hint = f"; unpack {clip(archive)} first" if archive else _nearest(names)
    return (
        f"holds nothing that is known ({there}){hint}; looked for {looked}; or one table with columns for"
        " user and item"
    )


def _nearest(names: list[str]) -> str:
    """The layout of which most is there, or else the name that is most like one that was looked for."""
    import difflib

    best = (0.0, "", (), ())  # type: tuple[float, str, tuple[str, ...], tuple[str, ...]]
    for kind, layouts in LAYOUTS.items():
        for layout in layouts:
            there = tuple(p for p in layout if any(fnmatchcase(name, p) for name in names))
            missing = tuple(p for p in layout if p not in there)
            if len(there) / len(layout) > best[0]:
                best = (len(there) / len(layout), kind, there, missing)
    if best[0]:
        return f"; nearest is '{best[1]}': {', '.join(best[2])} is there and {', '.join(best[3])} is not"
    wanted = {
        p: kind for kind, layouts in LAYOUTS.items() for layout in layouts for p in layout if "*" not in p
    }
    for name in names[:_MOST]:
        close = difflib.get_close_matches(name, list(wanted), n=1, cutoff=0.75)
        if close:
            return f"; nearest is '{wanted[close[0]]}': {clip(name)} is nearly {close[0]}"
    return ""


def _bare(path: Path) -> str:
    """The name as layouts have it: small letters, no ending of a compression."""
    return next((name for name, file in listed(path.parent).items() if file == path), path.name.lower())
