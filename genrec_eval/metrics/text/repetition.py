"""Repetition inside a text."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.rouge import ngrams
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, tokenized, wordless


@define(
    Definition(
        name="repetition",
        title="Repetition",
        summary="Share of a text's n-grams that it has said before.",
        formula="1 − distinct n-grams / n-grams of the text; mean over texts",
        degenerate="No text: left out (no-text). A text without a letter or digit, or without a token: left"
        " out (no-token)."
        " A shorter text than n tokens repeats nothing: 0.",
        source="Welleck et al. 2020 (seq-rep-n).",
        direction="lower",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"n": (3, (1, 2, 3, 4)), "tokens": ("unicode", tuple(TOKENIZERS))},
        meanings={"n": "tokens in an n-gram", "tokens": TOKENS_MEANING},
        traps="Single words repeat in any long text: n of 3 or 4 finds loops.",
    )
)
def repetition(texts: Texts, *, n: int, tokens: str) -> UnitScores:
    """Repetition of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> found = metric("repetition(n=2)")(Texts(texts=["so good so good", "good", ""]))
    >>> found.values[found.scored].round(3).tolist()
    [0.333, 0.0]
    """
    values = np.zeros(len(texts))
    for row, words in enumerate(tokenized(texts, tokens)):
        if words and (total := len(words) - n + 1) > 0:
            values[row] = 1 - len(set(ngrams(words, n))) / total
    return UnitScores(
        values=values, reasons=reasons({NO_TEXT: texts.missing, NO_TOKEN: wordless(texts, tokens)})
    )
