"""The options of the loader for your own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset


class Columns(StrictModel):
    """Which column of the interactions holds what."""

    user: str = Field(default="user", description="User id.")
    item: str = Field(default="item", description="Item id.")
    rating: str | None = Field(default=None, description="Rating; the column 'rating' if there is one.")
    timestamp: str | None = Field(
        default=None,
        description="Unix seconds (or milli-, micro-, nanoseconds) or ISO 8601; 'timestamp' if there is one.",
    )


class ItemColumns(StrictModel):
    """Which column of the items holds what; a column of the same name is used without being named."""

    item: str = Field(default="item", description="Item id.")
    title: str | None = Field(default=None, description="Title as shown, best with its year: 'Heat (1995)'.")
    year: str | None = Field(default=None, description="Year of release.")
    aliases: str | None = Field(default=None, description="Other titles.")
    description: str | None = Field(default=None, description="Text about the item.")
    genres: str | None = Field(default=None, description="Genres.")
    provider: str | None = Field(default=None, description="Who offers the item.")
    semantic_id: str | None = Field(
        default=None, description="Tokens of its semantic id: a list, or text like '<a_1><b_7>' or 'a_1|b_7'."
    )
    embedding: str | None = Field(
        default=None, description="Numbers, as many for every item: a list, or text like '0.1|0.7'."
    )


class UserColumns(StrictModel):
    """Which column of the users holds what."""

    user: str = Field(default="user", description="User id.")


class FilesSpec(DatasetSpec):
    """Interactions, and if you have them items and users, from csv, tsv, parquet or JSON lines."""

    summary: ClassVar[str] = "your own csv, tsv, parquet or jsonl files"

    interactions: str = Field(description="File of interactions; ${env:NAME} is allowed.")
    columns: Columns = Columns()
    items: str | None = Field(None, description="File of items.")
    item_columns: ItemColumns = ItemColumns()
    users: str | None = Field(None, description="File of users.")
    user_columns: UserColumns = UserColumns()
    groups: tuple[str, ...] = Field(
        (), description="Columns of the users file by which results may be sliced."
    )
    names: tuple[str, ...] | None = Field(
        None, description="Columns of an interactions file that has no header line."
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="Of text files; by the name's ending when not given."
    )
    encoding: str = Field("utf-8", description="Of text files.")
    quoted: bool = Field(
        True,
        description="Whether quotes in the interactions enclose a field; many tsv files mean them as text.",
    )
    time_unit: Literal["s", "ms", "us", "ns"] | None = Field(
        None, description="Of numeric timestamps; told from their size when not given."
    )
    list_separator: str = Field(
        "|", min_length=1, description="Between genres, aliases, tokens or numbers within a text."
    )
    label: str = Field("files", description="Name of the dataset in reports.")
    licence: str | None = Field(None, description="For the report's provenance.")
    source: str | None = Field(None, description="Where the data come from, for the report's provenance.")

    @model_validator(mode="after")
    def _groups_need_users(self) -> Self:
        if self.groups and self.users is None:
            raise ValueError("groups are columns of the users file; name the file as users")
        return self

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.tables.own_files import load_files

        return load_files(self, folder)
