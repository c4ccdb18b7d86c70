"""The options of the MovieLens loader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset


class MovieLensSpec(DatasetSpec):
    """MovieLens 100K, 1M, 10M, latest-small, 20M, 25M, 32M: the layout is told from the files."""

    summary: ClassVar[str] = "MovieLens in any of its layouts, from a folder you downloaded"

    path: str = Field(description="Folder with the unpacked files; ${env:NAME} is allowed.")

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.loaders.movielens_files import load_movielens
        from genrec_eval.data.reading import locate

        return load_movielens(locate(self.path, folder, "option path"))
