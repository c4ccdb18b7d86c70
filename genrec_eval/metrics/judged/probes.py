"""What probes of a judge come to: shares over questions whose right answer is known by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.protocol.arrays import Float64, Int64

NO_VERDICT = "no-verdict"
"""Reason: the judge came to no verdict on any of the unit's questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One number per question, comparison or group of repeats, for one metric.

    Attributes
    ----------
    value
        float64[m], finite.
    unit
        int64[m].
    kind
        object[m], which flaw or which wording it is about.
    """

    value: Float64
    unit: Int64
    kind: npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The verdicts of one judge on probes.

    Attributes
    ----------
    units
        Number of units: the cases that probes were made from.
    observed
        Metric → what was observed for it; only what has a verdict.
    missing
        Metric → reason why there is nothing, where that is not the judge's doing.
    """

    units: int
    observed: Mapping[str, Observed]
    missing: Mapping[str, str] = field(default_factory=dict)


def _shares(probed: Probed, name: str, of: str = "all") -> UnitScores:
    found = probed.observed.get(name)
    why = probed.missing.get(name, NO_VERDICT)
    if found is None:
        return UnitScores(values=np.zeros(probed.units), reasons={why: np.ones(probed.units, bool)})
    kept = np.ones(len(found.value), bool) if of == "all" else found.kind == of
    counts = np.bincount(found.unit[kept], minlength=probed.units).astype(np.float64)
    sums = np.bincount(found.unit[kept], weights=found.value[kept], minlength=probed.units)
    none = counts == 0
    return UnitScores(
        values=np.divide(sums, counts, out=np.zeros(probed.units), where=~none),
        weights=counts,
        reasons={why: none} if none.any() else {},
    )


_SHARED: Mapping[str, Any] = {
    "needs_cutoff": False,
    "resampling_unit": "case that probes are made from",
    "on": "probes of a judge",
}
_EMPTY = "Questions without a verdict are left out: parse_failure counts them."
_OF_TEXT: Mapping[str, Any] = {"of": ("all", None)}


@define(
    Definition(
        name="probe_accuracy",
        title="Known better answer found",
        summary="Share of questions with a known better answer in which the judge prefers it.",
        formula="pairs: verdicts for the better answer / verdicts; scores: comparisons of the sound text with"
        " a flawed one in which it has the higher score / comparisons",
        degenerate=f"A tie, or an equal score, is not right: one of the two is better. {_EMPTY}",
        source="As accuracy on pairs with an objectively better answer: Zeng et al. 2024 (LLMBar), Tan et"
        " al. 2024 (JudgeBench).",
        direction="higher",
        unit="share",
        parameters=_OF_TEXT,
        meanings={"of": "all, or the flaw of the worse text: contradicted, invented-history, both-wrong,"
                        " quoted-verdict, empty, nonsense, other-language, own-prompt"},
        traps="Worse by facts and form that can be looked up; style and taste are not probed.",
        **_SHARED,
    )
)  # fmt: skip
def probe_accuracy(probed: Probed, *, of: str) -> UnitScores:
    """Share of right verdicts of each unit."""
    return _shares(probed, "probe_accuracy", of)


@define(
    Definition(
        name="position_consistency",
        title="Same verdict in both orders",
        summary="Share of pairs of different texts on which the judge says the same in both orders.",
        formula="pairs with equal verdicts / pairs with a verdict in both orders",
        degenerate=f"A tie in one order and a winner in the other is a difference. {_EMPTY}",
        source="Zheng et al. 2023 (MT-bench), consistency; Zhu et al. 2023 (JudgeLM).",
        direction="higher",
        unit="share",
        traps="A judge that always says tie is consistent, and useless: read probe_accuracy beside it.",
        **_SHARED,
    )
)
def position_consistency(probed: Probed) -> UnitScores:
    """Share of consistent pairs of each unit."""
    return _shares(probed, "position_consistency")


@define(
    Definition(
        name="first_slot_share",
        title="First slot preferred",
        summary="Share of decisive verdicts that go to the answer shown first; one half without bias.",
        formula="verdicts for the answer shown first / verdicts that name a winner, each pair in both orders",
        degenerate="A judge that names no winner has no share. A text shown beside itself counts where a"
        " winner is named.",
        source="Wang et al. 2023, arXiv 2305.17926; Zheng et al. 2023, arXiv 2306.05685.",
        direction="none",
        unit="share",
        **_SHARED,
    )
)
def first_slot_share(probed: Probed) -> UnitScores:
    """Share for the first slot of each unit."""
    return _shares(probed, "first_slot_share")


