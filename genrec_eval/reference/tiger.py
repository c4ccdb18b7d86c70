"""A TIGER-like model: generates the semantic id of the next item, token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity
from genrec_eval.reference.torch_extra import TransformerOptions, need_torch

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch
    from genrec_eval.reference.semantic_codes import SemanticIds


class TigerOptions(TransformerOptions):
    """Options of the TIGER-like model."""

    ids: Literal["auto", "column", "text"] = Field(
        default="auto",
        description="column: semantic_id of the items; text: made from their embeddings; auto: column where"
        " there is one.",
    )
    embeddings: Literal["tfidf", "minilm", "column"] = Field(
        default="tfidf", description="What ids are made from where the data brings none."
    )
    levels: PositiveInt = Field(default=3, le=8, description="Tokens of an id that is made.")
    codes: PositiveInt = Field(
        default=64, description="Most different tokens per level of an id that is made."
    )
    collisions: Literal["number", "expand"] = Field(
        default="number",
        description="Items with the same id: number gives every id one more token that tells them apart;"
        " expand lets an id stand for all its items, the most popular first.",
    )
    constraint: Literal["trie", "none"] = Field(
        default="trie",
        description="trie: only ids of new items can be generated; none: any tokens, lists as they come.",
    )
    beams: PositiveInt = Field(default=50, description="Beam width; the list length where that is more.")
    max_length: PositiveInt = Field(default=20, description="Latest items of a history that are looked at.")
    heads: PositiveInt = Field(default=4, description="Attention heads; must divide the dimensions.")
    dropout: float = Field(default=0.2, ge=0, lt=1, description="Share of entries dropped in training.")
    epochs: PositiveInt = Field(default=20, description="Passes over the training sequences.")


class Tiger(Popularity):
    r"""Generative retrieval: a causal transformer over the id tokens of the history, read out by beam search.

    Semantic ids come with the data or from residual k-means over item embeddings. The transformer is a
    decoder alone, smaller than TIGER's encoder and decoder. Scores are log-probabilities of whole ids.

    With ``constraint: trie`` each step allows only tokens that lead to an item that is new to the user
    (and a candidate), so lists are full and valid by construction. With ``constraint: none`` the beams
    are handed on as they were generated: token sequences that name no item come out as unknown ids, items
    of the history may come up, candidates are not heeded, and nothing is filled up. Beams are distinct
    sequences; so a repeat can only come from what happens to them later.

    Users without a known item in the history get the popular items, with their counts as scores.

    References
    ----------
    Rajput, Mehta, Singh, et al. (2023), Recommender systems with generative retrieval, NeurIPS.
    """

    name: ClassVar[str] = "tiger"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = TigerOptions
    ids: SemanticIds
    """The ids before items that share one are told apart."""
    network: Any
    """:class:`genrec_eval.reference.neural.tiger.Trained`; None when there was no order to learn from."""

    @classmethod
    def check(cls, options: Any) -> None:
        """See :meth:`ReferenceModel.check`."""
        need_torch(cls.name)

    def fit(self) -> None:
        """Make ids and train."""
        from genrec_eval.reference.neural.tiger import Trained

        super().fit()
        options = self.options
        assert isinstance(options, TigerOptions)
        self.network = None
        if not len(self.training.items):
            return
        self.ids = self._ids(options)
        used = self.ids.numbered() if options.collisions == "number" else self.ids
        if (self.training.histories().lengths > 1).any():
            self.network = Trained(self.training, used, self.place, options, self.seed)

    def _ids(self, options: TigerOptions) -> SemanticIds:
        from genrec_eval.reference.embeddings import item_embeddings
        from genrec_eval.reference.semantic_codes import given_ids, residual_ids

        brought = "semantic_id" in self.training.item_table.column_names
        if options.ids == "column" and not brought:
            raise UsageError(
                f"reference model '{self.name}' with ids: column needs the column 'semantic_id' of the items,"
                " which this data lacks; take ids: text"
            )
        if brought and options.ids != "text":
            return given_ids(self.training)
        vectors = item_embeddings(self.training, options.embeddings, 64, self.name)
        return residual_ids(vectors, options.levels, options.codes, self.seed)

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch

        ranked = super().lists(batch, width)
        if self.network is None:
            return ranked
        assert ranked.scores is not None
        rows, items, scores, unknown = self.network.generate(batch, width)
        ranked.items[rows], ranked.scores[rows] = items, scores
        return RankedBatch(items=ranked.items, scores=ranked.scores, unknown=unknown)
