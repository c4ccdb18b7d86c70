"""Reads the files of Amazon reviews in all three editions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.folder import Files
from genrec_eval.data.loaders.parts import finish, lists_of, only, split_ids
from genrec_eval.data.tables.json_lines import objects
from genrec_eval.data.tables.log import CaseLog, Log
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.records import joined, read_records, text, texts
from genrec_eval.data.tables.streams import clip, lines

if TYPE_CHECKING:
    from genrec_eval.data.loaders.amazon import AmazonSpec

LICENCE = "no explicit licence, research use"
SOURCES = {
    "2014": "https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html",
    "2018": "https://nijianmo.github.io/amazon/",
    "2023": "https://amazon-reviews-2023.github.io/",
}

_ROLES = ("user", "item", "rating", "timestamp")
_OLD = ("reviewerID", "asin", "overall", "unixReviewTime")
_NEW = ("user_id", "parent_asin", "rating", "timestamp")
_TYPES = dict(zip(_ROLES, (pa.string(), pa.string(), pa.float64(), pa.int64()), strict=True))

_REVIEWER = r"^A[0-9A-Z]{9,27}$"
_PRODUCT = r"^(B[0-9A-Z]{9}|[0-9]{9}[0-9X])$"
_LOOKED_AT = 10_000
_PART = re.compile(r"^(?P<stem>.+)\.(?P<part>train|valid|test)\.csv$")


def load_amazon(spec: AmazonSpec, files: Files, metadata: Path | None) -> Dataset:
    """Load the reviews, or the published split, that ``files`` points to."""
    path = files.file or _reviews(files)
    split = _PART.match(_bare(path))
    told: list[str] = []
    given = None
    if split is not None:
        edition, used = "2023", _parts(files, split["stem"], spec.part)
        *training, cases = used
        log = _joined([_with_header(part)[0] for part in training])
        given = _cases(cases)
        stem = split["stem"]
    else:
        used, stem = [path], _bare(path).partition(".")[0]
        edition, log = _log(path, spec)
    metadata = metadata or _metadata(files, stem)
    items = None
    if metadata is not None:
        items = _items(metadata, edition)
        if spec.catalogue == "reviewed":
            lists = [] if given is None else [given.truth, given.history]
            known = [log.item, *(pc.list_flatten(column) for column in lists if column is not None)]
            kept = only(items, pa.chunked_array([c for column in known for c in column.chunks], pa.string()))
            if kept.num_rows < items.num_rows:
                told.append(
                    f"{items.num_rows - kept.num_rows} items of {metadata.name} without reviews are left out"
                )
            items = kept
    return finish(
        log,
        loader="amazon",
        name=f"amazon-{edition} {stem}",
        files=[*used, *([metadata] if metadata else [])],
        options=spec.model_dump(exclude={"metadata"}),
        item_table=items,
        given=given,
        licence=LICENCE,
        source=SOURCES[edition],
        warnings=told,
    )


def _bare(path: Path) -> str:
    name = path.name
    for ending in (".gz", ".bz2", ".zst"):
        name = name.removesuffix(ending)
    return name


def _reviews(files: Files) -> Path:
    """The only file of the folder that can be one of reviews; a split goes by its test part."""
    tests = files.all("*.test.csv")
    found = tests or [
        path
        for pattern in ("*.json", "*.jsonl", "*.csv")
        for path in files.all(pattern)
        if not path.name.lower().startswith("meta_")
    ]
    if not found:
        raise files.wrong("reviews (*.json, *.jsonl or *.csv)")
    if len(found) > 1:
        some = ", ".join(path.name for path in found[:5])
        raise UsageError(f"{files.folder} holds several files of reviews ({some}); give one of them as path")
    return found[0]


def _parts(files: Files, stem: str, part: str) -> list[Path]:
    """Training parts in the order of time, then the part of the cases."""
    before = ("train", "valid") if part == "test" else ("train",)
    return [files.need(f"{stem}.{name}.csv".lower()) for name in (*before, part)]


def _metadata(files: Files, stem: str) -> Path | None:
    """The items beside the reviews: those of the same category, or the only ones there are."""
    category = re.sub(r"^(reviews|ratings)_|_5$|_10$", "", stem.lower())
    for pattern in (f"meta_{category}.json*", "meta_*.json*"):
        found = files.all(pattern)
        if len(found) == 1:
            return found[0]
    return None


def _log(path: Path, spec: AmazonSpec) -> tuple[str, Log]:
    kind = Source(path=path).format
    if kind == "jsonl":
        return _json(path, spec.edition)
    head = Source(path=path).columns()
    if {"user_id", "rating"} <= {name.strip() for name in head}:
        return "2023", _with_header(path)[0]
    return _headless(path, spec)


def _json(path: Path, edition: str | None) -> tuple[str, Log]:
    first = next(objects(path), (0, {}))[1]
    if _NEW[0] in first:
        return "2023", _read(Source(path=path, types=_typed(_NEW)), _NEW, "ms")
    if _OLD[0] not in first:
        raise UsageError(
            f"{path} line 1 holds neither '{_OLD[0]}', as the reviews of 2014 and 2018 do, nor '{_NEW[0]}' of"
            f" 2023 (fields: {clip(', '.join(first), 200)[1:-1]})"
        )
    # the two editions share their fields, but only that of 2018 says whether a purchase was verified
    edition = edition or ("2018" if "verified" in first else "2014")
    return edition, _read(Source(path=path, types=_typed(_OLD)), _OLD, "s")


def _with_header(path: Path) -> tuple[Log, pa.ChunkedArray | None]:
    """The rows of a csv of 2023, and their histories where it has them."""
    source = Source(path=path, types=_typed(_NEW))
    head = source.columns()
    item = "parent_asin" if "parent_asin" in head else "asin"
    names = ("user_id", item, "rating", "timestamp")
    if "history" not in head:
        return _read(source, names, "ms"), None
    table = source.read([*names, "history"])
    return _made(source, table, names, "ms"), table["history"]


def _headless(path: Path, spec: AmazonSpec) -> tuple[str, Log]:
    head = Source(path=path).columns()
    if len(head) != 4:
        raise UsageError(
            f"{path} line 1 has {len(head)} fields where a user, an item, a rating and a time are expected"
        )
    order = spec.order or _order(path)
    names = _ROLES if order == "user-item" else ("item", "user", *_ROLES[2:])
    edition = spec.edition or ("2014" if order == "user-item" else "2018")
    return edition, _read(
        Source(path=path, names=names, types={**_TYPES, "timestamp": pa.int64()}), _ROLES, "s"
    )


def _order(path: Path) -> str:
    """Which of the first two columns is the reviewer's, by the looks of the ids."""
    seen: list[list[str]] = []
    for number, raw in lines(path):
        seen.append(raw.decode("utf-8", "replace").split(",")[:2])
        if number >= _LOOKED_AT:
            break
    both = [row for row in seen if len(row) == 2]
    straight = sum(bool(re.match(_REVIEWER, a) and re.match(_PRODUCT, b)) for a, b in both)
    turned = sum(bool(re.match(_PRODUCT, a) and re.match(_REVIEWER, b)) for a, b in both)
    if straight == turned:
        raise UsageError(
            f"{path} line 1: nothing tells whether the user or the item comes first;"
            " say order: user-item (2014) or item-user (2018)"
        )
    return "user-item" if straight > turned else "item-user"


