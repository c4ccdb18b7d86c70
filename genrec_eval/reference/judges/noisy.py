"""A judge that is of another mind the next time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown

if TYPE_CHECKING:
    import numpy as np

_LABELS = ("supported", "contradicted", "not in source")


class NoisyOptions(StrictModel):
    """Options of ``noisy-judge``."""

    share: float = Field(0.3, ge=0, le=1, description="Share of judgements that are drawn by lot.")


class NoisyJudge(ReferenceJudge):
    """Draws a share of its verdicts by lot, anew at each repeat; the others are those of ``rubric-judge``."""

    name = "noisy-judge"
    planted: ClassVar[str | None] = "stability"
    seeded: ClassVar[bool] = True
    Options = NoisyOptions

    def say(self, shown: Shown, prompt: str, repeat: int) -> str:
        """The verdict of the rules, or one by lot."""
        random = self.lot(prompt, repeat)
        verdict = self.verdict(shown)
        if random.random() < self.options.share:
            _redraw(verdict, shown, random)
        return json.dumps(verdict, ensure_ascii=False)


def _redraw(verdict: dict[str, Any], shown: Shown, random: np.random.Generator) -> None:
    if shown.kind == "claims":
        for claim in verdict["claims"]:
            claim["verdict"] = _LABELS[int(random.integers(3))]
    elif shown.kind == "pointwise":
        verdict["score"] = int(random.integers(shown.low, shown.high + 1))
    elif shown.kind == "pairwise":
        verdict["verdict"] = ("A", "B", "tie")[int(random.integers(3))]
    else:
        verdict["ranking"] = [int(place) + 1 for place in random.permutation(len(shown.answers))]
