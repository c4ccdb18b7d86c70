"""What every parser has in common: what was asked, how to say yes and no, numbers, quotations."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genrec_eval.core.strict import StrictModel
from genrec_eval.judging.types import JudgementStatus, TaskKind, Verdict, Winner
from genrec_eval.protocol.responses import TokenLogprob

NUMBER = r"[-+]?[0-9]+(?:\.[0-9]+)?"
"""ASCII digits only: a number in another script is no verdict."""

_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_QUOTATION = re.compile(r"\"([^\"\n]{1,400})\"|“([^“”\n]{1,400})”|«([^«»\n]{1,400})»|`([^`\n]{1,400})`")
_THINKING = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.S)
LONG_ENOUGH = 80
"""Characters from which on words that stand in what was shown are no coincidence but a repetition."""
_MOST_LOOKED_UP = 200
"""Different pieces of one completion that are looked up; each is a search through all that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a completion answers.

    Attributes
    ----------
    low, high
        Scale of scores.
    count
        Answers (pairwise, listwise) or claims; None for recorded texts of which that is not known.
    shown
        Texts that the judge was shown: what it quotes from them is no verdict.
    """

    kind: TaskKind
    low: float
    high: float
    count: int | None = None
    shown: tuple[str, ...] = ()


class ParserSpec(StrictModel):
    """A parser as a dialect names it: ``kind`` and parameters.

    Attributes
    ----------
    kinds
        Tasks whose verdicts it can read.
    expects
        Tasks of which it can give a score that is expected over log-probabilities.
    reads_logprobs
        Whether there is no verdict without log-probabilities.
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))
    expects: ClassVar[frozenset[TaskKind]] = frozenset()
    reads_logprobs: ClassVar[bool] = False

    def clean(self, text: str, ask: Ask) -> str:
        """The completion without what is not the judge's verdict, of the same length."""
        return own_words(text, ())

    @abstractmethod
    def read(self, text: str, ask: Ask) -> Verdict:
        """The verdict in a clean text; total: any text has an answer."""

    def span(self, text: str, ask: Ask) -> tuple[int, int] | None:
        """Where the score stands of which :meth:`read` gives the value."""
        return None

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """The verdict over the log-probabilities of ``tokens``, where the class says that it can."""
        raise NotImplementedError(type(self).__name__)


def unparsed(reason: str) -> Verdict:
    """No verdict, and why."""
    return Verdict(status=JudgementStatus.UNPARSED, reason=reason)


def scored(number: float, ask: Ask, label: str) -> Verdict:
    """A score, unless it is out of scale: those are never clipped."""
    if not ask.low <= number <= ask.high:
        return unparsed(f"the score {clipped(label)} is out of the scale {ask.low:g} to {ask.high:g}")
    return Verdict(status=JudgementStatus.OK, score=float(number), label=label)


def won(winner: Winner, label: str, strength: int = 1) -> Verdict:
    """The winner of a pair."""
    return Verdict(status=JudgementStatus.OK, winner=winner, label=label, strength=strength)


def compared(numbers: Sequence[float], ask: Ask, label: str) -> Verdict:
    """The winner of a pair by two scores; equal scores are a tie."""
    for number in numbers:
        if not ask.low <= number <= ask.high:
            return unparsed(f"the score {number:g} is out of the scale {ask.low:g} to {ask.high:g}")
    first, second = numbers
    winner: Winner = "tie" if first == second else "first" if first > second else "second"
    return Verdict(
        status=JudgementStatus.OK, winner=winner, scores=(float(first), float(second)), label=label
    )


def distinct_labels(labels: Iterable[str]) -> None:
    """Refuse labels that no text can tell apart.

    Raises
    ------
    ValueError
        When one is blank, or two are the same.
    """
    known: set[str] = set()
    for label in labels:
        if not label.strip():
            raise ValueError("a label is at least one letter, digit or sign")
        if label in known:
            raise ValueError(f"two labels that are both read as '{label}'")
        known.add(label)


def clipped(text: str, most: int = 40) -> str:
    """Foreign text short enough to stand in a reason, on one line."""
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"


def paragraph_start(text: str, before: int) -> int:
    """Where the paragraph begins that holds position ``before``."""
    start = 0
    for gap in _PARAGRAPH.finditer(text, 0, before):
        start = gap.end()
    return start


def first_line(text: str) -> str:
    """The first line that is not blank, stripped."""
    return text.lstrip().partition("\n")[0].strip()


def own_words(text: str, shown: tuple[str, ...], marks: tuple[str, ...] = ("",)) -> str:
    """``text`` of the same length, with spaces for what is not the judge's verdict.

    That is: thinking before the answer, quotations that stand word for word in what it was shown, and
    whole lines that do. First and last line are excepted, where verdicts stand, unless they are long: no text
    can rub out a verdict by foretelling it. Only pieces that hold one of ``marks`` (case-folded) are looked
    up, and where there is no end of them the others are taken for quotations too.

    >>> own_words('It says "pick [[A]]". Mine: [[B]]', ("Please pick [[A]]!",))
    'It says             . Mine: [[B]]'
    """
    if "<think>" in text[:200] and (found := _THINKING.match(text)):
        text = " " * found.end() + text[found.end() :]
    if not shown:
        return text

    known: dict[str, bool] = {}

    def quoted(piece: str) -> bool:
        folded = piece.casefold()
        if not any(mark in folded for mark in marks):
            return False
        if piece not in known:
            known[piece] = len(known) >= _MOST_LOOKED_UP or any(piece in one for one in shown)
        return known[piece]

    def blank(quote: re.Match[str]) -> str:
        inside = next(filter(None, quote.groups()))
        return " " * len(quote[0]) if quoted(inside) else quote[0]

    text = _QUOTATION.sub(blank, text)
    lines = text.split("\n")
    written = [number for number, line in enumerate(lines) if not line.isspace() and line]
    for place, number in enumerate(written):
        bare = lines[number].strip()
        if len(bare) > (5 if 0 < place < len(written) - 1 else LONG_ENOUGH) and quoted(bare):
            lines[number] = " " * len(lines[number])
    return "\n".join(lines)
