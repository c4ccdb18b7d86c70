"""ROUGE as the PETER family of explainable recommenders prints it; for replication only."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import DEGENERATE, comparable, reasons
from genrec_eval.metrics.text.lcs import lcs_length
from genrec_eval.metrics.text.rouge import MEASURES, MOST_CELLS, Score, measures, ngrams
from genrec_eval.metrics.text.texts import TOO_LONG, Texts
from genrec_eval.protocol.arrays import Float64


def _subsequence(text: list[str], reference: list[str]) -> Score:
    """F weighs recall by beta = precision / recall of the text itself."""
    _, precision, recall = measures(lcs_length(reference, text), len(text), len(reference))
    if not recall:
        return 0.0, precision, recall
    squared = (precision / recall) ** 2
    return (1 + squared) * precision * recall / (recall + squared * precision), precision, recall


def _scores(texts: Texts, kind: str) -> tuple[Float64, dict[str, Bool]]:
    units, why = comparable(texts, str.split)
    scores, long = np.zeros((len(texts), 3)), np.zeros(len(texts), bool)
    for row, text, references in units:
        ours, theirs = text.split(), references[0].split()
        if kind != "L":
            one, other = set(ngrams(ours, int(kind))), set(ngrams(theirs, int(kind)))
            scores[row] = measures(len(one & other), len(one), len(other))
        elif len(ours) * len(theirs) > MOST_CELLS:
            long[row] = True
        else:
            scores[row] = _subsequence(ours, theirs)
    return scores, {**why, **reasons({TOO_LONG: long})}


@define(
    Definition(
        name="peter_rouge",
        title="ROUGE (PETER)",
        summary="ROUGE in the variant that PETER and its successors print; for replication only.",
        formula=(
            "shared / distinct n-grams of the text (p) or of the reference (r), or their harmonic mean (f),"
            " over sets of n-grams of white-space tokens; L: p and r of the longest common subsequence, f ="
            " (1 + β²) p r / (r + β² p) with β = p / r of each text; mean over texts"
        ),
        degenerate=f"{DEGENERATE} The first reference counts. Products of lengths above {MOST_CELLS:,}:"
        " too-long (L).",
        source="Li, Zhang & Chen 2021 (PETER), whose script is that of Google's seq2seq; the 1e-8 that it"
        " adds to denominators is left out.",
        direction="higher",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={"type": ("1", ("1", "2", "L")), "measure": (MEASURES[0], MEASURES)},
        meanings={
            "type": "1, 2: n-grams; L: longest common subsequence",
            "measure": "f: see the formula; p: precision; r: recall",
        },
        traps="Not ROUGE: repeated n-grams count once, case and punctuation stay, and the F of L can lie"
        " below both precision and recall on average. Never compare it with rouge.",
    )
)
def peter_rouge(texts: Texts, *, type: str, measure: str) -> UnitScores:
    """ROUGE of each text, by sets.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["the the the cat"], references=[("the cat sat",)])
    >>> [metric(f"{name}(measure=p)")(texts).values.tolist() for name in ("peter_rouge", "rouge")]
    [[1.0], [0.5]]
    """
    scores, why = texts.kept(("peter_rouge", type), lambda: _scores(texts, type))
    return UnitScores(values=scores[:, MEASURES.index(measure)], reasons=why)
