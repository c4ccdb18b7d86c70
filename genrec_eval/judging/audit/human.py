"""Agreement with people: the judge against their majority and against each, beside what people reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from genrec_eval.judging.audit.labels import Joined, majority_of
from genrec_eval.judging.audit.verdicts import SILENT, WORDS, Float64, Int64, Verdicts
from genrec_eval.stats.agreement import (
    Classification,
    TieAgreement,
    agreement,
    classification,
    tie_agreement,
)
from genrec_eval.stats.kappa import cohen_kappa, fleiss_kappa
from genrec_eval.stats.krippendorff import krippendorff_alpha
from genrec_eval.stats.ranks import correlation, system_correlation
from genrec_eval.stats.sums import Measure

OnUnparsed = Literal["exclude", "tie", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHuman:
    """The judge against one person."""

    annotator: str
    agreement: Measure
    kappa: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What people reach among themselves, over the same items, each counted once.

    Attributes
    ----------
    leave_one_out
        A person against the majority of the others.
    votes
        One person's vote against another's, with ties and without.
    kappas
        Cohen's kappa of each two people: names, and the measure.
    fleiss, alpha
        Of all people; alpha is nominal for pairs, interval for scores.
    """

    leave_one_out: Measure
    votes: TieAgreement | None
    kappas: tuple[tuple[str, str, Measure], ...]
    fleiss: Measure
    alpha: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanAgreement:
    """The judge against people; every verdict counts, and those on one prompt are resampled together.

    Attributes
    ----------
    on_unparsed
        What became of verdicts that could not be read.
    majority
        Pairs: accuracy and macro F1 against the majority; items without a majority are left out.
    majority_kappa
        Pairs: Cohen's kappa with the majority. Scores: quadratic weighted, with the majority score.
    no_majority
        Verdicts on items that people have labelled without a majority.
    votes
        Pairs: the judge's vote against each person's, with ties and without.
    each
        The judge against each person.
    leave_one_out
        The judge against the majority of all people but one, on the very items and majorities that the
        ceiling's ``leave_one_out`` is about: the two are comparable, and ``majority`` and it are not.
    alpha
        Judge and majority as two raters.
    spearman, kendall, systems
        Scores: rank correlation with the people's mean, over items and over models.
    ceiling
        What people reach.
    remark
        On labels that belong to nothing judged.
    """

    on_unparsed: OnUnparsed
    majority: Classification | None
    majority_kappa: Measure
    no_majority: int
    votes: TieAgreement | None
    each: tuple[OneHuman, ...]
    leave_one_out: Measure
    alpha: Measure
    spearman: Measure | None = None
    kendall: Measure | None = None
    systems: Measure | None = None
    ceiling: Ceiling
    remark: str | None = None


def human_agreement(
    verdicts: Verdicts,
    joined: Joined,
    *,
    on_unparsed: OnUnparsed = "exclude",
    seed: int | None,
    level: float = 0.95,
) -> HumanAgreement:
    """Agreement of a judge with people; see :class:`HumanAgreement`."""
    how: dict = {"seed": seed, "level": level}
    said, unit = _said(verdicts, on_unparsed), verdicts.unit
    majority, pairwise = joined.majority, verdicts.pairwise
    labelled = np.isfinite(joined.votes).any(axis=1)
    asked = np.array([one is not None for one in said], bool)
    truth = _words(majority, pairwise)
    others = np.stack([majority_of(_without(joined.votes, a)) for a in range(joined.votes.shape[1])], axis=1)
    # a person takes part in the comparison only where that person has a label: as in the ceiling
    others = np.where(np.isfinite(joined.votes), others, np.nan)
    mean = _means(joined.votes)
    numbers = np.where(verdicts.judged, verdicts.value, np.nan)
    return HumanAgreement(
        on_unparsed=on_unparsed,
        majority=classification(truth, said, classes=_classes(truth, said), units=unit, **how)
        if pairwise
        else None,
        majority_kappa=cohen_kappa(said, truth, units=unit, **how)
        if pairwise
        else cohen_kappa(numbers, majority, weights="quadratic", units=unit, **how),
        no_majority=int((labelled & asked & ~np.isfinite(majority)).sum()),
        votes=_votes(said, joined.votes, unit, pairwise, how) if pairwise else None,
        each=tuple(
            OneHuman(
                annotator=name,
                agreement=agreement(said, _words(joined.votes[:, a], pairwise), units=unit, **how),
                kappa=cohen_kappa(said, _words(joined.votes[:, a], pairwise), units=unit, **how),
            )
            for a, name in enumerate(joined.annotators)
        ),
        leave_one_out=agreement(
            _repeated(said, others.shape[1]),
            _words(others.ravel(), pairwise),
            units=np.repeat(unit, others.shape[1]),
            **how,
        ),
        alpha=krippendorff_alpha(
            [[s, t] for s, t in zip(said if pairwise else numbers, truth if pairwise else mean, strict=True)],
            scale="nominal" if pairwise else "interval",
            units=unit,
            **how,
        ),
        spearman=None if pairwise else correlation(numbers, mean, units=unit, **how),
        kendall=None if pairwise else correlation(numbers, mean, kind="kendall", units=unit, **how),
        systems=None
        if pairwise
        else system_correlation(
            numbers, mean, np.array(verdicts.words("model"), object).astype(str), units=unit, **how
        ),
        ceiling=ceiling(verdicts, joined, **how),
        remark=joined.remark,
    )


