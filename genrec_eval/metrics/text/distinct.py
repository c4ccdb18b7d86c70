"""Distinct-n: how many different n-grams a model uses, with its dependence on the amount of text mended."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from genrec_eval.metrics.base import Accumulator, Bool, Definition, UnitScores, define
from genrec_eval.metrics.spelling import at_least
from genrec_eval.metrics.text.comparing import reasons
from genrec_eval.metrics.text.grams import Collected, Grams
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN, Texts
from genrec_eval.metrics.text.tokens import TOKENIZERS, TOKENS_MEANING
from genrec_eval.protocol.arrays import Float64

TOO_FEW = "too-few-n-grams"


def _ratio(distinct: Float64, total: Float64) -> Float64:
    return np.divide(distinct, total, out=np.zeros(np.shape(total)), where=total > 0)


def _adjusted(distinct: Float64, total: Float64, vocabulary: int) -> Float64:
    return _ratio(distinct, -vocabulary * np.expm1(total * np.log1p(-1 / vocabulary)))


def _met(count: Float64, total: Float64 | float, sample: Float64 | float) -> Float64:
    """Chance that a sample holds an n-gram: 1 − C(total − count, sample) / C(total, sample)."""
    rest = total - count
    possible = rest >= sample
    left = np.where(possible, rest, sample)
    missed = gammaln(left + 1) - gammaln(left - sample + 1) - gammaln(total + 1) + gammaln(total - sample + 1)
    found: Float64 = np.where(possible, -np.expm1(missed), 1.0)
    return found


def _rarefied(grams: Grams, sample: int) -> tuple[float, Float64]:
    """Expected share of distinct n-grams in a sample, of all texts and without each."""
    counts = grams.counts.astype(float)
    often, many = np.unique(counts, return_counts=True)
    rest, inverse = np.unique(np.append(len(grams.ids) - grams.totals, len(grams.ids)), return_inverse=True)
    left = rest.astype(float)
    drawn = np.minimum(sample, left)
    # as if the text were still in it; its own n-grams are then taken out
    expected = np.array([many @ _met(often, *of) for of in zip(left, drawn, strict=True)], np.float64)[
        inverse
    ]
    units, ids, times = grams.pairs
    of = left[inverse[units]], drawn[inverse[units]]
    change = _met(counts[ids] - times, *of) - _met(counts[ids], *of)
    expected[:-1] += np.bincount(units, change, minlength=grams.n_units)
    values = _ratio(expected, drawn[inverse])
    return float(values[-1]), values[:-1]


@define(
    Definition(
        name="distinct",
        title="Distinct-n",
        summary="Share of different n-grams among all n-grams of the run.",
        formula=(
            "ratio: distinct / all; expectation_adjusted: distinct / (V (1 − ((V − 1) / V)^all)), what as"
            " many draws from V equally likely ones would give; fixed_sample: the expected number of"
            " distinct ones among `sample` drawn without replacement, divided by `sample`; all over the"
            " n-grams of all texts together"
        ),
        degenerate="No text: left out (no-text). A run without any n-gram has no value (no-token), and one"
        " of fewer than `sample` none under fixed_sample (too-few-n-grams). A text shorter than n adds"
        " nothing.",
        source="Li et al. 2016 (ratio); Liu et al. 2022 (expectation-adjusted); Hurlbert 1971 (rarefaction).",
        direction="higher",
        unit="share",
        bounds=(0.0, None),
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        parameters={
            "n": (1, (1, 2, 3, 4)),
            "form": ("ratio", ("ratio", "expectation_adjusted", "fixed_sample")),
            "sample": (1000, None),
            "vocabulary": (30522, None),
            "tokens": ("unicode", tuple(TOKENIZERS)),
        },
        check=at_least(sample=2, vocabulary=2),
        meanings={
            "n": "tokens in an n-gram",
            "form": "ratio: as published; expectation_adjusted, fixed_sample: comparable between amounts of"
            " text",
            "sample": "n-grams in the sample of fixed_sample",
            "vocabulary": "V of expectation_adjusted: how many there could be (30,522: BERT's vocabulary);"
            " for n above 1 there can be more, so that values above 1 occur",
            "tokens": TOKENS_MEANING,
        },
        traps="The ratio falls as texts get more or longer: compare it between runs over the same units and"
        " of like length only, or use another form.",
    )
)
class Distinct(Accumulator):
    """Distinct-n of the run; a text's score is what the run would lose without it."""

    def __init__(self, *, n: int, form: str, sample: int, vocabulary: int, tokens: str) -> None:
        self.n, self.form, self.sample, self.vocabulary = n, form, sample, vocabulary
        self.collected = Collected(tokens)

    def update(self, texts: Texts) -> None:
        """Take in the next texts."""
        self.collected.update(texts)

    def finish(self) -> UnitScores:
        """Value of the run, and what it would lose without each text."""
        grams, absent = self.collected.grams(self.n), self.collected.absent()
        few = len(grams.ids) < (self.sample if self.form == "fixed_sample" else 1)
        if few:
            return _none(absent, TOO_FEW if len(grams.ids) else NO_TOKEN)
        value, without = self._values(grams)
        return UnitScores(values=value - without, total=value, reasons=reasons({NO_TEXT: absent}))

    def _values(self, grams: Grams) -> tuple[float, Float64]:
        if self.form == "fixed_sample":
            return _rarefied(grams, self.sample)
        distinct, total = len(grams.counts), len(grams.ids)
        all_of = np.append(distinct - grams.sole, distinct).astype(float)
        both = np.append(total - grams.totals, total).astype(float)
        values = _ratio(all_of, both) if self.form == "ratio" else _adjusted(all_of, both, self.vocabulary)
        return float(values[-1]), values[:-1]


def _none(absent: Bool, reason: str) -> UnitScores:
    return UnitScores(
        values=np.zeros(len(absent)),
        total=0.0,
        reach=0.0,
        reasons=reasons({NO_TEXT: absent, reason: ~absent}),
    )
