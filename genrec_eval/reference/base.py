"""What every reference model has: options, a version of its algorithm, an identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.core.errors import UsageError
from genrec_eval.core.registry import Registry
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.model import BatchModel

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Training
    from genrec_eval.protocol.arrays import Float64, Vocabulary
    from genrec_eval.protocol.batch import RankBatch, RankedBatch, RateBatch, RatedBatch

REFERENCE = Registry(
    "reference model",
    {
        "random": "genrec_eval.reference.random:Random",
        "popularity": "genrec_eval.reference.popularity:Popularity",
        "recent-popularity": "genrec_eval.reference.recent_popularity:RecentPopularity",
        "item-knn": "genrec_eval.reference.item_knn:ItemKNN",
        "user-knn": "genrec_eval.reference.user_knn:UserKNN",
        "ease": "genrec_eval.reference.ease:EASE",
        "slim": "genrec_eval.reference.slim:SLIM",
        "mult-vae": "genrec_eval.reference.mult_vae:MultVAE",
        "sasrec": "genrec_eval.reference.sasrec:SASRec",
        "tiger": "genrec_eval.reference.tiger:Tiger",
        "dense-retriever": "genrec_eval.reference.dense_retriever:DenseRetriever",
        "ials": "genrec_eval.reference.ials:IALS",
        "bpr-mf": "genrec_eval.reference.bpr:BPRMF",
        "markov": "genrec_eval.reference.markov:Markov",
        "fpmc": "genrec_eval.reference.fpmc:FPMC",
        "bias": "genrec_eval.reference.bias_ratings:BiasRatings",
        "mf-ratings": "genrec_eval.reference.mf_ratings:MFRatings",
        "duplicates": "genrec_eval.reference.duplicates:Duplicates",
        "unknown-ids": "genrec_eval.reference.unknown_ids:UnknownIds",
        "seen-items": "genrec_eval.reference.seen_items:SeenItems",
        "short-lists": "genrec_eval.reference.short_lists:ShortLists",
        "peeking-popularity": "genrec_eval.reference.peeking_popularity:PeekingPopularity",
        "future-items": "genrec_eval.reference.future_items:FutureItems",
        "ties-everywhere": "genrec_eval.reference.ties_everywhere:TiesEverywhere",
        "negated-scores": "genrec_eval.reference.negated_scores:NegatedScores",
        "unfair-value": "genrec_eval.reference.fairness.unfair_value:UnfairValue",
        "intersection-bias": "genrec_eval.reference.fairness.intersection_bias:IntersectionBias",
        "noisy-fair": "genrec_eval.reference.fairness.noisy_fair:NoisyFair",
        "changes-for-all": "genrec_eval.reference.fairness.changes_for_all:ChangesForAll",
        "provider-bias": "genrec_eval.reference.fairness.provider_bias:ProviderBias",
        "template-writer": "genrec_eval.reference.writing.template:TemplateWriter",
        "retrieval-writer": "genrec_eval.reference.writing.retrieval:RetrievalWriter",
        "ngram-writer": "genrec_eval.reference.writing.ngram:NgramWriter",
        "invents-history": "genrec_eval.reference.writing.invents_history:InventsHistory",
        "contradicts-catalogue": "genrec_eval.reference.writing.contradicts_catalogue:ContradictsCatalogue",
        "constant-text": "genrec_eval.reference.writing.constant_text:ConstantText",
        "padded-text": "genrec_eval.reference.writing.padded_text:PaddedText",
        "names-attributes": "genrec_eval.reference.writing.names_attributes:NamesAttributes",
        "curt-to-value": "genrec_eval.reference.writing.curt_to_value:CurtToValue",
        "flatters": "genrec_eval.reference.writing.flatters:Flatters",
        "injects-orders": "genrec_eval.reference.writing.injects_orders:InjectsOrders",
        "argues-from-dislikes": "genrec_eval.reference.writing.argues_from_dislikes:ArguesFromDislikes",
        "leaks-names": "genrec_eval.reference.writing.leaks_names:LeaksNames",
        "hides-minority": "genrec_eval.reference.writing.hides_minority:HidesMinority",
        "rubric-judge": "genrec_eval.reference.judges.rubric:RubricJudge",
        "obedient-judge": "genrec_eval.reference.judges.obedient:ObedientJudge",
        "constant-judge": "genrec_eval.reference.judges.constant:ConstantJudge",
        "first-slot-judge": "genrec_eval.reference.judges.first_slot:FirstSlotJudge",
        "longest-judge": "genrec_eval.reference.judges.longest:LongestJudge",
        "mumbling-judge": "genrec_eval.reference.judges.mumbling:MumblingJudge",
        "noisy-judge": "genrec_eval.reference.judges.noisy:NoisyJudge",
    },
)
"""Name → class: recommenders, then writers and judges, which answer ``chat``.

