"""The words of judging: rubric, exhibit, task, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from genrec_eval.protocol.requests import Image

TaskKind = Literal["pointwise", "pairwise", "listwise", "claims"]
Winner = Literal["first", "second", "tie"]
"""Of a pair, in the order in which the judge saw it."""


class JudgementStatus(StrEnum):
    """How one judgement ended; none but ``ok`` has a verdict."""

    OK = "ok"
    UNPARSED = "unparsed"  # text came, no verdict could be read from it
    REFUSED = "refused"
    TRUNCATED = "truncated"  # cut off before the verdict
    API_ERROR = "api_error"  # no text came
    NOT_ASKED = "not_asked"  # the answer to be judged is missing, or a budget was spent first


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """What a judge looks for.

    Attributes
    ----------
    criterion
        One question in words.
    levels
        Score → what it means, for every whole score of ``scale``; empty for criteria without levels.
    scale
        Least and greatest score of a pointwise judgement.
    reference, context
        Whether the judge is to be given a reference answer, the facts of the case.
    direction
        Which scores are better.
    """

    name: str
    title: str
    criterion: str
    levels: Mapping[int, str] = field(default_factory=dict)
    scale: tuple[int, int] = (1, 5)
    reference: bool = False
    context: bool = True
    direction: Literal["higher", "lower"] = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One answer of one model as a judge may see it; nothing in it says who wrote it.

    Attributes
    ----------
    prompt
        What was asked, in words.
    answer
        None where the model gave no text.
    reference
        A reference answer; None when there is none.
    context
        The facts of the case, in words; None when there are none.
    """

    case: str
    unit: str
    prompt: str
    answer: str | None
    repeat: int = 0
    step: int = 0
    reference: str | None = None
    context: str | None = None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTask:
    """One thing to put to a judge.

    Attributes
    ----------
    id
        Stable: seeds and fence keys derive from it.
    answers
        One for pointwise and claims, two for pairwise, more for listwise; in the order shown.
    claims
        For kind ``claims``: the statements to judge one by one.
    """

    id: str
    kind: TaskKind
    rubric: Rubric
    prompt: str
    answers: tuple[str, ...]
    reference: str | None = None
    context: str | None = None
    claims: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was read from one completion.

    Attributes
    ----------
    score
        Pointwise: in the scale of rubric or dialect, a fraction where it is an expectation.
    scores
        Pairwise dialects that score both (JudgeLM, FairEval, TouchStone), claims (1 supported, 0 not), and
        listwise ranks: one number per answer or claim, in the order shown.
    winner
        Pairwise, in the order shown.
    preference
        Pairwise: probability in [0, 1] that the second answer shown is better, for dialects that read it from
        log-probabilities; None elsewhere.
    strength
        1, or more for a verdict such as ``A>>B``.
    label
        The verdict as the judge wrote it: ``[[A>>B]]``, ``Tie``, ``contradicted``.
    reason
        Why there is no verdict, in one clause, where ``status`` is not ok.
    mass
        Probability that fell on valid verdict tokens, where log-probabilities were read.
    """

    status: JudgementStatus
    score: float | None = None
    scores: tuple[float, ...] = ()
    winner: Winner | None = None
    preference: float | None = None
    strength: int = 1
    label: str | None = None
    labels: tuple[str, ...] = ()
    reason: str | None = None
    mass: float | None = None
