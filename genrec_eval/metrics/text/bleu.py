"""BLEU by sacrebleu: additive statistics per text, the corpus score a function of their sum."""

from __future__ import annotations

from collections.abc import Mapping
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
from genrec_eval.protocol.arrays import Float64

ORDERS = 4
FLOOR, ADDED = 0.1, 1.0


def bleu_of(sums: Float64, *, smooth: str, order: int, effective: bool) -> Float64:
    """BLEU of additive statistics, as sacrebleu computes it.

    Parameters
    ----------
    sums
        float64[..., 10]: length of the text and of its closest reference, matched n-grams of orders 1 to 4,
        n-grams of orders 1 to 4.
    smooth
        ``exp``, ``none``, ``floor`` (0.1) or ``add-k`` (1).
    order
        Highest order used.
    effective
        Whether orders of which the text has no n-gram are left out; sacrebleu's ``effective_order``.

    Returns
    -------
    float64[...], 0 to 100; NaN where both lengths are 0.

    >>> one = np.array([3.0, 3, 3, 2, 1, 0, 3, 2, 1, 0])  # an exact match of three tokens
    >>> [float(bleu_of(one, smooth="exp", order=4, effective=e).round(6)) for e in (True, False)]
    [100.0, 0.0]
    """
    hypothesis, reference = sums[..., 0], sums[..., 1]
    matched = sums[..., 2 : 2 + order].copy()
    total = sums[..., 2 + ORDERS : 2 + ORDERS + order].copy()
    any_match = (matched > 0).any(-1)
    if smooth == "add-k":
        matched[..., 1:] += ADDED
        total[..., 1:] += ADDED
    held = total > 0
    none = held & (matched <= 0)
    if smooth == "floor":
        matched = np.where(none, FLOOR, matched)
    elif smooth == "exp":
        matched = np.where(none, 0.5 ** np.cumsum(none, axis=-1), matched)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(matched / total)
        brevity = np.where(hypothesis < reference, np.exp(1 - reference / hypothesis), 1.0)
        if effective:
            mean = np.where(held, logs, 0.0).sum(-1) / np.maximum(held.sum(-1), 1)
        else:
            mean = np.where(held, logs, -np.inf).mean(-1)
        score = np.where(any_match, 100 * brevity * np.exp(mean), 0.0)
    found: Float64 = np.where((hypothesis > 0) | (reference > 0), score, np.nan)
    return found


def _corpus(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    return bleu_of(sums, smooth=parameters["smooth"], order=parameters["order"], effective=False)


def _statistics(texts: Texts, tok: str, lowercase: bool) -> tuple[Float64, dict[str, Bool]]:
    """float64[n, 10], and why units have none."""
    from sacrebleu.metrics.bleu import BLEU

    # no smoothing, so that what sacrebleu hands out are counts
    scorer = BLEU(tokenize=tok, lowercase=lowercase, smooth_method="none", effective_order=True)
    units, why = comparable(texts, lambda text: bool(scorer.tokenizer(text.rstrip()).split()))
    sums = np.zeros((len(texts), 2 + 2 * ORDERS))
    for row, text, references in units:
        score = scorer.sentence_score(text, references)
        sums[row] = (score.sys_len, score.ref_len, *score.counts, *score.totals)
    return sums, why


@define(
    Definition(
        name="bleu",
        title="BLEU",
        summary="N-gram precision against the references with a brevity penalty, from 0 to 100.",
        formula=(
            "100 · min(1, exp(1 − r / c)) · geometric mean over n = 1 … order of the clipped n-gram"
            " precisions, c the length of the texts, r that of their closest references; level=corpus: from"
            " counts added over all texts; level=sentence: mean over texts of the score of each"
        ),
        degenerate=f"{DEGENERATE} A text by itself (level=sentence) is scored with effective_order: orders of"
        " which it has no n-gram are left out. A corpus without any n-gram of an order scores 0.",
        source=f"Papineni et al. 2002; Post 2018; {library('sacrebleu')}.",
        direction="higher",
        bounds=(0.0, 100.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "level": LEVELS,
            "tok": ("13a", ("13a", "none", "zh", "char", "intl")),
            "smooth": ("exp", ("exp", "none", "floor", "add-k")),
            "order": (ORDERS, (1, 2, 3, 4)),
            "lowercase": (False, None),
        },
        meanings={
            "level": LEVELS_MEANING,
            "tok": "sacrebleu's tokenizer: 13a (mteval, Western scripts), intl (Unicode), zh (Chinese), char"
            " (characters), none (white space)",
            "smooth": "for an order without a match: exp halves its precision each time, floor takes 0.1"
            " matches, add-k adds 1 to matches and n-grams of orders above 1, none leaves 0",
            "order": "longest n-grams counted: 1 is BLEU-1, 4 is BLEU-4",
            "lowercase": "whether case is ignored",
        },
        traps="Corpus BLEU is not the mean of sentence BLEU, and every parameter moves it: compare equal"
        " definition ids and versions only. bleu(smooth=none,tok=none) is the form of TensorFlow NMT that"
        " PETER and its successors print; their tokens are a model's vocabulary, rare words replaced by one"
        " unknown.",
        combine=by_level(_corpus),
        libraries=("sacrebleu",),
    )
)
def bleu(texts: Texts, *, level: str, tok: str, smooth: str, order: int, lowercase: bool) -> UnitScores:
    """Counts per text for the corpus score, and the score of each text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["the cat sat on the mat"], references=[("the cat sat on the mat",)])
    >>> metric("bleu")(texts).values.round(6).tolist()
    [100.0]
    """
    sums, why = texts.kept(("bleu", tok, lowercase), lambda: _statistics(texts, tok, lowercase))
    alone = np.nan_to_num(bleu_of(sums, smooth=smooth, order=order, effective=True))
    return UnitScores(values=alone, reasons=why, sums=sums if level == "corpus" else mean_sums(alone))
