"""A judge that likes what it reads first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown


class FirstSlotJudge(ReferenceJudge):
    """Prefers the answer shown first, always; scores and claims are those of ``rubric-judge``."""

    name = "first-slot-judge"
    planted: ClassVar[str | None] = "position"

    def winner(self, shown: Shown, values: Sequence[float]) -> str:
        """The first."""
        return "A"

    def ranking(self, shown: Shown, values: Sequence[float]) -> list[int]:
        """The order shown."""
        return list(range(1, len(values) + 1))
