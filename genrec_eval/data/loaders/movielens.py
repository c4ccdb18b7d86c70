"""The options of the MovieLens loader."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.data.loaders.folder import Files, FolderSpec

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset


class MovieLensSpec(FolderSpec):
    """MovieLens 100K, 1M, 10M, latest-small, 20M, 25M, 32M: the layout is told from the files."""

    summary: ClassVar[str] = "MovieLens in any of its layouts, from a folder you downloaded"
    loader: ClassVar[str] = "movielens"

    def read(self, files: Files) -> Dataset:
        """Read the release, whichever it is."""
        from genrec_eval.data.loaders.movielens_files import load_movielens

        return load_movielens(files)
