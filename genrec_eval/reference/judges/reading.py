"""What a bundled judge is shown: the prompt of the dialect ``json``, taken apart again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.fence import outside_fences, read_fences
from genrec_eval.judging.types import TaskKind

_FORM = "Reply with one JSON object and nothing else"
_HEADINGS = {
    "What was asked:": "question",
    "The facts of the case:": "context",
    "A reference answer:": "reference",
    "The answer to judge:": "answer",
    "The answer they were taken from:": "answer",
    "Answer A:": "answer_a",
    "Answer B:": "answer_b",
    "The answers, numbered:": "answers",
    "The claims, numbered:": "claims",
}
_RUBRIC = re.compile(r"^Rubric: (\S+)", re.M)
_SCALE = re.compile(r"^Scale: (-?\d+) to (-?\d+)", re.M)
_NUMBERED = re.compile(r"^(\d+)\.\n", re.M)
_END = re.compile(r"^(?:First give your reason, then|Each claim is \"supported\")", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A task as a prompt puts it.

    Attributes
    ----------
    answers
        In the order shown.
    loose
        Which of the answers stand in the prompt without a fence, and may pass for instructions.
    """

    kind: TaskKind
    rubric: str
    low: int
    high: int
    answers: tuple[str, ...]
    claims: tuple[str, ...] = ()
    context: str = ""
    reference: str = ""
    question: str = ""
    loose: tuple[bool, ...] = field(default=())


def read_prompt(prompt: str) -> Shown:
    """Take a prompt apart.

    Raises
    ------
    UsageError
        When it is not one of the dialect ``json``.
    """
    around = outside_fences(prompt)
    rubric = _RUBRIC.search(around)
    if _FORM not in around or rubric is None:
        raise UsageError("it judges prompts of the dialect 'json' alone; choose dialect: json for this judge")
    blocks = read_fences(prompt)
    fenced = bool(blocks)
    blocks = blocks or _unfenced(prompt)
    kind: TaskKind = (
        "pairwise"
        if "answer_a" in blocks
        else "claims"
        if "claim_1" in blocks
        else "listwise"
        if "answer_1" in blocks
        else "pointwise"
    )
    if kind == "pairwise":
        answers: tuple[str, ...] = (blocks["answer_a"], blocks.get("answer_b", ""))
    elif kind == "listwise":
        answers = _numbered(blocks, "answer")
    else:
        answers = (blocks.get("answer", ""),)
    scale = _SCALE.search(around)
    return Shown(
        kind=kind,
        rubric=rubric[1],
        low=int(scale[1]) if scale else 1,
        high=int(scale[2]) if scale else 5,
        answers=answers,
        claims=_numbered(blocks, "claim"),
        context=blocks.get("context", ""),
        reference=blocks.get("reference", ""),
        question=blocks.get("question", ""),
        loose=tuple(not fenced for _ in answers),
    )


def _numbered(blocks: dict[str, str], name: str) -> tuple[str, ...]:
    found: list[str] = []
    while (key := f"{name}_{len(found) + 1}") in blocks:
        found.append(blocks[key])
    return tuple(found)


def _unfenced(prompt: str) -> dict[str, str]:
    """Blocks by the headings of the dialect: whoever writes a heading into an answer begins a block."""
    ends = [match.start() for match in _END.finditer(prompt)]
    blocks: dict[str, list[str]] = {}
    name = None
    for line in (prompt[: ends[-1]] if ends else prompt).split("\n"):
        if line in _HEADINGS:
            name = _HEADINGS[line]
            blocks.setdefault(name, [])
        elif name is not None:
            blocks[name].append(line)
    found = {name: "\n".join(lines).strip("\n") for name, lines in blocks.items()}
    for many, one in (("answers", "answer"), ("claims", "claim")):
        parts = _NUMBERED.split(found.pop(many, ""))
        found |= {f"{one}_{place}": part.strip("\n") for place, part in enumerate(parts[2::2], 1)}
    return found
