"""A folder of a public data set: which loader it suits, and where in it a file is."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.core.errors import UsageError
from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset

_ENDINGS = (".gz", ".bz2", ".zst", ".lz4")
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".7z", ".rar")

LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "movielens": (("u.data",), ("ratings.dat",), ("ratings.csv", "movies.csv")),
    "goodbooks": (("ratings.csv", "books.csv"),),
    "book-crossing": (("bx-book-ratings.csv",),),
    "yelp": (("*review.json", "*business.json"), ("yelp_academic_dataset_review.json",)),
    "lastfm-2k": (("user_artists.dat",),),
    "lastfm-1k": (("userid-timestamp-artid-artname-traid-traname.tsv",),),
    "steam": (("steam_reviews.json",), ("steam_new.json",)),
    "ninerec": (("*_pair.csv",), ("*_behaviour.tsv",)),
    "kuairec": (("small_matrix.csv",), ("big_matrix.csv",)),
    "mind": (("behaviors.tsv",),),
    "recbole": (("*.inter",),),
    "semantic-ids": (("*.index.json",),),
    "amazon": (("meta_*.json",), ("meta_*.jsonl",), ("reviews_*.json",), ("ratings_*.csv",), ("*.test.csv",)),
}
"""Loader → sets of names; a folder that has all names of a set is one for that loader. First come first."""


def recognise(folder: Path) -> str | None:
    """Name of the loader that the files of ``folder`` suit best; None when none does."""
    names = list(listed(folder))
    for loader, layouts in LAYOUTS.items():
        if any(all(any(fnmatchcase(name, p) for name in names) for p in layout) for layout in layouts):
            return loader
    return None


class Files:
    """The files of one folder, found by name whatever their case and compression.

    Parameters
    ----------
    path
        The folder, or one file of it: then the others are looked for beside it.
    loader
        Name of the loader that asks, for messages.

    Attributes
    ----------
    file
        The file that was given; None for a folder.
    names
        Lower-case name without the ending of a compression → file.
    """

    def __init__(self, path: Path, loader: str) -> None:
        self.loader = loader
        self.file = path if path.is_file() else None
        self.folder = path.parent if self.file else path
        self.names = listed(self.folder)

    def all(self, pattern: str) -> list[Path]:
        """Files whose name matches, compressed or not, sorted by name."""
        return [path for name, path in sorted(self.names.items()) if fnmatchcase(name, pattern)]

    def find(self, *patterns: str, option: str | None = None) -> Path | None:
        """The file that matches the first pattern that any file matches.

        Raises
        ------
        UsageError
            When several files match; ``option`` is what would tell them apart.
        """
        for pattern in patterns:
            found = self.all(pattern)
            if len(found) > 1:
                some = ", ".join(path.name for path in found[:5])
                which = f"say which with the option {option}" if option else "leave only one of them there"
                raise UsageError(f"{self.folder} holds several files {pattern} ({some}); {which}")
            if found:
                return found[0]
        return None

    def need(self, *patterns: str, option: str | None = None) -> Path:
        """Like :meth:`find`, or the sentence that says what was expected and what the folder looks like."""
        found = self.find(*patterns, option=option)
        if found is None:
            raise self.wrong(" or ".join(patterns))
        return found

    def wrong(self, expected: str) -> UsageError:
        """The sentence for a folder that is not what the loader expects."""
        return UsageError(
            f"{self.folder} holds no {expected}, which dataset '{self.loader}' reads{self._hint()}"
        )

    def _hint(self) -> str:
        other = recognise(self.folder)
        if other is not None and other != self.loader:
            return f"; its files look like 'dataset: {other}'"
        inside = [path for path in sorted(self.folder.iterdir()) if path.is_dir()]
        for path in inside[:100]:
            if recognise(path) == self.loader:
                return f"; did you mean '{path}'?"
        archive = next((name for name in self.names if name.endswith(ARCHIVES)), None)
        if archive is not None:
            return f"; unpack {archive} first"
        for path in inside[:100]:
            other = recognise(path)
            if other is not None:
                return f"; '{path}' looks like 'dataset: {other}'"
        return ""


def listed(folder: Path) -> dict[str, Path]:
    """Files of a folder: lower-case name without the ending of a compression → file."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            continue
        name = path.name.lower()
        bare = next((name.removesuffix(end) for end in _ENDINGS if name.endswith(end)), name)
        archive = name.endswith(ARCHIVES)
        # where a file lies there unpacked too, that one is read
        if archive or bare == name or bare not in found:
            found[name if archive else bare] = path
    return found


class FolderSpec(DatasetSpec):
    """Options of a loader that reads the files of one folder."""

    loader: ClassVar[str]
    """Its name in the registry."""

    path: str = Field(description="Folder with the unpacked files; ${env:NAME} is allowed.")

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.tables.reading import locate

        path = locate(self.path, folder, "option path")
        if path.is_file():
            raise UsageError(
                f"{path} is a file; give the folder with the unpacked files of dataset '{self.loader}'"
            )
        return self.read(Files(path, self.loader))

    def read(self, files: Files) -> Dataset:
        """Read the dataset from its files."""
        raise NotImplementedError
