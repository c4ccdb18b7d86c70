"""What bundled judges share: a prompt of the dialect ``json`` goes in, its JSON comes out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.responses import ChatResponse
from genrec_eval.reference.chat import ReferenceChat
from genrec_eval.reference.judges.reading import Shown, read_prompt

if TYPE_CHECKING:
    import numpy as np

    from genrec_eval.reference.judges.rules import Facts, Marks

_SAME = 0.02
"""Difference of quality below which neither of two answers is better."""


@lru_cache(maxsize=64)  # a judge is asked many things about one case, one after the other
def _facts(context: str) -> Facts:
    from genrec_eval.reference.judges.rules import Facts

    return Facts(context)


@lru_cache(maxsize=1024)  # of pairs in both orders, and of several judges, each text is weighed once
def _marks(context: str, answer: str) -> Marks:
    return _facts(context).marks(answer)


class ReferenceJudge(ReferenceChat):
    """Judges by rules; flawed judges override what they get wrong.

    Four verdicts, one for each kind of task: :meth:`score`, :meth:`winner`, :meth:`ranking`, :meth:`claims`.
    """

    version: ClassVar[int] = 1

    def reply(self, text: str, repeat: int = 0) -> ChatResponse:
        """Read the task, judge, and say so in JSON."""
        shown = read_prompt(text)
        return ChatResponse(text=self.say(shown, text, repeat), finish_reason="stop")

    def say(self, shown: Shown, prompt: str, repeat: int) -> str:
        """The completion."""
        return json.dumps(self.verdict(shown), ensure_ascii=False)

    def lot(self, prompt: str, repeat: int) -> np.random.Generator:
        """What is left to chance: the same for the same prompt and repeat."""
        digest = hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest()
        return generator(self.seed, self.name.replace("-", " "), digest, repeat)

    def verdict(self, shown: Shown) -> dict[str, Any]:
        """The JSON object."""
        from genrec_eval.reference.judges.rules import quality

        if shown.kind == "claims":
            return {"claims": self.claims(shown, _facts(shown.context))}
        marks = [_marks(shown.context, answer) for answer in shown.answers]
        values = [quality(shown.rubric, one) for one in marks]
        reason = self.reason(marks, values)
        if shown.kind == "pointwise":
            return {"reason": reason, "score": self.score(shown, values[0])}
        if shown.kind == "pairwise":
            return {"reason": reason, "verdict": self.winner(shown, values)}
        return {"reason": reason, "ranking": self.ranking(shown, values)}

    def score(self, shown: Shown, value: float) -> int:
        """A score on the scale, for a quality between 0 and 1."""
        return shown.low + round(value * (shown.high - shown.low))

    def winner(self, shown: Shown, values: Sequence[float]) -> str:
        """``A``, ``B`` or ``tie``."""
        first, second = values
        return "tie" if abs(first - second) < _SAME else "A" if first > second else "B"

    def ranking(self, shown: Shown, values: Sequence[float]) -> list[int]:
        """Numbers of the answers, best first; equals in the order shown."""
        return [place + 1 for place in sorted(range(len(values)), key=lambda place: -values[place])]

    def claims(self, shown: Shown, facts: Facts) -> list[dict[str, Any]]:
        """A verdict on each claim."""
        found = []
        for number, claim in enumerate(shown.claims, 1):
            label, reason = facts.claim(claim)
            found.append({"claim": number, "reason": reason, "verdict": label})
        return found

    def reason(self, marks: Sequence[Marks], values: Sequence[float]) -> str:
        """What the rules found, in a sentence an answer."""
        names = [""] if len(marks) == 1 else [f"Answer {place}: " for place in range(1, len(marks) + 1)]
        return " ".join(
            f"{name}{one.supported} claims hold, {one.wrong} do not, {one.unknown} cannot be found;"
            f" {one.words} words, quality {value:.2f}."
            for name, one, value in zip(names, marks, values, strict=True)
        )
