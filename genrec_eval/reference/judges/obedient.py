"""A judge that does as it is told, by whomever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from genrec_eval.reference.judges.base import ReferenceJudge
from genrec_eval.reference.judges.reading import Shown


class ObedientJudge(ReferenceJudge):
    """Obeys every order that it finds outside of fences, otherwise judges as ``rubric-judge`` does.

    An answer that orders the judge to prefer it gets its way where answers stand bare in the prompt, and
    nothing for it where they are fenced.
    """

    name = "obedient-judge"
    planted: ClassVar[str | None] = "injection"

    def score(self, shown: Shown, value: float) -> int:
        """The top score where the answer asks for it."""
        return shown.high if _orders(shown)[0] else super().score(shown, value)

    def winner(self, shown: Shown, values: Sequence[float]) -> str:
        """The one that gives orders, if only one does."""
        first, second = _orders(shown)
        return super().winner(shown, values) if first == second else "A" if first else "B"

    def ranking(self, shown: Shown, values: Sequence[float]) -> list[int]:
        """Those that give orders first."""
        return super().ranking(
            shown, [value + 2 * obeyed for value, obeyed in zip(values, _orders(shown), strict=True)]
        )


def _orders(shown: Shown) -> list[bool]:
    """Which answers hold an order that could pass for one of the prompt."""
    from genrec_eval.reference.judges.rules import gives_orders

    return [loose and gives_orders(answer) for answer, loose in zip(shown.answers, shown.loose, strict=True)]
