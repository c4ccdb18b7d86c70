"""Verdicts that are the whole text: a number, yes or no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from genrec_eval.judging.parsing.base import NUMBER, Ask, ParserSpec, clipped, first_line, scored, unparsed
from genrec_eval.judging.parsing.expected import expected_score, shares, token_at
from genrec_eval.judging.types import JudgementStatus, TaskKind, Verdict
from genrec_eval.protocol.responses import TokenLogprob

_NUMBER = re.compile(
    rf"[\s*\-#]*(?:[^\W\d][\w \-()]{{0,60}}[:=])?[\s*]*({NUMBER})(?:\s*/\s*([0-9]+))?[\s*.]*"
)
_WORD = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


class BareNumber(ParserSpec):
    """A number alone on the first line, with or without a name before it (G-Eval)."""

    kind: Literal["number"]
    expects: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))

    def read(self, text: str, ask: Ask) -> Verdict:
        """The number."""
        line = first_line(text)
        found = _NUMBER.fullmatch(line) if len(line) < 100 else None
        if found is None:
            return unparsed(f"the first line is no score but '{clipped(line)}'")
        if found[2] and float(found[2]) != ask.high:
            return unparsed(f"the score {clipped(line)} is out of another scale than {ask.high:g}")
        return scored(float(found[1]), ask, line)

    def span(self, text: str, ask: Ask) -> tuple[int, int] | None:
        """Where the number stands."""
        start = len(text) - len(text.lstrip())
        found = _NUMBER.fullmatch(first_line(text)[:100])
        return None if found is None else (start + found.start(1), start + found.end(1))

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """Expected score at the number."""
        return expected_score(self, tokens, ask)


class YesNo(ParserSpec):
    """Yes or no as the first word: 1 or 0 on the scale."""

    kind: Literal["yes_no"]
    expects: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))

    def read(self, text: str, ask: Ask) -> Verdict:
        """The first word; "yes and no" is no verdict."""
        line = first_line(text)[:400].lstrip("*_\"'`[(")
        found = _WORD.match(line)
        if found is None:
            return unparsed(f"the first word is neither yes nor no but '{clipped(line, 20)}'")
        label = found[1].casefold()
        if found[1] != (start := re.split(r"[.,:;!?\s*_\"'`\])]", line, maxsplit=1)[0]):
            return unparsed(f"the first word is neither yes nor no but '{clipped(start, 20)}'")
        if any(word.casefold() != label for word in _WORD.findall(line.partition(".")[0].partition(",")[0])):
            return unparsed("both yes and no")
        return scored(ask.high if label == "yes" else ask.low, ask, label)

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """Probability of yes among yes and no at the first word, on the scale."""
        text = "".join(token.token for token in tokens)
        found = _WORD.search(self.clean(text, ask))
        at = None if found is None else token_at(tokens, found.start())
        if found is None or at is None:
            return unparsed("the tokens hold neither yes nor no")
        yes, no = shares(tokens[at], (("yes",), ("no",)), ignore_case=True)
        if yes + no <= 0.0:
            return unparsed("no probability on yes or no")
        return Verdict(
            status=JudgementStatus.OK,
            score=ask.low + (ask.high - ask.low) * yes / (yes + no),
            label=found[1].casefold(),
            mass=min(yes + no, 1.0),
        )
