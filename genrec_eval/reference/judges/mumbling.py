"""A judge that does not always come to a verdict."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown

_PROSE = (
    "Both sides have a point, and much could be said for either, so that I would not like to commit myself.",
    "This is hard to say. The text has strengths, and then again it has weaknesses, as most texts do.",
    "I see merit here. Whether it is enough is another question, and others may be better placed for it.",
)


class MumblingOptions(StrictModel):
    """Options of ``mumbling-judge``."""

    share: float = Field(0.3, ge=0, le=1, description="Share of judgements that are prose without a verdict.")


class MumblingJudge(ReferenceJudge):
    """Answers a share of the tasks in prose without a verdict, otherwise judges as ``rubric-judge`` does."""

    name = "mumbling-judge"
    planted: ClassVar[str | None] = "parse_failures"
    seeded: ClassVar[bool] = True
    Options = MumblingOptions

    def say(self, shown: Shown, prompt: str, repeat: int) -> str:
        """Prose, or a verdict."""
        random = self.lot(prompt, repeat)
        if random.random() < self.options.share:
            return _PROSE[int(random.integers(len(_PROSE)))]
        return super().say(shown, prompt, repeat)