def _typed(names: Sequence[str]) -> dict[str, pa.DataType]:
    return {name: _TYPES[role] for name, role in zip(names, _ROLES, strict=True)}


def _read(source: Source, names: Sequence[str], unit: str) -> Log:
    return _made(source, source.read(names), names, unit)


def _made(source: Source, table: pa.Table, names: Sequence[str], unit: str) -> Log:
    user, item, rating, timestamp = (table[name] for name in names)
    return Log(
        user=user,
        item=item,
        rating=rating,
        timestamp=timestamp,
        where=source.where,
        names=dict(zip(_ROLES, names, strict=True)),
        unit="ms" if unit == "ms" else "s",
    )


def _joined(logs: Sequence[Log]) -> Log:
    """Several parts one after the other; a fault still names its own file."""
    import numpy as np

    bounds = np.cumsum([0, *(len(log.user) for log in logs)])

    def where(row: int) -> str:
        part = int(np.searchsorted(bounds, row, "right")) - 1
        return logs[part].where(row - int(bounds[part]))

    columns = {
        role: pa.chunked_array([chunk for log in logs for chunk in getattr(log, role).chunks])
        for role in _ROLES
    }
    return Log(**columns, where=where, names=logs[0].names, unit=logs[0].unit)


def _cases(path: Path) -> CaseLog:
    """A row asks for one item; its history is in the row, or what the training has of the user."""
    import numpy as np

    log, history = _with_header(path)
    n = len(log.user)
    return CaseLog(
        user=log.user,
        truth=lists_of(np.arange(n), log.item, n),
        history=None if history is None else split_ids(history),
        timestamp=log.timestamp,
        where=log.where,
        names={"user": "user_id", "truth": log.names["item"], "timestamp": "timestamp"},
        unit="ms",
    )


def _items(path: Path, edition: str) -> pa.Table:
    """Items as the edition describes them; that of 2014 writes Python, the others JSON."""
    with_python = edition == "2014" and _is_python(path)
    fields = {
        "item": text("parent_asin", "asin"),
        "title": text("title"),
        "description": joined("description"),
        "genres": texts("categories", "category"),
        "provider": text("store", "brand"),
    }
    return read_records(path, fields, literal=with_python)


def _is_python(path: Path) -> bool:
    """Whether the first record is in single quotes: copies of 2014 that were turned into JSON are about."""
    return next((raw.lstrip()[:2] for _, raw in lines(path)), b"") in (b"{'", b"{u")
