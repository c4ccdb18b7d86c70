"""Similarity of meaning by sentence embeddings: with the references, and of a run's texts with each other."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Accumulator, Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import DEGENERATE, comparable, reasons
from genrec_eval.metrics.text.embedded import MODEL_MEANING, Embedded
from genrec_eval.metrics.text.self_bleu import ALONE
from genrec_eval.metrics.text.sentence_model import MINILM, MINILM_SOURCE, Float32, SentenceEncoder
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.protocol.arrays import Float64


def mean_distance(vectors: Float64) -> tuple[float, Float64]:
    """1 − mean cosine over all pairs of unit vectors, and the same without each; in linear time.

    Two vectors leave none over: each of them takes nothing away.

    >>> total, without = mean_distance(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    >>> round(total, 6), without.round(6).tolist()
    (0.666667, [1.0, 1.0, 0.0])
    """
    n = len(vectors)
    squares = (vectors * vectors).sum(1)  # 1 up to the last digits of float32
    everything, own = vectors.sum(0), squares.sum()
    whole = everything @ everything
    total = max(1 - float(whole - own) / (n * (n - 1)), 0.0)  # below by rounding alone
    if n == 2:
        return total, np.full(n, total)
    rest = whole - 2 * vectors @ everything + squares
    without: Float64 = 1 - (rest - (own - squares)) / ((n - 1) * (n - 2))
    return total, without


@define(
    Definition(
        name="embedding_similarity",
        title="Embedding similarity",
        summary="Cosine between the sentence embeddings of a text and of its closest reference.",
        formula="mean over texts of the greatest cosine(text, reference) over its references; texts are cut"
        " off at the model's window (minilm: 256 tokens)",
        degenerate=DEGENERATE,
        source=f"Reimers & Gurevych 2019; {MINILM_SOURCE}.",
        direction="higher",
        bounds=(-1.0, 1.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"model": (SentenceEncoder(MINILM), None)},
        meanings={"model": MODEL_MEANING},
        traps="Unrelated texts do not have 0: texts about one domain are alike (often 0.3 and more), so that"
        " only differences count. Negations and wrong names hardly move it: it says nothing about facts.",
    )
)
def embedding_similarity(texts: Texts, *, model: SentenceEncoder) -> UnitScores:
    """Cosine of each text with its closest reference."""
    embedded = Embedded.of(texts, model, "metric 'embedding_similarity'")
    given = [text for text in texts.texts if text is not None]
    embedded.add([*given, *(one for references in texts.references for one in references)])
    embedded.remark(texts)
    units, why = comparable(texts, embedded.has_token)
    values = np.zeros(len(texts))
    vectors = embedded.vectors
    for row, text, references in units:
        if text in vectors:
            against = np.stack([vectors[one] for one in references]).astype(np.float64)
            values[row] = (against @ vectors[text].astype(np.float64)).max()
    return UnitScores(values=np.clip(values, -1.0, 1.0), reasons=why)


@define(
    Definition(
        name="embedding_diversity",
        title="Embedding diversity",
        summary="How unlike in meaning the texts of a run are: 1 − mean cosine over all pairs of them.",
        formula="1 − (|Σ v|² − n) / (n (n − 1)) for unit vectors v of n texts, which is 1 − the mean over all"
        " pairs, in linear time; texts are cut off at the model's window (minilm: 256 tokens)",
        degenerate="No text: left out (no-text). A text without a token: left out (no-token). A single text"
        " has no value (alone).",
        source=f"Mean pairwise distance; Reimers & Gurevych 2019 for the embeddings; {MINILM_SOURCE}.",
        direction="higher",
        bounds=(0.0, 2.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"model": (SentenceEncoder(MINILM), None)},
        meanings={"model": MODEL_MEANING},
        traps="Texts about different items differ by what the items are: compare models on the same cases."
        " Errors and noise are diverse too. Above 1 only where most pairs point away from each other.",
    )
)
class EmbeddingDiversity(Accumulator):
    """Diversity of the run; a text's score is what the run would lose without it."""

    def __init__(self, *, model: SentenceEncoder) -> None:
        self.model = model
        self.missing: list[Bool] = []
        self.tokenless: list[Bool] = []
        self.vectors: list[Float32] = []

    def update(self, texts: Texts) -> None:
        """Embed the next texts."""
        embedded = Embedded.of(texts, self.model, "metric 'embedding_diversity'")
        embedded.add([text for text in texts.texts if text is not None])
        embedded.remark(texts)
        self.missing.append(texts.missing)
        self.tokenless.append(
            np.array([text is not None and not embedded.has_token(text) for text in texts.texts], bool)
        )
        self.vectors += [
            embedded.vectors[text] for text in texts.texts if text is not None and embedded.has_token(text)
        ]

    def finish(self) -> UnitScores:
        """Value of the run, and what it would lose without each text."""
        absent = np.concatenate([np.empty(0, bool), *self.missing])
        tokenless = np.concatenate([np.empty(0, bool), *self.tokenless])
        left, n = ~absent & ~tokenless, len(self.vectors)
        values = np.zeros(len(absent))
        if n < 2:
            why = reasons({NO_TEXT: absent, NO_TOKEN: tokenless, ALONE: left})
            return UnitScores(values=values, total=0.0, reach=0.0, reasons=why)
        vectors = np.stack(self.vectors).astype(np.float64)
        total, without = mean_distance(vectors)
        values[left] = total - without
        # a text is in 2 / n of the pairs, and each of them moves by at most 2
        why = reasons({NO_TEXT: absent, NO_TOKEN: tokenless})
        return UnitScores(values=values, total=total, reach=4 / n, reasons=why)
