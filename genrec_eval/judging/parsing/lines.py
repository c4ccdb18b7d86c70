"""Verdicts by line: scores or a label on the first, scores on the last two."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from genrec_eval.judging.parsing.base import (
    NUMBER,
    Ask,
    ParserSpec,
    clipped,
    compared,
    distinct_labels,
    first_line,
    scored,
    unparsed,
    won,
)
from genrec_eval.judging.types import TaskKind, Verdict, Winner

_SCORES = re.compile(rf"({NUMBER})\s*[,;\s]\s*({NUMBER})")
_ENDING = re.compile(rf".*?({NUMBER})(?:\s*/\s*([0-9]+))?\s*\.?\s*\Z", re.S)


class FirstLineScores(ParserSpec):
    """Two numbers and nothing else on the first line (JudgeLM, Vicuna): the score of each answer."""

    kind: Literal["first_line_scores"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise", "pointwise"))

    def read(self, text: str, ask: Ask) -> Verdict:
        """The better-scored answer; equal scores are a tie, missing ones are not.

        Of a pointwise task the first number is the score: the second is that of the reference answer.
        """
        line = first_line(text)
        found = _SCORES.fullmatch(line) if len(line) < 100 else None
        if found is None:
            return unparsed(f"the first line holds no two scores but '{clipped(line)}'")
        verdict = compared((float(found[1]), float(found[2])), ask, line)
        if ask.kind == "pairwise" or not verdict.scores:
            return verdict
        return replace(verdict, winner=None, score=verdict.scores[0])


class LastLinesScores(ParserSpec):
    """A number at the end of each of the last two lines (FairEval), after the evidence."""

    kind: Literal["last_lines_scores"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise",))

    def read(self, text: str, ask: Ask) -> Verdict:
        """The better-scored answer."""
        lines = [line.strip() for line in text[-2000:].splitlines() if line.strip()][-2:]
        found = [_ENDING.fullmatch(line) for line in lines if len(line) < 200]
        numbers = [float(one[1]) for one in found if one and one[2] in (None, f"{ask.high:g}")]
        if len(numbers) != 2:
            return unparsed("the last two lines do not end in a score each")
        return compared(numbers, ask, "\n".join(lines))


class FirstLineLabel(ParserSpec):
    """The first line is a label and nothing else (PandaLM)."""

    kind: Literal["first_line_label"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise", "pointwise"))
    labels: dict[str, Winner | float] = Field(
        min_length=2, description="Label as written → first, second, tie, or a score."
    )

    @field_validator("labels")
    @classmethod
    def _distinct(cls, labels: dict[str, Winner | float]) -> dict[str, Winner | float]:
        distinct_labels(label.strip() for label in labels)
        return {label.strip(): meaning for label, meaning in labels.items()}  # as lines are read

    def read(self, text: str, ask: Ask) -> Verdict:
        """The label; anything else is no verdict, and what that counts as is for a policy to say."""
        line = first_line(text)
        meaning = self.labels.get(line)
        if meaning is None:
            return unparsed(f"the first line is none of {', '.join(self.labels)} but '{clipped(line)}'")
        return won(meaning, line) if isinstance(meaning, str) else scored(meaning, ask, line)
