"""Recorded judges against themselves: the same pair in both orders, the same question again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.judged.against_people import CODING, coded, kappa_of, table_of
from genrec_eval.metrics.judged.recorded import FIRST, GIVEN, NO_VERDICT, SECOND, SHARED, Recorded
from genrec_eval.protocol.arrays import Float64

ONE_ORDER = "not-in-both-orders"
ASKED_ONCE = "asked-once"
_MOST_VALUES = 32
"""Different scores up to which alpha is computed: every pair of them is a column."""
_ONCE = "Questions that were put once, or have a single verdict, are left out (asked-once)."
_ORDERS = "Pairs that were not shown in both orders are left out (not-in-both-orders)."


@define(
    Definition(
        name="positional_agreement",
        title="Agreement across orders",
        summary="Share of pairs on which a judge says the same whichever answer is shown first.",
        formula="pairs with the same verdict in both orders / pairs shown in both orders",
        degenerate=_ORDERS,
        source="Zeng et al. 2024, arXiv 2310.07641 (LLMBar); Shi et al. 2024, arXiv 2406.07791.",
        direction="higher",
        unit="share",
        values="indicator",
        parameters={"unparsed": ("exclude", ("exclude", "equal"))},
        meanings={
            "unparsed": "pairs that lack a verdict: left out, or compared as they are, so that two without"
            " one are equal, as LLMBar counts"
        },
        traps="Low agreement is position bias only beyond the judge's own noise: read repeat_agreement.",
        **SHARED,
    )
)
def positional_agreement(recorded: Recorded, *, unparsed: str) -> UnitScores:
    """Verdicts that the order does not change."""
    given, swapped = recorded.both()
    if unparsed == "exclude":
        kept = (recorded.verdict[given] >= 0) & (recorded.verdict[swapped] >= 0)
        given, swapped = given[kept], swapped[kept]
    same = recorded.verdict[given] == recorded.verdict[swapped]
    return recorded.mean(same, recorded.unit[given], ONE_ORDER)


@define(
    Definition(
        name="order_kappa",
        title="Kappa of both orders",
        summary="Agreement of a judge's verdicts in both orders beyond what chance would give.",
        formula="(observed − chance) / (1 − chance)",
        degenerate=f"{_ORDERS} Undefined where the judge always says the same one thing.",
        source="Cohen 1960; Zeng et al. 2024, github.com/princeton-nlp/LLMBar (coding=llmbar).",
        direction="higher",
        bounds=(-1.0, 1.0),
        parameters={"coding": ("labels", ("labels", "llmbar"))},
        meanings=CODING,
        traps="Where verdicts have no tie and none is missing, both codings give the same.",
        combine=kappa_of,
        **SHARED,
    )
)
def order_kappa(recorded: Recorded, *, coding: str) -> UnitScores:
    """Tables of both orders' verdicts."""
    given, swapped = recorded.both()
    if coding == "labels":
        kept = (recorded.verdict[given] >= 0) & (recorded.verdict[swapped] >= 0)
        given, swapped = given[kept], swapped[kept]
    one, two = (coded(recorded.verdict[rows], coding) for rows in (given, swapped))
    return recorded.pooled(table_of(one, two), one == two, recorded.unit[given], ONE_ORDER)


@define(
    Definition(
        name="first_share",
        title="First slot",
        summary="Share of the answer shown first among a judge's decisive verdicts.",
        formula="verdicts for the answer shown first / verdicts other than a tie",
        degenerate="Verdicts whose order is not known are left out, and ties.",
        source="Zheng et al. 2023, arXiv 2306.05685, section 3.3.",
        direction="none",
        unit="share",
        values="indicator",
        traps="One half without bias only where each pair is shown in both orders; with one order it also"
        " depends on who is shown first.",
        **SHARED,
    )
)
def first_share(recorded: Recorded) -> UnitScores:
    """Decisive verdicts by slot."""
    kept = np.isin(recorded.verdict, (FIRST, SECOND)) & (recorded.order >= 0)
    first = (recorded.verdict[kept] == FIRST) == (recorded.order[kept] == GIVEN)
    return recorded.mean(first, recorded.unit[kept], NO_VERDICT)


