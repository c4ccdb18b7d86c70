"""Classic measures of explanations: feature matching ratio, feature coverage ratio, feature diversity."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Accumulator, Bool, Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import indicated, readings_of, unsaid
from genrec_eval.metrics.explanations.tokens import Phrases, words
from genrec_eval.metrics.text.self_bleu import ALONE
from genrec_eval.metrics.text.texts import NO_TEXT
from genrec_eval.protocol.arrays import Float64, Ragged

NO_FEATURE = "no-target-feature"
"""Reason: it is not known what the explanation should have been about."""

_MATCHING = "Features are matched as whole phrases, in any case, with accents folded; none overlaps another."
_SHARED: dict[str, Any] = {
    "needs_cutoff": False,
    "on": "explanations",
    "source": "Li, Zhang and Chen 2020 (NETE); 2021 (PETER).",
}


def features_of(explanations: Explanations) -> Ragged:
    """Distinct features in each text, as places in the vocabulary; none where there is no text."""

    def make() -> Ragged:
        phrases = Phrases((words(feature), code) for code, feature in enumerate(explanations.vocabulary))
        found = []
        for reading in readings_of(explanations):
            norms = [] if reading is None else reading.tokens.norms
            found.append(sorted({code for _, _, codes in phrases.scan(norms) for code in codes}))
        return Ragged.from_lists(found)

    return explanations.kept("features", make)


class _Run(Accumulator):
    """A measure of all texts together.

    Attributes
    ----------
    least
        Texts that it takes for a value.
    """

    least = 0

    def __init__(self) -> None:
        self.parts: list[Explanations] = []

    def update(self, explanations: Explanations) -> None:
        """Take in the next texts, which are searched for the same features."""
        self.parts.append(explanations)

    def value(self, features: Ragged, counts: Float64, n: int) -> tuple[float, Float64]:
        """What ``n`` texts come to, and what that loses without each.

        Parameters
        ----------
        features
            Of each text; none of one that is missing.
        counts
            float64[vocabulary], texts that name each feature.
        """
        raise NotImplementedError

    def left_out(self, part: Explanations) -> dict[str, Bool]:
        """Reason → bool[n], texts that the value is not about."""
        return {NO_TEXT: part.missing}

    def finish(self) -> UnitScores:
        """The value of the run."""
        found = [features_of(part) for part in self.parts]
        each = [self.left_out(part) for part in self.parts]
        none = [np.zeros(len(part), bool) for part in self.parts]
        reasons = {
            name: np.concatenate([one.get(name, no) for one, no in zip(each, none, strict=True)])
            for name in dict.fromkeys(name for one in each for name in one)
        }
        missing = np.any([np.concatenate([np.empty(0, bool), *none]), *reasons.values()], axis=0)
        lengths = np.concatenate([np.empty(0, np.int64), *(features.lengths for features in found)])
        features = Ragged(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            np.concatenate([np.empty(0, np.int32), *(features.values for features in found)]),
        )
        size = max((len(part.vocabulary) for part in self.parts), default=0)
        counts = np.bincount(features.values, minlength=size).astype(np.float64)
        total, losses = self.value(features, counts, int(np.count_nonzero(~missing)))
        losses = np.where(missing, 0.0, losses)
        if self.least > len(missing) - np.count_nonzero(missing):
            reasons[ALONE] = ~missing
        return UnitScores(
            values=losses,
            total=float(total),
            reach=float(np.abs(losses).max(initial=0.0)),
            reasons={name: mask for name, mask in reasons.items() if mask.any()},
        )


@define(
    Definition(
        name="fmr",
        title="FMR",
        summary="Feature matching ratio: share of texts that name the feature they were to be about.",
        formula=f"mean over texts of 1[target feature in text]. {_MATCHING}",
        degenerate=(
            "Without a text excluded and counted (no-text); without a known target feature too"
            " (no-target-feature)."
        ),
        direction="higher",
        unit="share",
        values="indicator",
        traps=(
            "Published values match single words, so that a feature of several words never counted. Near 1"
            " for"
            " any model that is given the feature, or that lists all features: compare it with fcr and"
            " length."
        ),
        **_SHARED,
    )
)
def fmr(explanations: Explanations) -> UnitScores:
    """Whether each text names its target feature."""
    targets = list(explanations.features) or [None] * len(explanations)
    missing = explanations.missing
    hits = np.zeros(len(explanations), bool)
    for row, (reading, target) in enumerate(zip(readings_of(explanations), targets, strict=True)):
        if reading is not None and target:
            phrase = Phrases([(words(target), True)])
            hits[row] = next(phrase.scan(reading.tokens.norms), None) is not None
    unknown = ~missing & np.array([not target for target in targets], bool)
    scores = indicated(explanations, hits)
    reasons = {**scores.reasons, **({NO_FEATURE: unknown} if unknown.any() else {})}
    return UnitScores(values=scores.values, reasons=reasons)


@define(
    Definition(
        name="fcr",
        title="FCR",
        summary="Feature coverage ratio: share of all features that any text of the run names.",
        formula=f"distinct features in the texts / features of the vocabulary. {_MATCHING}",
        degenerate="Without a vocabulary the value is 0. Texts that are missing add nothing (no-text).",
        direction="higher",
        unit="share",
        traps="Grows with the number of texts: compare runs over the same cases only.",
        **_SHARED,
    )
)
class Fcr(_Run):
    """Coverage of the run; a text's score is what the run would lose without it."""

    def value(self, features: Ragged, counts: Float64, n: int) -> tuple[float, Float64]:
        """Share of features with a text, and the share that only one text names."""
        rows = np.repeat(np.arange(len(features)), features.lengths)
        sole = np.bincount(rows[counts[features.values] == 1], minlength=len(features))
        size = max(len(counts), 1)
        return np.count_nonzero(counts) / size, sole / size


