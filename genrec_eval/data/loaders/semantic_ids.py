"""Amazon-18 with ready semantic ids, in the layout of MiniOneRec: tokens per item, published test rows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.tables.log import CaseLog, Log
    from genrec_eval.data.tables.reading import Source

_LONGEST = 1 << 20
_WANTED = ("user_id", "history_item_id", "item_id", "item_sid")
_LIST = r"^\[\s*('?[^\s,'\[\]]+'?(\s*,\s*'?[^\s,'\[\]]+'?)*)?\s*\]$"


class SemanticIdsSpec(FolderSpec):
    """Items with semantic ids and given test cases: X.index.json, X.item.json, X.test.csv."""

    summary: ClassVar[str] = "Amazon-18 semantic-id files (MiniOneRec layout) with given test cases"
    loader: ClassVar[str] = "semantic-ids"

    category: str | None = Field(
        None,
        pattern=r"^[\w-]+$",
        description="Which X, such as Office_Products, where a folder holds several.",
    )
    part: Literal["test", "valid", "none"] = Field(
        "test",
        description="Which rows are the given cases; the parts before it are for training. none: all rows are"
        " the users' sequences, for a split of your own with order: file.",
    )

    def read(self, files: Files) -> Dataset:
        """Read the items, the given cases, and the training rows where they are there."""
        from dataclasses import replace

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log

        stem = (self.category or "*").lower()
        index = files.need(f"{stem}.index.json", option="category")
        category = index.name[: -len(".index.json")] if index.name.endswith(".json") else index.stem
        stem = category.lower()
        cases = files.need(f"{stem}.{'test' if self.part == 'none' else self.part}.csv")
        texts, info = files.find(f"{stem}.item.json"), files.find(f"{stem}.info.txt")
        before = [
            files.find(f"{stem}.{part}.csv") for part in ("train", "valid")[: 2 - (self.part == "valid")]
        ]
        training = [path for path in before if path]
        told: list[str] = []
        items = _items(index, texts, info)
        given, targets = _cases(cases, items, told)
        if self.part == "none":
            training = [*training, cases]
        data = finish(
            _sequences(training) if training else Log.empty(),
            loader=self.loader,
            name=f"amazon-18 {category}",
            files=list(dict.fromkeys(path for path in (index, texts, info, cases, *training) if path)),
            options=self.model_dump(exclude={"category"}),
            item_table=items,
            given=None if self.part == "none" else given,
            licence="no explicit licence, research use",
            source="https://github.com/AkaliKong/MiniOneRec",
            warnings=told,
        )
        return replace(data, facts={**data.facts, **_collisions(data, targets)})


def _items(index: Path, texts: Path | None, info: Path | None) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.tables.reading import Source
    from genrec_eval.data.tables.records import as_text, text
    from genrec_eval.data.tables.streams import clip

    tokens = _object(index)
    for item, value in tokens.items():
        if not (
            isinstance(value, list) and value and all(isinstance(token, str) and token for token in value)
        ):
            raise UsageError(
                f"{index}: item {clip(item)} has {clip(value)} where a list of id tokens is expected"
            )
    found = {} if texts is None else _object(texts)
    titles = {}
    if info is not None and texts is None:
        table = Source(path=info, names=("semantic id", "title", "item"), quoted=False).read(
            ["item", "title"]
        )
        titles = dict(zip(table["item"].to_pylist(), table["title"].to_pylist(), strict=True))
    about = [value if isinstance(value := found.get(item), dict) else {} for item in tokens]
    first = [
        as_text(record.get("title")) or titles.get(item) for item, record in zip(tokens, about, strict=True)
    ]
    columns = {
        "item": list(tokens),
        "title": pa.array(first, pa.string()),
        "description": pa.array([_paragraphs(record) for record in about], pa.string()),
        "provider": pa.array([text("brand")[1](record) for record in about], pa.string()),
        "genres": pa.array([_genres(record) for record in about], pa.list_(pa.string())),
        "semantic_id": pa.array(list(tokens.values()), pa.list_(pa.string())),
    }
    return pa.table(columns)


def _paragraphs(record: dict[str, Any]) -> str | None:
    """The description: paragraphs, often as a list that was printed into one text."""
    import ast

    from genrec_eval.data.tables.records import as_text, joined

    value = as_text(record.get("description"))
    if value and value.startswith("[") and len(value) < _LONGEST:
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            record = {"description": ast.literal_eval(value)}
    return joined("description")[1](record)


def _genres(record: dict[str, Any]) -> list[str]:
    """Categories: a list, or one text with commas between."""
    from genrec_eval.data.tables.records import texts

    found = texts("categories", "category")[1](record)
    return [part.strip() for part in found[0].split(",") if part.strip()] if len(found) == 1 else found


def _object(path: Path) -> dict[str, Any]:
    import orjson

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.tables.streams import opened

    with opened(path) as stream:
        raw = stream.read()
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict) or not found:
        raise UsageError(f"{path} holds no JSON object with a key per item")
    return found


def _rows(path: Path, wanted: tuple[str, ...]) -> tuple[Source, pa.Table, pa.ChunkedArray]:
    """The rows with the history as lists of ids."""
    import numpy as np
    import pyarrow.compute as pc

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.loaders.parts import split_ids
    from genrec_eval.data.tables.reading import Source
    from genrec_eval.data.tables.streams import clip

    source = Source(path=path, multiline=True)
    table = source.read(wanted)
    texts = table["history_item_id"]
    good = pc.fill_null(pc.match_substring_regex(texts, _LIST), False).to_numpy()
    if not good.all():
        row = int(np.argmin(good))
        raise UsageError(
            f"{source.where(row)}, column 'history_item_id': {clip(texts[row])} is no list of ids"
            " like [3, 14]"
        )
    return source, table, split_ids(pc.replace_substring_regex(texts, r"[\[\]',\s]+", " "))


def _cases(path: Path, items: pa.Table, told: list[str]) -> tuple[CaseLog, pa.ChunkedArray]:
    """The given cases and their targets; where a row spells an item's id otherwise, that is told."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import lists_of
    from genrec_eval.data.tables.log import CaseLog
    from genrec_eval.data.tables.reading import Source
    from genrec_eval.protocol.arrays import Vocabulary

    named = "item_sid" in Source(path=path, multiline=True).columns()
    source, table, history = _rows(path, _WANTED if named else _WANTED[:3])
    place = Vocabulary(items["item"]).encode(table["item_id"])
    if unknown := int((place < 0).sum()):
        told.append(f"{unknown} of {len(place)} cases ask for items without a semantic id")
    if named:
        spelled = pc.binary_join(items["semantic_id"], "").take(pa.array(place, mask=place < 0))
        differs = pc.sum(pc.fill_null(pc.not_equal(spelled, table["item_sid"]), False)).as_py()
        if differs:
            told.append(f"{differs} of {len(place)} cases spell the semantic id of their item otherwise")
    case = CaseLog(
        user=table["user_id"],
        truth=lists_of(np.arange(table.num_rows), table["item_id"], table.num_rows),
        history=history,
        where=source.where,
        names={"user": "user_id", "truth": "item_id", "history": "history_item_id"},
    )
    return case, table["item_id"]


