"""Whether recorded judgements have a verdict, whether we read it as it was recorded, and what they score."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.judged.recorded import NO_VERDICT, SHARED, Recorded

NO_TEXT = "no-text"


@define(
    Definition(
        name="no_verdict",
        title="Without a verdict",
        summary="Share of judgements without a verdict: not to be parsed, refused, cut off, or never come.",
        formula="judgements whose status is not ok / judgements",
        degenerate="Judgements that nobody was asked for are left out.",
        source="The log's statuses.",
        direction="lower",
        unit="share",
        values="indicator",
        traps="What is made of these judgements decides comparisons between judges: no policy is neutral.",
        **SHARED,
    )
)
def no_verdict(recorded: Recorded) -> UnitScores:
    """Judgements by whether there is a verdict."""
    return recorded.mean(~recorded.judged, recorded.unit, NO_VERDICT)


@define(
    Definition(
        name="read_as_recorded",
        title="Read as recorded",
        summary="Share of recorded texts that our dialect reads as whoever recorded them did.",
        formula="texts with the same verdict or score, or with none on both sides / texts",
        degenerate="Judgements without a text are left out (no-text), all of them where the scenario names no"
        " dialect.",
        source="The dialect that the scenario names.",
        direction="higher",
        unit="share",
        values="indicator",
        traps="A difference may be the recorder's fault: LLMBar's took the first pattern that matched,"
        " against the conclusion of 148 texts.",
        **SHARED,
    )
)
def read_as_recorded(recorded: Recorded) -> UnitScores:
    """Texts by whether both readings agree."""
    kept = recorded.as_recorded >= 0
    return recorded.mean(recorded.as_recorded[kept], recorded.unit[kept], NO_TEXT)


@define(
    Definition(
        name="recorded_score",
        title="Score",
        summary="Mean of the scores that single answers were given.",
        formula="sum of scores / judgements with a score",
        degenerate="Judgements without a score are left out; pairs have none.",
        source="Zheng et al. 2023, arXiv 2306.05685 (MT-bench's single-answer grading).",
        direction="higher",
        bounds=(None, None),
        traps="Scores of different judges, or versions of one, are not comparable.",
        **SHARED,
    )
)
def recorded_score(recorded: Recorded) -> UnitScores:
    """Scores of single answers."""
    kept = np.zeros(len(recorded.score), bool) if recorded.pairwise else np.isfinite(recorded.score)
    return recorded.mean(recorded.score[kept], recorded.unit[kept], NO_VERDICT)
