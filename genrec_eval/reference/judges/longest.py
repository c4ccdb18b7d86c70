"""A judge that counts letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown

_FULL = 1000
"""Characters that are worth the top score."""


class LongestJudge(ReferenceJudge):
    """Prefers the longer answer; the score rises with length, up to 1,000 characters."""

    name = "longest-judge"
    planted: ClassVar[str | None] = "verbosity"

    def score(self, shown: Shown, value: float) -> int:
        """By length."""
        return super().score(shown, min(1.0, len(shown.answers[0]) / _FULL))

    def winner(self, shown: Shown, values: Sequence[float]) -> str:
        """The longer one."""
        return super().winner(shown, _lengths(shown))

    def ranking(self, shown: Shown, values: Sequence[float]) -> list[int]:
        """The longest first."""
        return super().ranking(shown, _lengths(shown))


def _lengths(shown: Shown) -> list[float]:
    return [float(len(answer)) for answer in shown.answers]
