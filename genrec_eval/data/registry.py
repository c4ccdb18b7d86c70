"""Which datasets there are, and what the spec of each must offer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from genrec_eval.core.registry import Registry
from genrec_eval.core.strict import StrictModel

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.experiments.exposures import Exposures
    from genrec_eval.data.judgements.log import JudgementLog

DATASETS = Registry(
    "dataset",
    {
        "synthetic": "genrec_eval.data.world.spec:SyntheticSpec",
        "movielens": "genrec_eval.data.loaders.movielens:MovieLensSpec",
        "amazon": "genrec_eval.data.loaders.amazon:AmazonSpec",
        "semantic-ids": "genrec_eval.data.loaders.semantic_ids:SemanticIdsSpec",
        "book-crossing": "genrec_eval.data.loaders.book_crossing:BookCrossingSpec",
        "goodbooks": "genrec_eval.data.loaders.goodbooks:GoodbooksSpec",
        "kuairec": "genrec_eval.data.loaders.kuairec:KuaiRecSpec",
        "lastfm-1k": "genrec_eval.data.loaders.lastfm:LastFm1kSpec",
        "lastfm-2k": "genrec_eval.data.loaders.lastfm:LastFm2kSpec",
        "mind": "genrec_eval.data.loaders.mind:MindSpec",
        "ninerec": "genrec_eval.data.loaders.ninerec:NineRecSpec",
        "recbole": "genrec_eval.data.loaders.recbole:RecBoleSpec",
        "steam": "genrec_eval.data.loaders.steam:SteamSpec",
        "yelp": "genrec_eval.data.loaders.yelp:YelpSpec",
        "files": "genrec_eval.data.tables.files:FilesSpec",
        "exposure-log": "genrec_eval.data.experiments.spec:ExposureLogSpec",
        "pandalm": "genrec_eval.data.judgements.spec:PandaLMSpec",
        "llmbar": "genrec_eval.data.judgements.spec:LLMBarSpec",
        "alpaca-eval": "genrec_eval.data.judgements.spec:AlpacaEvalSpec",
        "prometheus-repeat": "genrec_eval.data.judgements.spec:PrometheusRepeatSpec",
        "mtbench": "genrec_eval.data.judgements.spec:MTBenchSpec",
        "judgement-log": "genrec_eval.data.judgements.spec:JudgementLogSpec",
        "synthetic-exposures": "genrec_eval.data.experiments.synthetic:SyntheticExposuresSpec",
    },
    group="genrec_eval.datasets",
)
"""Dataset name → its spec class. Spec modules import nothing heavy: they are read to validate a suite."""


class DatasetSpec(StrictModel):
    """Options of one kind of dataset, as a suite writes them."""

    summary: ClassVar[str] = ""
    """One line for ``genrec-eval list datasets``."""
    holds: ClassVar[str] = "interactions"
    """What :meth:`load` returns: ``"interactions"`` for a Dataset, ``"exposures"`` for Exposures,
    ``"judgements"`` for a JudgementLog."""

    may_be_missing: ClassVar[bool] = False
    """Whether a run goes on where the data are not there (MissingData), and says what was not run."""

    def load(self, folder: Path, seed: int) -> Dataset | Exposures | JudgementLog:
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
