"""Steam: reviews of games as lines of Python, with the hours played."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset


class SteamSpec(FolderSpec):
    """Steam of UCSD: steam_reviews.json and, if there, steam_games.json; a minute per million lines."""

    summary: ClassVar[str] = "Steam: reviews of games with dates and hours played"
    loader: ClassVar[str] = "steam"

    rating: Literal["none", "hours"] = Field(
        "none", description="'hours': the hours played stand as the rating; rows without them are dropped."
    )

    def read(self, files: Files) -> Dataset:
        """Read the reviews; those without a user, game or date are dropped and counted."""
        import numpy as np
        import pyarrow.compute as pc

        from genrec_eval.core.errors import UsageError
        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.records import number, read_records, text

        path, games = files.need("steam_reviews.json", "steam_new.json"), files.find("steam_games.json")
        fields = {"user": text("username", "user_id"), "item": text("product_id"), "timestamp": text("date")}
        if self.rating == "hours":
            fields["rating"] = number("hours")
        table = read_records(path, fields, literal=True)
        whole = np.logical_and.reduce([column.is_valid().to_numpy() for column in table.columns])
        dropped, told = int((~whole).sum()), []
        if dropped == table.num_rows:
            raise UsageError(f"{path} holds no review with {', '.join(fields)}")
        if dropped:
            told.append(f"{dropped} reviews without {' or '.join(fields)} are dropped")
            table = table.filter(whole)
        rows = np.flatnonzero(whole)
        return finish(
            Log(
                user=table["user"],
                item=table["item"],
                rating=table["rating"] if self.rating == "hours" else None,
                timestamp=pc.utf8_trim_whitespace(table["timestamp"]),
                where=lambda row: f"{path} record {rows[row] + 1}",
                names={"timestamp": "date"},
            ),
            loader=self.loader,
            files=[file for file in (path, games) if file],
            options=self.model_dump(),
            item_table=_games(games) if games else None,
            licence="research use",
            source="https://cseweb.ucsd.edu/~jmcauley/datasets.html#steam_data",
            facts={"reviews_dropped": dropped},
            warnings=told,
        )


def _games(path: Path) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.data.tables.records import Record, read_records, text, texts

    def year(record: Record) -> int | None:
        """Of a date such as 2018-01-04; some games have 'Soon..' instead."""
        first = str(record.get("release_date", ""))[:4]
        return int(first) if first.isdecimal() and first.isascii() else None

    fields = {
        "item": text("id"),
        "title": text("app_name", "title"),
        "year": (pa.int32(), year),
        "genres": texts("genres"),
        "tags": texts("tags"),
        "provider": text("publisher"),
        "developer": text("developer"),
    }
    return read_records(path, fields, literal=True)
