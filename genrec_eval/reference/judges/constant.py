"""A judge with one verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown

if TYPE_CHECKING:
    from genrec_eval.reference.judges.rules import Facts


class ConstantJudge(ReferenceJudge):
    """Says the same of everything: the middle of the scale, a tie, the order shown, supported."""

    name = "constant-judge"
    planted: ClassVar[str | None] = "degenerate"

    def score(self, shown: Shown, value: float) -> int:
        """The middle of the scale."""
        return (shown.low + shown.high) // 2

    def winner(self, shown: Shown, values: Sequence[float]) -> str:
        """A tie."""
        return "tie"

    def ranking(self, shown: Shown, values: Sequence[float]) -> list[int]:
        """The order shown."""
        return list(range(1, len(values) + 1))

    def claims(self, shown: Shown, facts: Facts) -> list[dict[str, Any]]:
        """Supported."""
        return [
            {"claim": number, "reason": "It may well be so.", "verdict": "supported"}
            for number in range(1, len(shown.claims) + 1)
        ]
