"""ROUGE-N, ROUGE-L and ROUGE-Lsum as rouge-score defines them, with every choice a parameter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import DEGENERATE, comparable, library, reasons
from genrec_eval.metrics.text.lcs import lcs_length, lcs_places
from genrec_eval.metrics.text.texts import TOO_LONG, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, sentences, stem
from genrec_eval.protocol.arrays import Float64

Score = tuple[float, float, float]
MEASURES = ("f", "p", "r")
LONGEST_UNSTEMMED = 3
MOST_CELLS, MOST_PAIRS = 4 * 10**9, 10**6


def measures(matched: float, in_text: float, in_reference: float) -> Score:
    """F, precision and recall."""
    precision = matched / in_text if in_text else 0.0
    recall = matched / in_reference if in_reference else 0.0
    both = precision + recall
    return (2 * precision * recall / both if both else 0.0), precision, recall


def ngrams(tokens: list[str], n: int) -> Iterator[tuple[str, ...]]:
    """Runs of n tokens."""
    return zip(*(tokens[start:] for start in range(n)), strict=False)


def _n(n: int, text: list[str], reference: list[str]) -> Score:
    ours, theirs = Counter(ngrams(text, n)), Counter(ngrams(reference, n))
    few, many = sorted((ours, theirs), key=len)
    matched = sum(min(count, many[gram]) for gram, count in few.items() if gram in many)
    return measures(matched, ours.total(), theirs.total())


def _subsequence(text: list[list[str]], reference: list[list[str]]) -> Score:
    """From the sentences of both, for ROUGE-L one each."""
    in_text, in_reference = sum(map(len, text)), sum(map(len, reference))
    if len(text) == len(reference) == 1:
        return measures(lcs_length(reference[0], text[0]), in_text, in_reference)
    left = Counter(token for part in text for token in part)
    wanted = Counter(token for part in reference for token in part)
    matched = 0
    for part in reference:
        shared = {place for other in text for place in lcs_places(part, other)}
        for token in (part[place] for place in sorted(shared)):
            if left[token] > 0 and wanted[token] > 0:
                matched += 1
                left[token] -= 1
                wanted[token] -= 1
    return measures(matched, in_text, in_reference)


def _tokenizer(tokens: str, stemmer: bool) -> Callable[[str], list[str]]:
    plain = TOKENIZERS[tokens]
    if not stemmer:
        return plain
    return lambda text: [stem(word) if len(word) > LONGEST_UNSTEMMED else word for word in plain(text)]


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _endless(text: list[list[str]], reference: list[list[str]]) -> bool:
    """Whether the table of subsequences is too large, or there are too many pairs of sentences."""
    cells = sum(map(len, text)) * sum(map(len, reference))
    return cells > MOST_CELLS or len(text) * len(reference) > MOST_PAIRS


def _scores(
    texts: Texts, kind: str, stemmer: bool, split: str, tokens: str
) -> tuple[Float64, dict[str, Bool]]:
    """float64[n, 3] of F, precision and recall, and why units have none."""
    plain, words = (
        _tokenizer(tokens, stemmer),
        texts.kept(("rouge-tokens", stemmer, tokens), dict[str, list[str]]),
    )
    cut = {"L": lambda text: [text], "Lsum": sentences if split == "split" else _lines}.get(kind)

    def tokenize(text: str) -> list[str]:
        if (found := words.get(text)) is None:
            found = words[text] = plain(text)
        return found

    units, why = comparable(texts, tokenize)
    scores, long = np.zeros((len(texts), 3)), np.zeros(len(texts), bool)
    for row, text, references in units:
        if cut is None:
            scores[row] = max(_n(int(kind), tokenize(text), tokenize(one)) for one in references)
            continue
        ours = [tokenize(part) for part in cut(text)]
        theirs = [[tokenize(part) for part in cut(one)] for one in references]
        if any(_endless(ours, one) for one in theirs):
            long[row] = True
        else:
            # of several references the one of highest F counts, for all three measures
            scores[row] = max((_subsequence(ours, one) for one in theirs), key=lambda score: score[0])
    return scores, {**why, **reasons({TOO_LONG: long})}


@define(
    Definition(
        name="rouge",
        title="ROUGE",
        summary="Overlap of words with a reference: n-grams (1, 2) or the longest common subsequence (L,"
        " Lsum).",
        formula=(
            "matched / n-grams of the reference (recall r), matched / n-grams of the text (precision p), or"
            " their harmonic mean (f), with counts clipped; L: tokens of the longest common subsequence;"
            " Lsum: union over the text's sentences of their subsequences with each sentence of the"
            " reference, each token once; mean over texts"
        ),
        degenerate=f"{DEGENERATE} A text shorter than n tokens scores 0. L and Lsum leave a unit out"
        f" (too-long) when the product of the two lengths in tokens is above {MOST_CELLS:,} or that of the"
        f" numbers of sentences above {MOST_PAIRS:,}; a text of 100,000 characters is far below.",
        source=f"Lin 2004; the definitions and the tokenizer of {library('rouge-score')}; stems by"
        f" {library('nltk')}.",
        direction="higher",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "type": ("1", ("1", "2", "L", "Lsum")),
            "measure": (MEASURES[0], MEASURES),
            "stemmer": (False, None),
            "sentences": ("newline", ("newline", "split")),
            "tokens": ("default", ("default", *TOKENIZERS)),
        },
        meanings={
            "type": "1, 2: n-grams; L: longest common subsequence of the whole text; Lsum: of sentences",
            "measure": "f: harmonic mean; p: precision; r: recall",
            "stemmer": "Porter stems of words of more than 3 letters; worth a point of ROUGE-1",
            "sentences": "for Lsum: newline takes lines for sentences, as rouge-score does; split also cuts"
            " after . ! ? … before white space and after 。！？؟۔।",
            "tokens": f"default: ascii, as rouge-score has it; {TOKENS_MEANING}",
        },
        traps="Without line breaks Lsum with sentences=newline is L. Of several references the one of"
        " highest F counts. The mean is a mean: other packages print the median of a bootstrap, which"
        " wobbles.",
        libraries=("rouge-score", "nltk"),
    )
)
def rouge(texts: Texts, *, type: str, measure: str, stemmer: bool, sentences: str, tokens: str) -> UnitScores:
    """ROUGE of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["the cat sat"], references=[("the cat sat on the mat",)])
    >>> [metric(f"rouge(type={kind},measure=r)")(texts).values.tolist() for kind in ("1", "2", "L")]
    [[0.5], [0.4], [0.5]]
    """
    tokens = "ascii" if tokens == "default" else tokens
    split = sentences if type == "Lsum" else ""
    scores, why = texts.kept(
        ("rouge", type, stemmer, split, tokens), lambda: _scores(texts, type, stemmer, split, tokens)
    )
    return UnitScores(values=scores[:, MEASURES.index(measure)], reasons=why)
