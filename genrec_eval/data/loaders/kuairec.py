"""KuaiRec: a sparse log of short videos, and a matrix in which nearly every cell was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.tables.log import CaseLog, Log
    from genrec_eval.data.tables.reading import Source

_LEVELS = tuple(f"{level}_level_category_name" for level in ("first", "second", "third"))
_UNKNOWN = ("UNKNOWN", "-124", "")


class KuaiRecSpec(FolderSpec):
    """KuaiRec: big_matrix.csv, small_matrix.csv and, if there, categories, captions and user features."""

    summary: ClassVar[str] = "KuaiRec: train on the big matrix, test on the fully observed small one"
    loader: ClassVar[str] = "kuairec"

    matrix: Literal["big", "small", "both"] = Field(
        "both",
        description="'both': the big matrix for training and the small one as given cases, whose candidates"
        " are the videos that the user was shown; or one of them as interactions.",
    )
    relevant: float = Field(
        2.0, ge=0, description="With 'both': a video is relevant when its watch ratio is above this."
    )
    untimed: Literal["drop", "forget"] = Field(
        "drop",
        description="Rows without a timestamp, of which the small matrix has many: drop them, or forget the"
        " times of all rows.",
    )

    def read(self, files: Files) -> Dataset:
        """Read one matrix or both; the watch ratio stands as the rating."""
        from dataclasses import replace

        from genrec_eval.data.loaders.parts import finish

        used = ["big", "small"] if self.matrix == "both" else [self.matrix]
        paths = {name: files.need(f"{name}_matrix.csv") for name in used}
        categories, people = files.find("item_categories.csv"), files.find("user_features.csv")
        captions = files.find("kuairec_caption_category.csv")
        told: list[str] = []
        given = None
        if self.matrix == "both":
            given = self._cases(paths["small"])
        data = finish(
            self._log(paths[used[0]], told),
            loader=self.loader,
            name=self.loader if self.matrix == "both" else f"{self.loader} {self.matrix}",
            files=[file for file in (*paths.values(), categories, captions, people) if file],
            options=self.model_dump(),
            item_table=_videos(categories, captions, told),
            user_table=_people(people) if people else None,
            given=given,
            groups=("activity",) if people else (),
            licence="CC BY-SA 4.0",
            source="https://kuairec.com",
            warnings=told,
        )
        if given is None:
            return data
        return replace(data, facts={**data.facts, "candidates_in_training": _overlap(data)})

    def _table(self, path: Path, wanted: list[str]) -> tuple[Source, pa.Table]:
        import pyarrow as pa

        from genrec_eval.data.tables.reading import Source

        types = {"watch_ratio": pa.float64(), "timestamp": pa.float64()}
        source = Source(path=path, types=types)
        return source, source.read(wanted)

    def _log(self, path: Path, told: list[str]) -> Log:
        import numpy as np

        from genrec_eval.core.errors import UsageError
        from genrec_eval.data.tables.log import Log

        source, table = self._table(path, ["user_id", "video_id", "watch_ratio", "timestamp"])
        timed = table["timestamp"].is_valid()
        untimed = table["timestamp"].null_count
        rows = np.arange(table.num_rows)
        if untimed and self.untimed == "drop":
            if untimed == table.num_rows:
                raise UsageError(f"{path} has no timestamps; read it with untimed: forget")
            told.append(f"{untimed} rows of {path.name} without a timestamp are dropped")
            table, rows = table.filter(timed), rows[timed.to_numpy()]
        user, item, ratio, time = table.columns
        return Log(
            user=user,
            item=item,
            rating=ratio,
            timestamp=None if untimed and self.untimed == "forget" else time,
            where=lambda row: source.where(int(rows[row]) if len(rows) else 0),
            names={"user": "user_id", "item": "video_id", "rating": "watch_ratio"},
            unit="s",
        )

    def _cases(self, path: Path) -> CaseLog:
        """One case per user of the small matrix, in the order in which they appear."""
        import numpy as np
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import lists_of
        from genrec_eval.data.tables.ids import ids_of
        from genrec_eval.data.tables.log import CaseLog, Rows
        from genrec_eval.data.tables.numbers import ratings_of
        from genrec_eval.protocol.arrays import stable_order

        source, table = self._table(path, ["user_id", "video_id", "watch_ratio"])
        named = {"user": "user_id", "rating": "watch_ratio"}
        ratio = ratings_of(Rows(where=source.where, names=named), table["watch_ratio"])
        user, ids = ids_of(table["user_id"])
        missing = np.flatnonzero(user < 0)
        if len(missing):
            raise Rows(where=source.where, names=named).fault(int(missing[0]), "user", "the user is missing")
        order = stable_order(user)
        liked = order[ratio[order] > self.relevant]
        first = np.unique(user, return_index=True)[1]

        def lists(rows: np.ndarray) -> pa.ChunkedArray:
            return lists_of(user[rows].astype(np.int64), table["video_id"].take(pa.array(rows)), len(ids))

        return CaseLog(
            user=pa.chunked_array([ids]),
            truth=lists(liked),
            candidates=lists(order),
            where=lambda row: source.where(int(first[row])),
        )


def _overlap(data: Dataset) -> int:
    """Pairs of the given cases that the training has too."""
    import numpy as np

    given, log = data.given, data.interactions
    assert given is not None
    assert given.candidates is not None
    n = len(data.items)
    user = np.repeat(given.user, given.candidates.lengths).astype(np.int64)
    asked = user * n + given.candidates.values
    return int(np.isin(asked, log.user.astype(np.int64) * n + log.item).sum())


def _videos(categories: Path | None, captions: Path | None, told: list[str]) -> pa.Table | None:
    """Captions as titles; names of categories as genres, or their numbers where there are no names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.data.loaders.parts import cleaned, refused_rows, split_texts
    from genrec_eval.data.tables.reading import Source

    if captions is not None:
        refused: list[str] = []
        source = Source(path=captions, refused=refused, quoted=True, multiline=True)
        table = source.read(["video_id", "caption", *_LEVELS])
        told.extend(refused_rows(refused))
        whole = pc.fill_null(pc.match_substring_regex(table["video_id"], r"^\d+(\.0)?$"), False)
        if odd := table.num_rows - pc.sum(whole).as_py():
            told.append(f"{odd} rows of {captions.name} whose video_id is no number are passed over")
        table = table.filter(whole)
        names = zip(*(cleaned(table[level]).to_pylist() for level in _LEVELS), strict=True)
        genres = [[name for name in row if name and name not in _UNKNOWN] for row in names]
        return pa.table(
            {
                "item": table["video_id"],
                "title": cleaned(table["caption"]),
                "genres": pa.array(genres, pa.list_(pa.string())),
            }
        )
    if categories is None:
        return None
    table = Source(path=categories).read(["video_id", "feat"])
    numbers = pc.utf8_trim(table["feat"], characters="[] ")
    return pa.table({"item": table["video_id"], "genres": split_texts(numbers, ",")})


def _people(path: Path) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.data.loaders.parts import cleaned
    from genrec_eval.data.tables.reading import Source

    table = Source(path=path).read(["user_id", "user_active_degree"])
    return pa.table({"user": table["user_id"], "activity": cleaned(table["user_active_degree"])})