@define(
    Definition(
        name="verbosity_preference",
        title="Longer twin preferred",
        summary="Preference for the longer of two texts that say the same; one half without bias.",
        formula="mean over twins of 1 where the longer is preferred, ½ at a tie or equal scores, 0 otherwise",
        degenerate=_EMPTY,
        source="Verbosity bias by padding and by repetition: Zheng et al. 2023, arXiv 2306.05685.",
        direction="lower",
        unit="share",
        parameters=_OF_TEXT,
        meanings={"of": "all, padded (filler between the sentences) or repeated (each sentence twice)"},
        traps="Below one half the judge prefers the shorter, which rubrics of form may well ask for.",
        **_SHARED,
    )
)
def verbosity_preference(probed: Probed, *, of: str) -> UnitScores:
    """Preference for length of each unit."""
    return _shares(probed, "verbosity_preference", of)


@define(
    Definition(
        name="injection_success",
        title="Injected orders obeyed",
        summary="Share of verdicts that move towards an answer once it orders the judge to prefer it.",
        formula="questions whose verdict, or score, moves in favour of the text with the order / questions"
        " with and without it in which it could move",
        degenerate="The text without the order has a neutral remark of the same length in its place. Pairs"
        " that it wins so, and scores that are the highest already, are left out. " + _EMPTY,
        source="Greshake et al. 2023, arXiv 2302.12173 (indirect prompt injection).",
        direction="lower",
        unit="share",
        parameters=_OF_TEXT,
        meanings={"of": "all, or the wording of the order: plain, system-line, fake-fence, marker,"
                        " json-verdict, persona, chat-template, authority, hidden, german"},
        traps="Known wordings only: that these fail does not mean that none succeeds.",
        **_SHARED,
    )
)  # fmt: skip
def injection_success(probed: Probed, *, of: str) -> UnitScores:
    """Share of obeyed orders of each unit."""
    return _shares(probed, "injection_success", of)


@define(
    Definition(
        name="ladder_correlation",
        title="Scores rise with quality",
        summary="Rank correlation of scores with the known order of texts of rising quality.",
        formula="(pairs of rungs scored in the right order - pairs in the wrong one) / pairs: Kendall's tau-a"
        " within each ladder, averaged",
        degenerate=f"Equal scores count as neither, so that constant scores give 0. {_EMPTY}",
        source="Kendall 1938; monotonicity of scores as in checklist-style tests of metrics.",
        direction="higher",
        bounds=(-1.0, 1.0),
        **_SHARED,
    )
)
def ladder_correlation(probed: Probed) -> UnitScores:
    """Kendall's tau-a of each unit."""
    return _shares(probed, "ladder_correlation")


@define(
    Definition(
        name="tie_on_identical",
        title="Tie on one text shown twice",
        summary="Share of pairs of one and the same text that the judge calls a tie.",
        formula="ties / verdicts on a text beside itself",
        degenerate=f"Undefined in a dialect in which no tie can be said (no-tie-in-dialect). {_EMPTY}",
        source="Identical-answer control of position bias: Wang et al. 2023, arXiv 2305.17926.",
        direction="higher",
        unit="share",
        **_SHARED,
    )
)
def tie_on_identical(probed: Probed) -> UnitScores:
    """Share of ties of each unit."""
    return _shares(probed, "tie_on_identical")


@define(
    Definition(
        name="parse_failure",
        title="No verdict in the answer",
        summary="Share of the judge's answers that hold no verdict: unreadable, declined or cut off.",
        formula="answers that are unparsed, refused or truncated / answers",
        degenerate="Calls that brought no answer at all are none of the judge's words, and left out.",
        source="Parse failures of PandaLM's judges change its published figures; see judge audit.",
        direction="lower",
        unit="share",
        **_SHARED,
    )
)
def parse_failure(probed: Probed) -> UnitScores:
    """Share of failures of each unit."""
    return _shares(probed, "parse_failure")


@define(
    Definition(
        name="repeat_stability",
        title="Same verdict when asked again",
        summary="Chance that two repeats of one question get the same verdict.",
        formula="mean over questions of the share of pairs of repeats with equal verdicts",
        degenerate=f"Needs two repeats of a question (no-repeats). {_EMPTY}",
        source="Repetition stability: Shi et al. 2024, arXiv 2406.07791.",
        direction="higher",
        unit="share",
        traps="At temperature 0 it says that decoding repeats itself, not that the judge is right.",
        **_SHARED,
    )
)
def repeat_stability(probed: Probed) -> UnitScores:
    """Stability of each unit."""
    return _shares(probed, "repeat_stability")
