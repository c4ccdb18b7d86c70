"""Cross-domain transfer: trained on one catalogue, asked about another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking.base import OF_THE_KNOWN, OFFERED, VALIDITY, RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.protocol.arrays import Int32


class CrossDomainOptions(RankingOptions):
    """Options of the cross-domain scenario."""

    source: str = Field(description="Name of the suite's data set that models are trained on.")
    shared_users: bool = Field(
        False, description="Whether equal user ids of both data sets mean the same person."
    )
    target_training: Literal["none", "all"] = Field(
        "none",
        description="Whether models may also learn from the target's training part. The histories of the"
        " users who are asked about are of the target either way.",
    )
    metrics: tuple[str, ...] = Field(
        ("ndcg", "recall", "hit_rate"),
        min_length=1,
        description="Metrics, as in ndcg@10; without @ they are taken at k.",
    )


class CrossDomain(RankingScenario):
    """Train on the data set ``source``, rank the items of ``data``.

    Models see one catalogue with the items of both, and choose from those of the target. What they can carry
    over is what items say of themselves (titles, attributes, embeddings) and, with ``shared_users``, people.
    Ids that occur on both sides mean different things: those of the source are prefixed with its name.
    """

    name: ClassVar[str] = "cross-domain"
    title: ClassVar[str] = "Cross-domain transfer"
    summary: ClassVar[str] = "Trains on one data set and ranks the items of another."
    Options: ClassVar[type[StrictModel]] = CrossDomainOptions
    validity: ClassVar[Mapping[str, tuple[str, float]]] = {
        name: claim for name, claim in {**VALIDITY, **OFFERED}.items() if name not in OF_THE_KNOWN
    }

    def others(self) -> tuple[str, ...]:
        """The source."""
        return (self.options.source,)

    def prepare(self, dataset: Dataset | None) -> Prepared:
        """Put both catalogues together and split the target."""
        source = self.datasets.get(self.options.source)
        if source is None:
            raise UsageError(f"scenario 'cross-domain' was not given its source '{self.options.source}'")
        if dataset is None:
            return super().prepare(dataset)
        if source.digest == dataset.digest:
            raise UsageError(
                f"scenario 'cross-domain': the source '{self.options.source}' is the data set that is asked"
                " about, so models would learn the test; name another one as the source"
            )
        from genrec_eval.scenarios.cross_domain_data import both

        self._both = both(source, dataset, self.options.source, self.options.shared_users)
        return super().prepare(self._both.dataset)

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """Split the target, then put the source in the place of its training part."""
        from genrec_eval.scenarios.cross_domain_data import with_source

        if self.options.split.k_core is not None:
            raise UsageError("scenario 'cross-domain' takes no k_core: it keeps the whole of both catalogues")
        split, _, facts = super().cases(dataset)
        learnt = with_source(self._both, split, self.options.target_training == "all")
        import numpy as np

        gone = dict(split.facts.get("excluded_users", {}))
        gone["no-test"] = gone.get("no-test", 0) - self._both.only_source  # nobody meant to ask about them
        known = np.bincount(learnt.interactions.item, minlength=len(learnt.items)) > 0
        facts |= {
            "excluded_users": gone,
            "cold_item_interaction_share": float((~known[split.truth.values]).mean()),
            "leaked_interactions": None,  # of the target alone; the leakage audit counts all
            "source": self.options.source,
            "source_interactions": len(self._both.source),
            "train": len(learnt.interactions),
            "train_share": None,  # of the target alone it would say nothing about what is learnt from
            "target_items": len(self._both.target_items),
            "shared_user_ids": self._both.shared_users,
            "target_training": self.options.target_training,
        }
        return replace(split, training=learnt), {}, facts

    def candidates(self, split: Split) -> Int32 | None:
        """The target's items."""
        return self._both.target_items
