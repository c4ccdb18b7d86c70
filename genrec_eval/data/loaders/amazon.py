"""Amazon reviews of 2014, 2018 and 2023: reviews or ratings alone, metadata, the published splits of 2023."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from pathlib import Path

    from genrec_eval.data.dataset import Dataset


class AmazonSpec(FolderSpec):
    """Amazon reviews in any edition; which one is told from the fields."""

    summary: ClassVar[str] = "Amazon reviews 2014, 2018 and 2023: json lines, csv, published splits"
    loader: ClassVar[str] = "amazon"

    path: str = Field(
        description="File of reviews or ratings, or its folder; of a published split the file X.test.csv;"
        " ${env:NAME} is allowed."
    )
    metadata: str | None = Field(
        None, description="File of items; 'meta_*' beside the reviews if there is one."
    )
    edition: Literal["2014", "2018", "2023"] | None = Field(
        None, description="Told from the fields when not given; a csv without a header does not say its own."
    )
    order: Literal["user-item", "item-user"] | None = Field(
        None,
        description="Of the columns of a csv without a header: 2014 user first, 2018 item first; told from"
        " the looks of the ids when not given.",
    )
    catalogue: Literal["reviewed", "described"] = Field(
        "reviewed", description="Whether items of the metadata that nobody reviewed are in the catalogue."
    )
    part: Literal["test", "valid"] = Field(
        "test",
        description="Of a published split: which part gives the cases; those before it are for training.",
    )

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.loaders.amazon_files import load_amazon
        from genrec_eval.data.tables.reading import locate

        files = Files(locate(self.path, folder, "option path"), self.loader)
        metadata = None if self.metadata is None else locate(self.metadata, folder, "option metadata")
        return load_amazon(self, files, metadata)
