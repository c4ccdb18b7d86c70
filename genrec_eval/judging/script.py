"""Scripts of dialects: templates with literal placeholders, filled in once, and what they are filled with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field, PositiveInt, field_validator

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import Node
from genrec_eval.judging.parsing import PARSERS, Parser
from genrec_eval.judging.types import JudgeTask

PLACEHOLDERS = {
    "question": "what was asked",
    "answer": "the answer (pointwise, claims)",
    "answer_a": "the answer shown first (pairwise)",
    "answer_b": "the answer shown second (pairwise)",
    "answers": "all answers, numbered (listwise)",
    "claims": "the claims, numbered (claims)",
    "reference": "a reference answer",
    "context": "the facts of the case",
    "rubric": "name of the rubric",
    "title": "title of the rubric",
    "criterion": "what to look for",
    "levels": "the levels, a line each, as in '1: poor'",
    "score_levels": "the same, as in 'Score 1: poor'",
    "low": "least score",
    "high": "greatest score",
    "count": "how many answers or claims",
}
"""What a template may hold. A paragraph with a reference, context or levels that a task lacks is left out."""
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

Part = Literal["reference", "context", "levels", "images"]


class Truncation(StrictModel):
    """How much of each text a judge is shown."""

    characters: PositiveInt = Field(description="Most characters of a question, answer, reference, context.")
    side: Literal["left", "right", "middle"] = Field("right", description="Where a longer text is cut.")

    def cut(self, text: str) -> str:
        """``text``, cut with a mark where it was.

        >>> Truncation(characters=4, side="middle").cut("abcdefgh")
        'ab[…]gh'
        """
        most = self.characters
        if len(text) <= most:
            return text
        if self.side == "right":
            return text[:most] + "[…]"
        if self.side == "left":
            return "[…]" + text[-most:]
        head = most - most // 2
        return text[:head] + "[…]" + (text[-(most // 2) :] if most > 1 else "")


class Script(StrictModel):
    """Prompt and parser for one kind of task."""

    system: str | None = None
    user: str = Field(min_length=1)
    parser: Parser
    needs: tuple[Part, ...] = Field((), description="What a task must have for the prompt to make sense.")

    @field_validator("parser", mode="before")
    @classmethod
    def _known_parser(cls, parser: object) -> object:
        kind = parser.get("kind") if isinstance(parser, dict) else None
        if isinstance(kind, str) and kind not in PARSERS:
            raise ValueError(
                f"unknown parser '{kind}'{did_you_mean(kind, PARSERS)} (known: {', '.join(PARSERS)})"
            )
        return parser

    @cached_property
    def compiled(self) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
        """Paragraphs of system and user, each as literal, name, literal, name, ..., literal."""
        return _paragraphs(self.system or ""), _paragraphs(self.user)

    @cached_property
    def shows(self) -> frozenset[str]:
        """Placeholders that the prompt holds."""
        return frozenset(_PLACEHOLDER.findall(f"{self.system or ''}\n{self.user}"))

    @cached_property
    def probes(self) -> tuple[tuple[str, ...], ...]:
        """The longest fixed lines of system and user, by which either is known again in a completion."""
        return tuple(found for part in self.compiled if (found := _longest(part)))


def _paragraphs(template: str) -> tuple[tuple[str, ...], ...]:
    template = template.strip("\n")
    return tuple(tuple(_PLACEHOLDER.split(one)) for one in template.split("\n\n")) if template else ()


def _longest(part: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    literals = (literal for paragraph in part for literal in paragraph[::2])
    fixed = {line.strip() for literal in literals for line in literal.split("\n")}
    return tuple(sorted((line for line in fixed if len(line) >= 30), key=lambda line: (-len(line), line))[:2])


def fill(paragraphs: tuple[tuple[str, ...], ...], values: Mapping[str, str]) -> str:
    """Paragraphs with their placeholders replaced, once; those are left out that lack a value."""
    return "\n\n".join(
        "".join([values[part] if odd % 2 else part for odd, part in enumerate(paragraph)])
        for paragraph in paragraphs
        if all(name in values for name in paragraph[1::2])
    )


def values_of(task: JudgeTask, shown: Mapping[str, str], scale: tuple[int, int]) -> dict[str, str]:
    """Placeholder → text; ``shown`` holds what others wrote, fenced or not."""
    rubric = task.rubric
    values = {
        **shown,
        "rubric": rubric.name,
        "title": rubric.title,
        "criterion": rubric.criterion,
        "low": str(scale[0]),
        "high": str(scale[1]),
        "count": str(len(task.claims) if task.kind == "claims" else len(task.answers)),
    }
    if rubric.levels:
        values["levels"] = "\n".join(f"{score}: {text}" for score, text in rubric.levels.items())
        values["score_levels"] = "\n".join(f"Score {line}" for line in values["levels"].split("\n"))
    for many, one in (("answers", "answer"), ("claims", "claim")):
        numbered = [
            f"{number}.\n{shown[name]}"
            for number in range(1, len(shown))
            if (name := f"{one}_{number}") in shown
        ]
        if numbered:
            values[many] = "\n".join(numbered)
    return values


def check_placeholders(root: Node) -> None:
    """Refuse unknown placeholders of a dialect file, with their lines.

    Raises
    ------
    UsageError
        At the first one.
    """
    tasks = root.value.get("tasks")
    scripts = tasks.value.values() if tasks is not None and isinstance(tasks.value, dict) else ()
    for script in scripts:
        parts = script.value if isinstance(script.value, dict) else {}
        for part in ("system", "user"):
            text = parts[part].value if part in parts else None
            if not isinstance(text, str):
                continue
            for found in _PLACEHOLDER.finditer(text):
                if found[1] not in PLACEHOLDERS:
                    file, _, line = parts[part].place.rpartition(":")
                    # a block of text begins on the line after its key
                    inside = text.count("\n", 0, found.start()) + 1 if "\n" in text else 0
                    raise UsageError(
                        f"{file}:{int(line) + inside}: unknown placeholder {{{found[1]}}}"
                        f"{did_you_mean(found[1], PLACEHOLDERS)} (known: {', '.join(PLACEHOLDERS)})"
                    )
