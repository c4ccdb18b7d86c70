"""Yelp open dataset: reviews of businesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from genrec_eval.data.dataset import Dataset


class YelpSpec(FolderSpec):
    """Yelp open dataset, any year: review, business and user as JSON lines."""

    summary: ClassVar[str] = "Yelp open dataset: reviews of businesses, JSON lines"
    loader: ClassVar[str] = "yelp"

    users: bool = Field(
        True, description="Whether to read the file of users, if there, for the group 'elite'."
    )

    def read(self, files: Files) -> Dataset:
        """Read the stars of the reviews, and businesses and users beside them."""
        import pyarrow as pa

        from genrec_eval.data.loaders.parts import finish
        from genrec_eval.data.tables.log import Log
        from genrec_eval.data.tables.reading import Source

        path = files.need("yelp_academic_dataset_review.json", "*review.json")
        businesses = files.find("yelp_academic_dataset_business.json", "*business.json")
        people = files.find("yelp_academic_dataset_user.json", "*user.json") if self.users else None
        names = {"user": "user_id", "item": "business_id", "rating": "stars", "timestamp": "date"}
        types = dict.fromkeys(names.values(), pa.string()) | {"stars": pa.float64()}
        source = Source(path=path, types=types)
        table = source.read(list(names.values()))
        user, item, rating, timestamp = table.columns
        return finish(
            Log(user=user, item=item, rating=rating, timestamp=timestamp, where=source.where, names=names),
            loader=self.loader,
            files=[file for file in (path, businesses, people) if file],
            options=self.model_dump(),
            item_table=_businesses(businesses) if businesses else None,
            user_table=_users(people) if people else None,
            groups=("elite",) if people else (),
            licence="Yelp Dataset Terms of Use: academic use, no redistribution",
            source="https://www.yelp.com/dataset",
        )


def _businesses(path: Path) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.data.tables.records import Record, read_records, text, texts

    def categories(record: Record) -> list[str]:
        """A list in old versions, one text in later ones."""
        parts = texts("categories")[1](record)
        return list(dict.fromkeys(name.strip() for part in parts for name in part.split(",") if name.strip()))

    fields = {
        "item": text("business_id"),
        "title": text("name"),
        "city": text("city"),
        "state": text("state"),
    }
    return read_records(path, {**fields, "genres": (pa.list_(pa.string()), categories)})


def _users(path: Path) -> pa.Table:
    import pyarrow as pa

    from genrec_eval.data.tables.records import Record, read_records, text, texts

    def elite(record: Record) -> str:
        """Years in which the user was elite: a list in old versions, one text in later ones."""
        return "yes" if any(year not in ("None", "") for year in texts("elite")[1](record)) else "no"

    return read_records(path, {"user": text("user_id"), "elite": (pa.string(), elite)})