@define(
    Definition(
        name="div",
        title="DIV",
        summary="Mean number of features that two texts of the run share; lower is more diverse.",
        formula=(
            "mean over pairs of texts of |features of one ∩ features of the other|, computed as the sum over"
            f" features of c(c − 1) / (N(N − 1)) with c texts that name it. {_MATCHING}"
        ),
        degenerate=(
            "Without a text left out (no-text), without a word in it too (no-token); a single text has no"
            " value (alone). 0 when no text names a feature: read no_feature beside it."
        ),
        direction="lower",
        bounds=(0.0, None),
        traps=(
            "Lower is better, and lowest for texts that name no feature. Published implementations compare"
            " all pairs, which takes quadratic time for the same number."
        ),
        **_SHARED,
    )
)
class Div(_Run):
    """Diversity of the run; a text's score is what the run's value would lose without it.

    >>> texts = Explanations(texts=["good acting", "acting, pacing", None], vocabulary=("acting", "pacing"))
    >>> from genrec_eval.metrics.registry import metric
    >>> metric("div")(texts).total
    1.0
    """

    least = 2

    def left_out(self, part: Explanations) -> dict[str, Bool]:
        """Who says nothing shares nothing, and is no more diverse for it."""
        return unsaid(part)

    def value(self, features: Ragged, counts: Float64, n: int) -> tuple[float, Float64]:
        """Mean of shared features over pairs, and what is lost without each text."""
        shared = float((counts * (counts - 1)).sum())
        total = shared / (n * (n - 1)) if n > 1 else 0.0
        rows = np.repeat(np.arange(len(features)), features.lengths)
        own = np.bincount(rows, weights=2 * (counts[features.values] - 1), minlength=len(features))
        without = (shared - own) / ((n - 1) * (n - 2)) if n > 2 else np.zeros(len(features))
        return total, total - without


@define(
    Definition(
        name="no_feature",
        title="No feature",
        summary="Share of texts that name none of the features.",
        formula=f"texts without a feature of the vocabulary / texts. {_MATCHING}",
        degenerate="Without a text excluded and counted (no-text).",
        direction="lower",
        unit="share",
        values="indicator",
        traps="A text that argues from a shared director names no feature and may be a good one.",
        **_SHARED,
    )
)
def no_feature(explanations: Explanations) -> UnitScores:
    """Whether each text names nothing that users judge by."""
    return indicated(explanations, features_of(explanations).lengths == 0)
