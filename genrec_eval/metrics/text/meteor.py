"""METEOR by NLTK, without WordNet unless asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import DEGENERATE, comparable, library
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, stem


class _Stems:
    """Porter stems, each computed once."""

    stem = staticmethod(stem)


class _AsIs:
    """No stems, or no synonyms."""

    @staticmethod
    def stem(word: str) -> str:
        return word

    @staticmethod
    def synsets(word: str) -> tuple[()]:
        return ()


def _wordnet() -> Any:
    from nltk.corpus import wordnet

    try:
        wordnet.ensure_loaded()
    except LookupError:
        raise UsageError(
            "metric 'meteor(synonyms=wordnet)' finds no WordNet: install it with"
            " 'python -m nltk.downloader wordnet', or write synonyms=none"
        ) from None
    return wordnet


def _check(parameters: Mapping[str, Any]) -> str | None:
    for name, most in (("alpha", 1), ("beta", 100), ("gamma", 1)):
        if not 0 <= parameters[name] <= most:
            return f"{name} lies between 0 and {most}, not {parameters[name]:g}"
    return None


@define(
    Definition(
        name="meteor",
        title="METEOR",
        summary="Words matched exactly, by stem or by synonym, weighted towards recall, less a penalty for"
        " disorder.",
        formula=(
            "(1 − gamma · (chunks / matches)^beta) · p r / (alpha p + (1 − alpha) r), p and r the shares of"
            " matched words of the text and of the reference, chunks the runs of matches that are adjacent"
            " on both sides; the best of several references; mean over texts"
        ),
        degenerate=f"{DEGENERATE} No match: 0.",
        source=f"Banerjee & Lavie 2005; Lavie & Agarwal 2007; {library('nltk')} (not Java METEOR 1.5, which"
        " knows paraphrases and function words, and whose figures differ).",
        direction="higher",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "alpha": (0.9, None),
            "beta": (3.0, None),
            "gamma": (0.5, None),
            "stemmer": ("porter", ("porter", "none")),
            "synonyms": ("none", ("none", "wordnet")),
            "tokens": ("unicode", tuple(TOKENIZERS)),
        },
        check=_check,
        meanings={
            "alpha": "weight of precision in the denominator: near 1, recall decides",
            "beta": "shape of the penalty",
            "gamma": "greatest penalty",
            "stemmer": "porter: words of equal stem match; none: only equal words",
            "synonyms": "none; wordnet: words that share a WordNet synset match, which needs NLTK's data",
            "tokens": TOKENS_MEANING,
        },
        traps="A text equal to its reference scores 1 − gamma / words^beta, not 1. With and without"
        " synonyms are two metrics; most published figures have them.",
        libraries=("nltk",),
    )
)
def meteor(
    texts: Texts, *, alpha: float, beta: float, gamma: float, stemmer: str, synonyms: str, tokens: str
) -> UnitScores:
    """METEOR of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["a cat sits here"], references=[("a cat sat here",)])
    >>> metric("meteor")(texts).values.round(4).tolist()
    [0.6389]
    """
    from nltk.translate.meteor_score import single_meteor_score

    wordnet = _wordnet() if synonyms == "wordnet" else _AsIs
    stems = _Stems if stemmer == "porter" else _AsIs
    cut = TOKENIZERS[tokens]
    units, why = comparable(texts, cut)
    values = np.zeros(len(texts))
    for row, text, references in units:
        words = cut(text)
        values[row] = max(
            single_meteor_score(
                cut(one), words, stemmer=stems, wordnet=wordnet, alpha=alpha, beta=beta, gamma=gamma
            )
            for one in references
        )
    return UnitScores(values=values, reasons=why)
