"""How alike texts are with and without a disclosed value, beside how alike neutral ones are to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.disclosed_values import apart
from genrec_eval.metrics.explanations.disclosed import difference, range_of_means, resolves, shuffled
from genrec_eval.metrics.explanations.disclosures import Disclosures, Told
from genrec_eval.metrics.explanations.tokens import has_word, wordless
from genrec_eval.metrics.sensitivity.compared import exclusive, over_pairs
from genrec_eval.metrics.sensitivity.to_neutral import SAME_RATIO, ratio, ratio_alone
from genrec_eval.metrics.text.embedded import Embedded
from genrec_eval.metrics.text.texts import NO_TOKEN, TOO_LONG, Texts
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.pairs import paired_fit
from genrec_eval.stats.within_units import range_fit

ALIKE: Mapping[str, tuple[str, float]] = {
    "rouge_l": ("rouge(type=L,tokens=unicode)", 1.0),
    "rouge_1": ("rouge(type=1,tokens=unicode)", 1.0),
    "chrf": ("chrf(level=sentence)", 100.0),
    "embedding": ("embedding_similarity", 1.0),
}
"""Similarity → the metric of texts beside references that measures it, and its greatest value."""

ONE_REPEAT = "one-repeat"
NEUTRAL_FAILED = "neutral-failed"
EMPTY_NEUTRAL = "empty-neutral"

_OF: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {"of": ("rouge_l", tuple(ALIKE))}
_ATTRIBUTE: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {"attribute": ("", None), **_OF}
_VALUE: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {**_ATTRIBUTE, "value": ("", None)}
_MEANINGS = {
    "attribute": "the attribute that is disclosed",
    "value": "the disclosed value, value=* for each of them; all values together when it is left out",
    "of": (
        "the similarity, the neutral text being the reference: rouge_l: F of the longest common subsequence"
        " of words; rouge_1: F of common words; chrf: character n-grams, from 0 to 1; embedding: cosine of"
        " sentence embeddings, below 0 counted as 0 (extra 'sentences')"
    ),
}
_PAIRS = (
    " The text of repeat i is held against the neutral texts of the repeats j other than i (against that of"
    " the same repeat where each is asked once), as neutral texts are against each other."
)
_EDGE = (
    "A text without a word against a neutral one that has some counts 0. Excluded and counted are cases"
    " without a neutral text to be held against (neutral-failed) or with none but empty ones (empty-neutral),"
    " and those whose text under one of the values was refused, failed or was not asked (refused, failed,"
    " not-asked), or that are too long to compare (too-long) or hold no token of the metric (no-token). Of"
    " a user's cases and repeats the mean is taken."
)
_TWICE = " So are, and without repeats all are, cases with one neutral text only (one-repeat)."
_FEW = (
    " Where users are so few that no arrangement of the values could ever have p <= 0.05 there is a value and"
    " no interval, so that nothing is decided."
)
_CHANCE = "Chance alone changes texts: read it beside text_noise, which needs repeats, or take"
_SHARED: dict[str, Any] = {
    "source": "This project; the design of Zhang et al. 2023 (FaiRLLM), over texts in place of lists.",
    "needs_cutoff": False,
    "on": "disclosures",
}


def _unfit(parameters: Mapping[str, Any]) -> str | None:
    if not parameters["attribute"]:
        return "name the attribute, as in attribute=gender"
    return None


def _unfit_value(parameters: Mapping[str, Any]) -> str | None:
    if said := _unfit(parameters):
        return said
    return None if parameters["value"] else "name the disclosed value, as in value=female; value=* is each"


def _alike(
    disclosures: Disclosures, texts: Sequence[str | None], neutral: Sequence[str | None], of: str
) -> UnitScores:
    """Similarity of each text to the neutral one of its case; no-reference where there is none."""
    from genrec_eval.metrics.registry import metric

    spelled, most = ALIKE[of]
    # signs alone are like other signs to some: a text without a word is like none
    references = [() if text is None or not has_word(text) else (text,) for text in neutral]
    both = Texts(texts=texts, references=references)
    known = disclosures.embedded
    both.cache.update(known)  # a text is embedded once, however many it is held against
    found = metric(spelled)(both)
    known.update((key, kept) for key, kept in both.cache.items() if isinstance(kept, Embedded))
    for about, said in both.remarks.items():
        disclosures.neutral.texts.remarks.setdefault(about, said)
    values = np.where(found.scored, np.where(wordless(texts), 0.0, found.values / most), np.nan)
    return UnitScores(values=np.clip(values, 0.0, 1.0), reasons=found.reasons)


def _to_neutral(told: Told, disclosures: Disclosures, of: str) -> tuple[Float64, Bool]:
    """float64[n], mean similarity to the neutral texts, NaN where there is none; bool[n], too long for it."""

    def make() -> tuple[Float64, Bool]:
        found = [_alike(disclosures, told.texts.texts, texts, of) for texts in _held(disclosures)]
        long = [one.reasons.get(TOO_LONG, np.zeros(len(disclosures), bool)) for one in found]
        return over_pairs(np.stack([one.values for one in found])), np.asarray(np.any(long, axis=0), bool)

    return told.texts.kept(("alike", of), make)


def _held(disclosures: Disclosures) -> Sequence[Sequence[str | None]]:
    """The neutral texts that texts are held against."""
    return disclosures.peers or [disclosures.neutral.texts.texts]


def _cells(
    disclosures: Disclosures, told: Sequence[Told], of: str, twice: bool = False
) -> tuple[Float64, dict[str, Bool]]:
    """float64[n, g], similarities to neutral, and why cases are left out.

    Parameters
    ----------
    twice
        Whether neutral to neutral is wanted too: the last column then.
    """
    held, n = _held(disclosures), len(disclosures)
    own = disclosures.neutral.texts.missing
    absent = np.array([all(texts[row] is None for texts in held) for row in range(n)], bool)
    ordered: dict[str, Bool] = {NEUTRAL_FAILED: absent}
    if twice:
        written = (~own).astype(np.int64)
        for texts in disclosures.peers:
            written += np.array([text is not None for text in texts], bool)
        ordered = {ONE_REPEAT: written == 1, NEUTRAL_FAILED: own | absent}
    ordered[EMPTY_NEUTRAL] = np.array(
        [not any(has_word(texts[row] or "") for texts in held) for row in range(n)], bool
    )
    for one in told:
        for name, mask in one.failures.items():
            ordered[name] = ordered.get(name, np.zeros(n, bool)) | mask
    found = [_to_neutral(one, disclosures, of) for one in ([*told, disclosures.neutral] if twice else told)]
    cells = np.stack([values for values, _ in found], axis=1)
    unknown = np.asarray(np.isnan(cells).any(axis=1), bool)
    long = np.asarray(np.stack([long for _, long in found]).any(axis=0), bool)
    # the last: neither a word nor a token of the metric's own kind
    return np.nan_to_num(cells), exclusive({**ordered, TOO_LONG: unknown & long, NO_TOKEN: unknown})


def _scored(values: Float64, reasons: Mapping[str, Bool], sums: Float64 | None = None) -> UnitScores:
    left = np.any([np.zeros(len(values), bool), *reasons.values()], axis=0)
    if sums is not None:
        sums = np.where(left[:, None], 0.0, sums)
    return UnitScores(values=np.where(left, 0.0, values), reasons=dict(reasons), sums=sums)


def _of(disclosures: Disclosures, attribute: str, value: str) -> list[Told]:
    if value:
        return [disclosures.value(attribute, value)]
    return list(disclosures.values(attribute).values())


@define(
    Definition(
        name="text_similarity",
        title="Text similarity to neutral",
        summary="How alike the texts are that a model writes with and without a disclosed value.",
        formula="mean over users (and the attribute's values) of the similarity to the neutral text."
        + _PAIRS,
        degenerate=_EDGE,
        direction="none",
        parameters=_VALUE,
        meanings=_MEANINGS,
        check=_unfit,
        traps=f"{_CHANCE} relative_text_similarity. It is silent about which text is better: see value_gap.",
        **_SHARED,
    )
)
def text_similarity(disclosures: Disclosures, *, attribute: str, value: str, of: str) -> UnitScores:
    """Mean similarity of the texts under a value to the neutral ones."""
    cells, reasons = _cells(disclosures, _of(disclosures, attribute, value), of)
    return _scored(cells.mean(axis=1), reasons)


@define(
    Definition(
        name="text_noise",
        title="Neutral text to neutral",
        summary="How alike texts are when nothing was disclosed: the floor that chance sets.",
        formula="mean over users of the similarity of neutral texts to each other, over ordered pairs of"
        " repeats",
        degenerate=_EDGE + _TWICE,
        direction="none",
        parameters=_OF,
        meanings={"of": _MEANINGS["of"]},
        traps="A model that writes alike each time has no noise, and then every change counts. It needs"
        " repeats: 2 or more.",
        **_SHARED,
    )
)
def text_noise(disclosures: Disclosures, *, of: str) -> UnitScores:
    """Similarity of neutral texts to each other."""
    cells, reasons = _cells(disclosures, [], of, twice=True)
    return _scored(cells[:, -1], reasons)


@define(
    Definition(
        name="relative_text_similarity",
        title="Text similarity over noise",
        summary="Similarity to the neutral text, over that of neutral texts to each other: 1 where a value"
        " changes no more than chance does.",
        formula="sum over users of similarity to neutral / sum over the same users of neutral to neutral."
        + _PAIRS,
        degenerate=_EDGE + _TWICE + SAME_RATIO,
        direction="none",
        bounds=(0.0, None),
        parameters=_VALUE,
        meanings=_MEANINGS,
        check=_unfit,
        combine=ratio,
        alone=ratio_alone,
        traps="A model that writes otherwise for every value alike falls here, and not in"
        " text_similarity_gap. It needs repeats: 2 or more.",
        **_SHARED,
    )
)
def relative_text_similarity(disclosures: Disclosures, *, attribute: str, value: str, of: str) -> UnitScores:
    """Similarity to neutral as a share of what repeats leave."""
    cells, reasons = _cells(disclosures, _of(disclosures, attribute, value), of, twice=True)
    sums = np.stack([cells[:, :-1].mean(axis=1), cells[:, -1], np.ones(len(cells))], axis=1)
    values = np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(cells)), where=sums[:, 1] > 0)
    return _scored(values, reasons, sums)


def _range_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return range_fit(rows)


def _told(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    return apart(rows, names, str(parameters["attribute"]), "similarity to the neutral text")


@define(
    Definition(
        name="text_similarity_gap",
        title="Text similarity gap",
        summary="How far the values of an attribute lie apart in the similarity of their texts to neutral.",
        formula=(
            "Sim(a) = mean over users of the similarity of the text under value a to the neutral one."
            " text_similarity_gap = max over values a of Sim(a) − min over a of Sim(a); snsr over texts."
            + _PAIRS
        ),
        degenerate=_EDGE + _FEW,
        direction="lower",
        parameters=_ATTRIBUTE,
        meanings={name: said for name, said in _MEANINGS.items() if name != "value"},
        check=_unfit,
        combine=range_of_means,
        alone=_range_alone,
        test=shuffled,
        resolution=resolves,
        tells=_told,
        traps="A range has a floor: values that mean nothing do not come out equal. Read the interval and p,"
        " which is that of a test that shuffles the values inside each user. A model that changes everything"
        " for every value has no gap: see relative_text_similarity.",
        **_SHARED,
    )
)
def text_similarity_gap(disclosures: Disclosures, *, attribute: str, of: str) -> UnitScores:
    """Range over values of the mean similarity to neutral."""
    cells, reasons = _cells(disclosures, _of(disclosures, attribute, ""), of)
    return _scored(np.ptp(cells, axis=1), reasons, np.concatenate([cells, np.ones(cells.shape)], axis=1))


def _difference_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return paired_fit(rows, 1.0)


@define(
    Definition(
        name="text_similarity_difference",
        title="Text similarity less noise",
        summary="Similarity to the neutral text under one value, less that of neutral texts to each other: 0"
        " where the value changes no more than chance does.",
        formula="mean over users of (similarity to neutral under the value − neutral to neutral)." + _PAIRS,
        degenerate=_EDGE + _TWICE + _FEW,
        direction="none",
        bounds=(-1.0, 1.0),
        parameters=_VALUE,
        meanings={**_MEANINGS, "value": "the disclosed value, value=* for each of them"},
        check=_unfit_value,
        combine=difference,
        alone=_difference_alone,
        test=shuffled,
        resolution=resolves,
        traps="A difference that all values share is an effect of disclosure, not of a value: see"
        " text_similarity_gap. It needs repeats: 2 or more.",
        **_SHARED,
    )
)
def text_similarity_difference(
    disclosures: Disclosures, *, attribute: str, value: str, of: str
) -> UnitScores:
    """Similarity under a value less that of neutral texts to each other."""
    cells, reasons = _cells(disclosures, _of(disclosures, attribute, value), of, twice=True)
    return _scored(cells[:, 0] - cells[:, 1], reasons, np.concatenate([cells, np.ones(cells.shape)], axis=1))
