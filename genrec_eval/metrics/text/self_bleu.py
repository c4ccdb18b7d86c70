"""Self-BLEU against a seeded sample of the other texts: work grows with their number, not its square."""

from __future__ import annotations

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.metrics.base import Accumulator, Bool, Definition, UnitScores, define
from genrec_eval.metrics.spelling import at_least
from genrec_eval.metrics.text.bleu import ORDERS, bleu_of
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.grams import Collected, Grams
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING, wordless
from genrec_eval.protocol.arrays import Float64, Int64

ALONE = "alone"


def sampled_others(n: int, others: int, seed: int) -> Int64:
    """int64[n, others] of different other texts, of which each serves equally often.

    All texts are put in a random circle, and each is compared with those at the same random distances.

    >>> sampled_others(4, 9, 0).shape
    (4, 3)
    """
    rng = generator(seed, "self-bleu", n)
    circle = rng.permutation(n)
    steps = 1 + rng.choice(n - 1, size=min(others, n - 1), replace=False)
    found = np.empty((n, len(steps)), np.int64)
    found[circle] = circle[(np.arange(n)[:, None] + steps) % n]
    return found


def _matched(grams: Grams, others: Int64) -> Float64:
    """float64[n], n-grams of each text that one of the others has, as often as one of them has it."""
    units, ids, times = grams.pairs
    width = max(len(grams.counts), 1)
    codes = units * width + ids
    most = np.zeros(len(codes), np.int64)
    for other in others.T:
        wanted = other[units] * width + ids
        place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        np.maximum(most, np.where(codes[place] == wanted, times[place], 0), out=most)
    matched = np.bincount(units, weights=np.minimum(times, most), minlength=grams.n_units)
    return matched.astype(np.float64)


@define(
    Definition(
        name="self_bleu",
        title="Self-BLEU",
        summary="BLEU of each text against other texts of the same model: how much they repeat each other.",
        formula="mean over texts of sentence BLEU (0 to 100) with `others` sampled other texts as"
        " references; sacrebleu's definition with exp smoothing and effective order",
        degenerate="No text: left out (no-text). No other text: left out (alone). With fewer than `others`"
        " other texts all are used. A text without a letter or digit, or without a token, is"
        " left out (no-token) and is no reference either.",
        source="Zhu et al. 2018 (Texygen), there against all others: quadratic, and growing with the number"
        " of texts.",
        direction="lower",
        bounds=(0.0, 100.0),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "order": (ORDERS, (1, 2, 3, 4)),
            "others": (10, None),
            "seed": (0, None),
            "tokens": ("unicode", tuple(TOKENIZERS)),
        },
        check=at_least(others=1, seed=0),
        meanings={
            "order": "longest n-grams counted",
            "others": "how many other texts each is compared with; more make it larger",
            "seed": "which ones: a random circle of the texts and random distances in it",
            "tokens": TOKENS_MEANING,
        },
        traps="Grows with `others`. Texts are references of each other, so that their scores hang together"
        " and the interval is a little too narrow.",
    )
)
class SelfBleu(Accumulator):
    """Self-BLEU of each text."""

    def __init__(self, *, order: int, others: int, seed: int, tokens: str) -> None:
        self.order, self.others, self.seed, self.tokens = order, others, seed, tokens
        self.collected = Collected(tokens)
        self.wordless: list[Bool] = []

    def update(self, texts: Texts) -> None:
        """Take in the next texts."""
        self.collected.update(texts)
        self.wordless.append(wordless(texts, self.tokens))

    def finish(self) -> UnitScores:
        """Sentence BLEU of each text against its sample of others."""
        absent = self.collected.absent()
        silent = np.concatenate([np.empty(0, bool), *self.wordless])
        present = np.flatnonzero(~absent & ~silent)
        if len(present) < 2:
            return UnitScores(
                values=np.zeros(len(absent)),
                reasons=reasons({NO_TEXT: absent, NO_TOKEN: silent, ALONE: ~absent & ~silent}),
            )
        others = np.zeros((len(absent), min(self.others, len(present) - 1)), np.int64)
        others[present] = present[sampled_others(len(present), self.others, self.seed)]
        lengths = np.array(self.collected.lengths)
        gaps = np.abs(lengths[others] - lengths[:, None])
        # the closest length, of two equally close the shorter
        closest = np.take_along_axis(lengths[others], np.lexsort((lengths[others], gaps))[:, :1], 1)[:, 0]
        sums = np.zeros((len(absent), 2 + 2 * ORDERS))
        sums[:, 0], sums[:, 1] = lengths, closest
        for n in range(1, self.order + 1):
            grams = self.collected.grams(n)
            if len(grams.ids):
                sums[:, 1 + n], sums[:, 1 + ORDERS + n] = _matched(grams, others), grams.totals
        values = np.nan_to_num(bleu_of(sums, smooth="exp", order=self.order, effective=True))
        return UnitScores(values=values, reasons=reasons({NO_TEXT: absent, NO_TOKEN: silent}))
