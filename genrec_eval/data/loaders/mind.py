"""MIND: impressions of a news site, what was shown and what was clicked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.tables.log import CaseLog, Log

_COLUMNS = ("impression", "user", "time", "history", "impressions")
_NEWS = ("item", "category", "subcategory", "title", "abstract", "url", "of title", "of abstract")
_TIME = "%m/%d/%Y %I:%M:%S %p"


class MindSpec(FolderSpec):
    """MIND: the impressions of one part as given cases, the clicks of another for training."""

    summary: ClassVar[str] = "MIND: news impressions as given cases with candidates and clicks"
    loader: ClassVar[str] = "mind"

    path: str = Field(
        description="Folder with behaviors.tsv and news.tsv of the part that is tested (MINDsmall_dev), or"
        " the folder above it; ${env:NAME} is allowed."
    )
    train: str | None = Field(
        None, description="Folder of the part to learn from (MINDsmall_train), when not found beside."
    )
    training: Literal["clicks", "histories"] = Field(
        "clicks",
        description="'clicks' of the training part, with times; 'histories': those clicks and before them"
        " what the users had read, without times, of both parts.",
    )

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.tables.reading import locate

        path = locate(self.path, folder, "option path")
        train = None if self.train is None else locate(self.train, folder, "option train")
        if path.is_dir() and not (path / "behaviors.tsv").exists():
            parts = sorted(p.parent for p in path.glob("*/behaviors.tsv*"))
            tested = [p for p in parts if "train" not in p.name.lower()]
            learnt = [p for p in parts if "train" in p.name.lower()]
            if len(tested) == 1:
                path = tested[0]
                train = train or (learnt[0] if len(learnt) == 1 else None)
        if train is None and path.is_dir() and "_dev" in path.name:
            beside = path.with_name(path.name.replace("_dev", "_train"))
            train = beside if beside.is_dir() else None
        return self._read(Files(path, self.loader), None if train is None else Files(train, self.loader))

    def _read(self, files: Files, train: Files | None) -> Dataset:
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log

        parts = [files] if train is None else [files, train]
        behaviours = [part.need("behaviors.tsv") for part in parts]
        news = [path for part in parts if (path := part.find("news.tsv"))]
        tables = [_read(path) for path in behaviours]
        cases = _cases(behaviours[0], tables[0])
        told: list[str] = []
        if train is None:
            told.append("there is no training part; name its folder as train")
        if self.training == "histories":
            log = _histories(behaviours, tables)
        else:
            log = _clicks(behaviours[1], tables[1]) if train else Log.empty()
        items = None
        if news:
            items = pa.concat_tables([_news(path) for path in news])
            seen = items["item"].dictionary_encode().combine_chunks().indices.to_numpy()
            items = items.take(_first(seen))  # the parts describe the same news again
        return finish(
            log,
            loader=self.loader,
            files=[*behaviours, *news],
            options=self.model_dump(exclude={"train"}),
            item_table=items,
            given=cases,
            licence="Microsoft Research License: research, no redistribution",
            source="https://msnews.github.io",
            warnings=told,
        )


def _read(path: Path) -> pa.Table:
    from genrec_eval.data.tables.reading import Source

    return Source(path=path, delimiter="\t", names=_COLUMNS, quoted=False).read(_COLUMNS[1:])


def _shown(path: Path, table: pa.Table) -> tuple[Any, pa.Array, Any]:
    """Row, id and click of each piece of news that was shown."""
    import numpy as np
    import pyarrow.compute as pc

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.loaders.parts import split_ids
    from genrec_eval.data.tables.streams import clip

    lists = split_ids(table["impressions"])
    rows = np.repeat(np.arange(table.num_rows), pc.list_value_length(lists).to_numpy())
    shown = pc.list_flatten(lists).combine_chunks()
    good = pc.match_substring_regex(shown, r"^.+-[01]$").to_numpy(zero_copy_only=False)
    if not good.all():
        at = int(np.argmin(good))
        raise UsageError(
            f"{path} line {rows[at] + 1}, column 'impressions': {clip(shown[at])} does not end in -1 or -0,"
            " for clicked or not; the test part of MIND tells no clicks, use the dev part"
        )
    clicked = pc.ends_with(shown, "1").to_numpy(zero_copy_only=False)
    return rows, pc.utf8_slice_codeunits(shown, 0, -2), clicked


def _times(path: Path, table: pa.Table) -> pa.ChunkedArray:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.core.errors import UsageError
    from genrec_eval.data.tables.streams import clip

    times = pc.strptime(pc.utf8_trim_whitespace(table["time"]), _TIME, "s", error_is_null=True)
    if times.null_count:
        row = int(np.argmin(times.is_valid().to_numpy()))
        raise UsageError(
            f"{path} line {row + 1}, column 'time': {clip(table['time'][row])} is no time like"
            " '11/15/2019 8:55:22 AM'"
        )
    return pa.chunked_array(times.chunks, times.type)


def _cases(path: Path, table: pa.Table) -> CaseLog:
    import pyarrow as pa

    from genrec_eval.data.loaders.parts import lists_of, split_ids
    from genrec_eval.data.tables.log import CaseLog

    rows, ids, clicked = _shown(path, table)
    n = table.num_rows
    return CaseLog(
        user=table["user"],
        history=split_ids(table["history"]),
        truth=lists_of(rows[clicked], ids.filter(pa.array(clicked)), n),
        candidates=lists_of(rows, ids, n),
        timestamp=_times(path, table),
        where=lambda row: f"{path} line {row + 1}",
    )


def _clicks(path: Path, table: pa.Table) -> Log:
    import pyarrow as pa

    from genrec_eval.data.tables.log import Log

    rows, ids, clicked = _shown(path, table)
    rows = rows[clicked]
    at = pa.array(rows)
    return Log(
        user=table["user"].take(at),
        item=pa.chunked_array([ids.filter(pa.array(clicked))]),
        rating=None,
        timestamp=_times(path, table).take(at),
        where=lambda row: f"{path} line {rows[row] + 1 if len(rows) else 1}",
    )


def _histories(paths: list[Path], tables: list[pa.Table]) -> Log:
    """What the users had read, then what they clicked in the training part; a history stays the same."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import split_ids
    from genrec_eval.data.tables.log import Log

    users: list[pa.ChunkedArray] = []
    items: list[pa.ChunkedArray] = []
    for table in reversed(tables):  # the training part is the earlier one
        codes = table["user"].dictionary_encode().combine_chunks().indices.to_numpy()
        first = pa.array(np.sort(np.unique(codes, return_index=True)[1]))
        lists = split_ids(table["history"].take(first))
        rows = np.repeat(np.arange(len(first)), pc.list_value_length(lists).to_numpy())
        users.append(table["user"].take(first).take(pa.array(rows)))
        items.append(pa.chunked_array([pc.list_flatten(lists).combine_chunks()]))
        if table is tables[-1] and len(tables) > 1:
            clicks = _clicks(paths[-1], table)
            assert clicks.timestamp is not None
            order = pc.sort_indices(clicks.timestamp.combine_chunks())
            users.append(clicks.user.take(order))
            items.append(clicks.item.take(order))
    return Log(
        user=pa.chunked_array([chunk for column in users for chunk in column.chunks], pa.string()),
        item=pa.chunked_array([chunk for column in items for chunk in column.chunks], pa.string()),
        rating=None,
        timestamp=None,
        where=lambda row: f"{paths[0]} reading {row + 1}",
    )


def _news(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import cleaned
    from genrec_eval.data.tables.reading import Source

    source = Source(path=path, delimiter="\t", names=_NEWS, quoted=False)
    table = source.read(["item", "category", "subcategory", "title", "abstract"])
    genres = [
        list(dict.fromkeys(filter(None, pair)))
        for pair in zip(
            cleaned(table["category"]).to_pylist(), cleaned(table["subcategory"]).to_pylist(), strict=True
        )
    ]
    return pa.table(
        {
            "item": pc.utf8_trim_whitespace(table["item"]),
            "title": cleaned(table["title"]),
            "description": cleaned(table["abstract"]),
            "genres": pa.array(genres, pa.list_(pa.string())),
        }
    )


def _first(codes: Any) -> Any:
    import numpy as np

    return np.sort(np.unique(codes, return_index=True)[1])
