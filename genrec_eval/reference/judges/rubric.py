"""The judge that goes by rules."""

from __future__ import annotations

from genrec_eval.reference.judges.base import ReferenceJudge


class RubricJudge(ReferenceJudge):
    """Looks up the claims of a text in the facts of the case, and goes by length, repetition and specificity.

    No language model, and no understanding: it knows what can be looked up and counted. It reads the answers
    from the fences of the prompt, does nothing that an answer orders, and gives the same verdict whatever the
    order of a pair. It answers the dialect ``json``, for all four kinds of task.
    """

    name = "rubric-judge"