The modules import no numpy at their top: suites are validated against their options.
"""


class NoOptions(StrictModel):
    """A model without options."""


class Bundled:
    """What every bundled model says of itself."""

    name: ClassVar[str]
    version: ClassVar[int]
    """Version of the algorithm: raised when its answers change, so that no old one is reused."""
    planted: ClassVar[str | None] = None
    """The flaw that is built in, by the name of the metric that must show it; None for a sound model."""
    learns: ClassVar[bool] = True
    """Whether the answers depend on the training data, which are then part of the identity."""
    peeks: ClassVar[bool] = False
    """Whether the planted flaw looks at the held-out interactions, ``training.future``."""
    seeded: ClassVar[bool] = False
    """Whether answers depend on the seed, which is then part of the identity."""
    Options: ClassVar[type[StrictModel]] = NoOptions

    training: Training | None
    options: Any
    seed: int

    @classmethod
    def check(cls, options: Any) -> None:
        """Raise :class:`UsageError` where a package that the model needs is not installed."""

    def identity(self) -> dict[str, Any]:
        """Name, version of the algorithm, options, and the training digest and the seed where they count."""
        identity: dict[str, Any] = {
            "adapter": "reference",
            "model": self.name,
            "version": self.version,
            "options": self.options.model_dump(mode="json"),
        }
        if self.learns and self.training is not None:
            identity["training"] = self.training.digest
        return {**identity, "seed": self.seed} if self.seeded else identity

    def fit(self) -> None:
        """Learn from ``self.training``; nothing to learn unless overridden."""


class ReferenceModel(Bundled, BatchModel):
    """A recommender that is fitted when it is made and answers columnar batches.

    A list depends on nothing but the training, the options, the row's own user, history and candidates
    and, where the model draws, seed and repeat: order and chunking change nothing. Sound models
    (``planted`` is None) never recommend an item of the history, never repeat one, and fill the list
    as far as the catalogue allows.

    A model implements :meth:`lists`, :meth:`ratings` or both, and says so in ``kinds``.

    Parameters
    ----------
    training
        What the model may learn from.
    options
        A validated instance of ``Options``; the defaults when None.
    seed
        The run's seed; used by models that draw.
    """

    training: Training

    def __init__(self, training: Training, options: Any = None, seed: int = 0) -> None:
        self.training = training
        self.options = self.Options() if options is None else options
        self.check(self.options)
        self.seed = seed
        self.fit()

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """Make lists of at most ``width`` items for a batch in this model's catalogue."""
        raise NotImplementedError(f"{type(self).__name__} does not rank")

    def ratings(self, batch: RateBatch) -> Float64:
        """float64, parallel to ``targets.values``: predicted ratings; NaN where the model has none."""
        raise NotImplementedError(f"{type(self).__name__} does not rate")

    def rank(self, batch: RankBatch) -> RankedBatch:
        """Rank for every user; the width is the shorter of ``k`` and the catalogue.

        Raises
        ------
        UsageError
            When the batch speaks of another catalogue than the model was fitted on.
        """
        self._refuse_another(batch.items)
        width = min(batch.k, len(self.training.items))
        if width < 1:
            import numpy as np

            from genrec_eval.protocol.batch import RankedBatch

            return RankedBatch(items=np.empty((len(batch), 0), np.int32))
        return self.lists(batch, width)

    def rate(self, batch: RateBatch) -> RatedBatch:
        """Rate every target of every user.

        Raises
        ------
        UsageError
            When the batch speaks of another catalogue than the model was fitted on.
        """
        from genrec_eval.protocol.batch import RatedBatch

        self._refuse_another(batch.items)
        return RatedBatch(ratings=self.ratings(batch))

    def _refuse_another(self, items: Vocabulary) -> None:
        ours, theirs = self.training.items.ids, items.ids
        if theirs is not ours and not theirs.equals(ours):
            raise UsageError(
                f"reference model '{self.name}' was fitted on a catalogue of {len(ours):,} items, but is"
                f" asked about another one of {len(theirs):,}; fit and ask on the same data"
            )