@define(
    Definition(
        name="repeat_agreement",
        title="Agreement of repeats",
        summary="How often a judge says the same when asked the same again: the noise floor.",
        formula="mean over questions of equal pairs of repeats / pairs of repeats; of=all: share of questions"
        " on which all repeats are equal",
        degenerate=_ONCE,
        source="Shi et al. 2024, arXiv 2406.07791 (repetition stability).",
        direction="higher",
        unit="share",
        parameters={"of": ("pairs", ("pairs", "all"))},
        meanings={"of": "pairs of repeats, or all repeats of a question at once"},
        traps="of=all falls with every further repeat; of=pairs does not.",
        **SHARED,
    )
)
def repeat_agreement(recorded: Recorded, *, of: str) -> UnitScores:
    """Questions by how far their repeats agree."""
    groups, value = recorded.asked_again(), recorded.value
    if of == "all":
        found = [float(np.ptp(value[rows]) == 0) for rows in groups]
    else:
        found = [_equal_pairs(value[rows]) for rows in groups]
    unit = np.array([recorded.unit[rows[0]] for rows in groups], np.int64)
    return recorded.mean(found, unit, ASKED_ONCE)


def _equal_pairs(values: Float64) -> float:
    _, counts = np.unique(values, return_counts=True)
    n = len(values)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


@define(
    Definition(
        name="repeat_deviation",
        title="Deviation of repeats",
        summary="Standard deviation of a judge's score around the mean of its repeats.",
        formula="sqrt(sum of squared deviations from each question's mean / sum of (repeats − 1))",
        degenerate=f"{_ONCE} Undefined for pairs.",
        source="Pooled within-group standard deviation.",
        direction="lower",
        bounds=(0.0, None),
        link="sqrt",
        traps="In points of the scale: a deviation of 0.5 on a scale of 5 hides most differences of systems.",
        **SHARED,
    )
)
def repeat_deviation(recorded: Recorded) -> UnitScores:
    """Squared deviations by question."""
    groups = [] if recorded.pairwise else recorded.asked_again()
    free = np.array([len(rows) - 1 for rows in groups], np.float64)
    squares = np.array([float(np.var(recorded.score[rows]) * len(rows)) for rows in groups], np.float64)
    unit = np.array([recorded.unit[rows[0]] for rows in groups], np.int64)
    return recorded.mean(squares / free, unit, ASKED_ONCE, weights=free)


def _alpha(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """From counts of k values, disagreeing pairs of each two of them, and sums of the values."""
    sums = np.atleast_2d(sums)
    k = round((np.sqrt(9 + 8 * sums.shape[1]) - 3) / 2)
    one, two = np.triu_indices(k, 1)
    counts, pairs, totals = sums[:, :k], sums[:, k : k + len(one)], sums[:, k + len(one) :]
    n = counts.sum(axis=1)
    if parameters["scale"] == "nominal":
        place = np.zeros_like(counts)
    elif parameters["scale"] == "ordinal":
        place = np.cumsum(counts, axis=1) - counts / 2
    else:
        place = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
    apart = (place[:, one] - place[:, two]) ** 2 if parameters["scale"] != "nominal" else np.ones_like(pairs)
    seen = (pairs * apart).sum(axis=1)
    possible = (2 * counts[:, one] * counts[:, two] * apart).sum(axis=1)
    defined = possible > 1e-12 * n**2
    return np.where(defined, 1 - (n - 1) * seen / np.where(defined, possible, 1.0), np.nan)


@define(
    Definition(
        name="repeat_alpha",
        title="Alpha of repeats",
        summary="Krippendorff's alpha of a judge's repeats: how far they agree beyond chance.",
        formula="1 − observed / expected disagreement over questions with two verdicts or more",
        degenerate=f"{_ONCE} Undefined where all verdicts are the same.",
        source="Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.",
        direction="higher",
        bounds=(None, 1.0),
        parameters={"scale": ("interval", ("interval", "ordinal", "nominal"))},
        meanings={"scale": "whether verdicts are numbers, ranks or names; pairs have names alone"},
        traps="Krippendorff asks for 0.8, and for 0.667 at least where conclusions are tentative.",
        combine=_alpha,
        **SHARED,
    )
)
def repeat_alpha(recorded: Recorded, *, scale: str) -> UnitScores:
    """Counts of values and of disagreeing pairs, by question."""
    groups, value = recorded.asked_again(), recorded.value
    known = np.unique(value[np.concatenate(groups)]) if groups else np.empty(0)
    if len(known) > _MOST_VALUES or (recorded.pairwise and scale != "nominal"):
        groups = []
    unit = np.array([recorded.unit[rows[0]] for rows in groups], np.int64)
    codes = [np.searchsorted(known, value[rows]) for rows in groups]
    hot = np.array([np.bincount(one, minlength=len(known)) for one in codes], np.float64)
    hot = hot.reshape(len(groups), len(known))
    one, two = np.triu_indices(len(known), 1)
    size = hot.sum(axis=1, keepdims=True)
    columns = np.concatenate([hot, 2 * hot[:, one] * hot[:, two] / (size - 1), hot * known], axis=1)
    equal = np.array([_equal_pairs(value[rows]) for rows in groups], np.float64)
    return recorded.pooled(columns, equal, unit, ASKED_ONCE)