def _sequences(paths: list[Path]) -> Log:
    """The items of each user in order: a row repeats what came before its target."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.tables.ids import ids_of
    from genrec_eval.data.tables.log import Log

    users, items, rows = [], [], []
    read = [_rows(path, _WANTED[:3]) for path in paths]
    codes, _ = ids_of(pa.chunked_array([c for _, table, _ in read for c in table["user_id"].chunks]))
    first = np.zeros(len(codes), bool)
    first[np.unique(codes, return_index=True)[1]] = True
    start = 0
    for _, table, history in read:
        n = table.num_rows
        new, start = first[start : start + n], start + n
        # of a user's first row the history too, of all others the target alone
        lengths = np.where(new, pc.list_value_length(history).to_numpy(), 0)
        whole = np.repeat(new, pc.list_value_length(history).to_numpy())
        row = np.concatenate([np.repeat(np.arange(n), lengths), np.arange(n)])
        order = np.argsort(row, kind="stable")
        ids = pa.chunked_array(
            [*pc.list_flatten(history).filter(pa.array(whole)).chunks, *table["item_id"].chunks], pa.string()
        )
        users.append(table["user_id"].take(pa.array(row[order])))
        items.append(ids.take(pa.array(order)))
        rows.append(row[order])
    bounds = np.cumsum([0, *(len(part) for part in rows)])

    def where(place: int) -> str:
        part = min(int(np.searchsorted(bounds, place, "right")) - 1, len(read) - 1)
        return read[part][0].where(int(rows[part][place - bounds[part]]) if len(rows[part]) else 0)

    return Log(
        user=pa.chunked_array([chunk for column in users for chunk in column.chunks], pa.string()),
        item=pa.chunked_array([chunk for column in items for chunk in column.chunks], pa.string()),
        rating=None,
        timestamp=None,
        where=where,
        names={"user": "user_id", "item": "item_id"},
    )


def _collisions(data: Dataset, targets: pa.ChunkedArray) -> dict[str, float | int]:
    """How far semantic ids tell items apart, over items and over the targets of the cases."""
    import numpy as np
    import pyarrow.compute as pc

    tokens = data.item_table["semantic_id"].combine_chunks()
    spelled = pc.binary_join(tokens, " ").dictionary_encode()
    codes = spelled.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    known = codes >= 0
    counts = np.bincount(codes[known], minlength=len(spelled.dictionary))
    shared = known & (counts[np.maximum(codes, 0)] > 1)
    place = data.items.encode(targets)
    place = place[place >= 0]
    return {
        "semantic_ids": int(known.sum()),
        "semantic_ids_distinct": len(counts),
        "semantic_id_collision_rate": 1 - len(counts) / max(int(known.sum()), 1),
        "items_with_shared_semantic_id": int(shared.sum()),
        "ambiguous_targets": int(shared[place].sum()),
        "ambiguous_target_share": float(shared[place].mean()) if len(place) else 0.0,
    }
