"""Length of texts."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.text.texts import NO_TEXT, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, sentences


@define(
    Definition(
        name="length",
        title="Length",
        summary="How long a text is, in words, characters or sentences.",
        formula="number of words, code points or sentences; mean over texts",
        degenerate="No text: left out (no-text). An empty text has length 0.",
        source="Judges and overlap metrics depend on it: Dubois et al. 2024 (length-controlled win rates).",
        direction="none",
        bounds=(0.0, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "of": ("words", ("words", "characters", "sentences")),
            "tokens": ("unicode", tuple(TOKENIZERS)),
        },
        meanings={
            "of": "words: of the tokenizer; characters: code points, white space included; sentences: parts"
            " between line breaks, after . ! ? … before white space and after 。！？؟۔।,"
            " that hold a letter or digit",
            "tokens": TOKENS_MEANING,
        },
    )
)
def length(texts: Texts, *, of: str, tokens: str) -> UnitScores:
    """Length of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["Two words. 東京!", "", None])
    >>> [metric(f"length(of={of})")(texts).values.tolist()[:2] for of in ("words", "sentences")]
    [[4.0, 0.0], [2.0, 0.0]]
    """
    count = {"words": TOKENIZERS[tokens], "characters": list, "sentences": sentences}[of]
    values = [0 if text is None else len(count(text)) for text in texts.texts]
    missing = texts.missing
    return UnitScores(values=np.array(values, float), reasons={NO_TEXT: missing} if missing.any() else {})
