"""chrF and chrF++ as sacrebleu defines them: additive counts, the corpus score a function of their sum."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import (
    DEGENERATE,
    LEVELS,
    LEVELS_MEANING,
    by_level,
    comparable,
    library,
    mean_sums,
)
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.protocol.arrays import Float64, Int64

CHARACTERS, WORDS = 6, 2
BETA = 2
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def chrf_of(sums: Float64, *, word_order: int) -> Float64:
    """The F-score of additive counts.

    Parameters
    ----------
    sums
        float64[..., 24]: for n-grams of 1 to 6 characters and of 1 and 2 words, those of the text, of the
        reference, and matched.
    word_order
        How many orders of words count: 0 is chrF, 2 is chrF++.

    Returns
    -------
    float64[...], 0 to 100; NaN where there is no reference.
    """
    counts = sums.reshape(*sums.shape[:-1], CHARACTERS + WORDS, 3)[..., : CHARACTERS + word_order, :]
    ours, theirs, matched = counts[..., 0], counts[..., 1], counts[..., 2]
    held = (ours > 0) & (theirs > 0)
    orders = np.maximum(held.sum(-1), 1)
    precision = np.divide(matched, ours, out=np.zeros(ours.shape), where=held).sum(-1) / orders
    recall = np.divide(matched, theirs, out=np.zeros(ours.shape), where=held).sum(-1) / orders
    below = BETA**2 * precision + recall
    score = np.divide((1 + BETA**2) * precision * recall, below, out=np.zeros(below.shape), where=below > 0)
    found: Float64 = np.where(theirs[..., 0] > 0, 100 * score, np.nan)
    return found


def _corpus(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    return chrf_of(sums, word_order=parameters["word_order"])


def _words(text: str) -> list[str]:
    """Words, one punctuation mark cut off: the last if there is one, else the first."""
    words: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in _PUNCTUATION:
            words += (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in _PUNCTUATION:
            words += (word[0], word[1:])
        else:
            words.append(word)
    return words


def _grams(text: str) -> Iterator[Counter[Hashable]]:
    bare = "".join(text.split())
    for n in range(1, CHARACTERS + 1):
        yield Counter([bare[start : start + n] for start in range(len(bare) - n + 1)])
    words = _words(text)
    yield Counter(words)
    yield Counter(itertools.pairwise(words))


def _counts(text: list[Counter[Hashable]], reference: list[Counter[Hashable]]) -> list[int]:
    flat = []
    for ours, theirs in zip(text, reference, strict=True):
        matched = sum(min(count, theirs[gram]) for gram, count in ours.items() if gram in theirs)
        flat += [ours.total() if theirs else 0, theirs.total(), matched]
    return flat


def _statistics(texts: Texts, lowercase: bool) -> tuple[Float64, Int64, dict[str, Bool]]:
    """float64[r, 24] of all references, int64[r] their units, and why other units have none."""
    units, why = comparable(texts, str.strip)
    counts, rows = [], []
    for row, text, references in units:
        ours = list(_grams(text.lower() if lowercase else text))
        for reference in references:
            counts.append(_counts(ours, list(_grams(reference.lower() if lowercase else reference))))
            rows.append(row)
    width = 3 * (CHARACTERS + WORDS)
    return np.array(counts, float).reshape(-1, width), np.array(rows, np.int64), why


@define(
    Definition(
        name="chrf",
        title="chrF",
        summary="F-score of character n-grams (and of words: chrF++) against the references, from 0 to 100.",
        formula=(
            "100 · (1 + 2²) p r / (2² p + r), p and r the means over orders of n-gram precision and recall:"
            " characters 1 to 6 without white space, words 1 to word_order; level=corpus: from counts added"
            " over all texts; level=sentence: mean over texts of the score of each"
        ),
        degenerate=f"{DEGENERATE} A token is any character but white space. Orders that are missing on one"
        " side are left out of both means.",
        source=f"Popović 2015, 2017; as in {library('sacrebleu')} (nc:6, space:no, eps smoothing:no).",
        direction="higher",
        bounds=(0.0, 100.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "level": LEVELS,
            "word_order": (0, (0, 2)),
            "lowercase": (False, None),
        },
        meanings={
            "level": LEVELS_MEANING,
            "word_order": "0: chrF; 2: chrF++, with words and pairs of words",
            "lowercase": "whether case is ignored",
        },
        traps="Knows no words, so that any script does; of several references the one that fits best counts.",
        combine=by_level(_corpus),
        libraries=("sacrebleu",),
    )
)
def chrf(texts: Texts, *, level: str, word_order: int, lowercase: bool) -> UnitScores:
    """Counts per text for the corpus score, and the score of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["東京は首都です", "abc"], references=[("東京は首都です",), ("abd",)])
    >>> metric("chrf(level=sentence)")(texts).values.round(2).tolist()
    [100.0, 38.89]
    """
    counts, rows, why = texts.kept(("chrf", lowercase), lambda: _statistics(texts, lowercase))
    sums, alone = np.zeros((len(texts), counts.shape[1])), np.zeros(len(texts))
    scores = np.nan_to_num(chrf_of(counts, word_order=word_order))
    order = np.lexsort((-scores, rows))  # stable: the first of the best references
    best = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
    sums[rows[best]], alone[rows[best]] = counts[best], scores[best]
    return UnitScores(values=alone, reasons=why, sums=sums if level == "corpus" else mean_sums(alone))
