"""Which datasets there are, and what the spec of each must offer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from genrec_eval.core.registry import Registry
from genrec_eval.core.strict import StrictModel

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset

DATASETS = Registry(
    "dataset",
    {
        "synthetic": "genrec_eval.data.synthetic:SyntheticSpec",
        "movielens": "genrec_eval.data.loaders.movielens:MovieLensSpec",
        "files": "genrec_eval.data.files:FilesSpec",
    },
    group="genrec_eval.datasets",
)
"""Dataset name → its spec class. Spec modules import nothing heavy: they are read to validate a suite."""


class DatasetSpec(StrictModel):
    """Options of one kind of dataset, as a suite writes them."""

    summary: ClassVar[str] = ""
    """One line for ``genrec-eval list datasets``."""

    def load(self, folder: Path, seed: int) -> Dataset:
        """Return the dataset.

        Parameters
        ----------
        folder
            Folder of the suite file; relative paths are resolved against it.
        seed
            The run's seed; for generated data only.

        Raises
        ------
        UsageError
            When a file is missing or does not hold what it should.
        """
        raise NotImplementedError