def ceiling(verdicts: Verdicts, joined: Joined, *, seed: int | None, level: float = 0.95) -> Ceiling:
    """Agreement of people among themselves on what was judged."""
    how: dict = {"seed": seed, "level": level}
    _, rows = np.unique(verdicts.item, return_index=True)
    votes, unit, pairwise = joined.votes[rows], verdicts.unit[rows], verdicts.pairwise
    some = np.isfinite(votes).any(axis=1)
    votes, unit = votes[some], unit[some]
    people = votes.shape[1]
    own = [_words(votes[:, a], pairwise) for a in range(people)]
    rest = [_words(majority_of(_without(votes, a)), pairwise) for a in range(people)]
    two = [(a, b) for a in range(people) for b in range(a + 1, people)]
    left = [word for a, _ in two for word in own[a]]
    right = [word for _, b in two for word in own[b]]
    rows_of_words = [[word for word in row if word is not None] for row in zip(*own, strict=True)]
    return Ceiling(
        leave_one_out=agreement(
            [word for words in own for word in words],
            [word for words in rest for word in words],
            units=np.tile(unit, people),
            **how,
        ),
        votes=tie_agreement(left, right, units=np.tile(unit, len(two)), **how) if pairwise else None,
        kappas=tuple(
            (joined.annotators[a], joined.annotators[b], cohen_kappa(own[a], own[b], units=unit, **how))
            for a, b in two
        ),
        fleiss=fleiss_kappa(rows_of_words, units=unit, **how),
        alpha=krippendorff_alpha(
            rows_of_words if pairwise else votes,
            scale="nominal" if pairwise else "interval",
            units=unit,
            **how,
        ),
    )


def _said(verdicts: Verdicts, on_unparsed: OnUnparsed) -> list[str | None]:
    """The judge's labels; one that could not be read is nothing, a tie, or a label that nobody gives."""
    said = _words(verdicts.value, verdicts.pairwise)
    if on_unparsed != "exclude":
        word = "tie" if on_unparsed == "tie" and verdicts.pairwise else "unparsed"
        for row in np.flatnonzero(~verdicts.judged & np.isin(verdicts.status, SILENT)):
            said[row] = word
    return said


def _words(values: Float64, pairwise: bool) -> list[str | None]:
    names = WORDS if pairwise else None
    return [
        None if not np.isfinite(value) else names[float(value)] if names else f"{value:g}" for value in values
    ]


def _classes(truth: list[str | None], said: list[str | None]) -> list[str]:
    return [word for word in WORDS.values() if word in {*truth, *said}]


def _means(votes: Float64) -> Float64:
    counts = np.isfinite(votes).sum(axis=1)
    return np.where(counts > 0, np.nansum(votes, axis=1) / np.maximum(counts, 1), np.nan)


def _without(votes: Float64, annotator: int) -> Float64:
    return np.delete(votes, annotator, axis=1)


def _repeated(said: list[str | None], times: int) -> list[str | None]:
    return [word for word in said for _ in range(times)]


def _votes(said: list[str | None], votes: Float64, unit: Int64, pairwise: bool, how: dict) -> TieAgreement:
    people = votes.shape[1]
    return tie_agreement(
        _repeated(said, people), _words(votes.ravel(), pairwise), units=np.repeat(unit, people), **how
    )
