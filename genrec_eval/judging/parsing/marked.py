"""Verdicts between marks: ``[[A]]``, ``[[8]]``, ``[RESULT] 4``, ``Output (a) is better``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from genrec_eval.core.errors import did_you_mean
from genrec_eval.judging.parsing.base import (
    NUMBER,
    Ask,
    ParserSpec,
    clipped,
    distinct_labels,
    own_words,
    paragraph_start,
    scored,
    unparsed,
    won,
)
from genrec_eval.judging.parsing.expected import expected_score
from genrec_eval.judging.types import TaskKind, Verdict, Winner
from genrec_eval.protocol.responses import TokenLogprob

Mark = tuple[str, str]
_AROUND = " \t\r\n.*\"'`()[]{}</>_-!"


class _Marked(ParserSpec):
    marks: tuple[Mark, ...] = Field(
        min_length=1,
        description="Opening and closing mark; may be empty. Later ones serve where earlier are absent.",
    )
    at_end: bool = Field(False, description="Nothing but punctuation may follow the verdict.")
    conflict: Literal["unparsed", "last"] = Field(
        "unparsed",
        description="Different verdicts in the last paragraph with one: no verdict, or the last of them.",
    )

    @field_validator("marks", "line", check_fields=False)
    @classmethod
    def _seen(cls, value: tuple[Mark, ...] | Mark | None) -> tuple[Mark, ...] | Mark | None:
        marks = () if value is None else value if isinstance(value[0], tuple) else (value,)
        if any(part and not part.strip() for mark in marks for part in mark):
            raise ValueError("a mark of white space alone marks nothing: write what stands there, or ''")
        return value

    def _pattern(self, mark: Mark, value: str) -> re.Pattern[str]:
        start, end = map(re.escape, mark)
        start = start or r"(?<![\w.])"  # a verdict without a mark is no part of a longer word or number
        # without a mark to hold on to, optional space would be tried from each of its characters
        gap = "" if not mark[0] else r"\s*" if end else r"[\s:(*]*"
        # the end of an open verdict is where the word or number ends
        rest = rf"\s*{end}" if end else r"(?![\w])(?!\.[0-9])"
        return re.compile(rf"{start}{gap}(?P<v>{value}){rest}", self._flags)

    def clean(self, text: str, ask: Ask) -> str:
        """Without quotations, as marks may stand anywhere in a text."""
        return own_words(text, ask.shown, self._openings)

    @cached_property
    def _openings(self) -> tuple[str, ...]:
        line = getattr(self, "line", None)
        return tuple(mark[0].casefold().strip() for mark in (*self.marks, *([line] if line else [])))

    @property
    def _flags(self) -> re.RegexFlag:
        return re.NOFLAG

    def _last(self, text: str, ask: Ask, patterns: Sequence[re.Pattern[str]]) -> re.Match[str] | Verdict:
        for pattern in patterns:
            if found := list(pattern.finditer(text)):
                break
        else:
            return unparsed(f"no verdict of the form {self.form}")
        last = found[-1]
        after, before = text[last.end() :].strip(_AROUND), text[: last.start()].strip(_AROUND)
        if self.at_end and after:
            return unparsed(f"text follows the verdict {clipped(last[0])}")
        if before and after and any(last[0].strip() in one for one in ask.shown):
            # speaking of it, without quotation marks, looks the same
            return unparsed(f"amid the text {clipped(last[0])} may be quoted from what was judged")
        if self.conflict == "unparsed":
            start = paragraph_start(text, last.start())
            near = [one for one in found if one.start() >= start]
            if len({self._meaning(one["v"]) for one in near}) > 1:
                said = ", ".join(dict.fromkeys(clipped(one[0], 20) for one in near[:6]))
                return unparsed(f"two verdicts in one paragraph: {said}")
        return last

    def _meaning(self, value: str) -> object:
        raise NotImplementedError

    @property
    def form(self) -> str:
        """The verdict as a person would write it, for reasons."""
        raise NotImplementedError


class MarkedLabel(_Marked):
    """A label between marks; the last one counts."""

    kind: Literal["marked_label"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise", "pointwise"))
    labels: dict[str, Winner | float] = Field(
        min_length=2, description="Label as written → first, second, tie, or a score."
    )
    strong: tuple[str, ...] = Field((), description="Labels that count as strong verdicts.")
    ignore_case: bool = False
    line: Mark | None = Field(
        None, description="Marks of a label that has a line to itself, where there is no other verdict."
    )

    @model_validator(mode="after")
    def _distinct(self) -> MarkedLabel:
        distinct_labels([self._key(label) for label in self.labels])
        for label in self.strong:
            if label not in self.labels:
                raise ValueError(f"strong: '{label}' is no label{did_you_mean(label, self.labels)}")
        return self

    @property
    def _flags(self) -> re.RegexFlag:
        return re.IGNORECASE if self.ignore_case else re.NOFLAG

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        longest = sorted(self.labels, key=len, reverse=True)
        # a space of a label is any white space: models break lines where they like
        value = "|".join(r"\s+".join(map(re.escape, label.split())) for label in longest)
        patterns = tuple(self._pattern(mark, value) for mark in self.marks)
        if self.line is None:
            return patterns
        start, end = map(re.escape, self.line)
        alone = rf"^[ \t*]*{start}(?P<v>{value}){end}[ \t.*]*\r?$"
        return (*patterns, re.compile(alone, self._flags | re.MULTILINE))

    @cached_property
    def _known(self) -> dict[str, str]:
        return {self._key(label): label for label in self.labels}

    def _key(self, value: str) -> str:
        key = " ".join(value.split())
        return key.casefold() if self.ignore_case else key

    def _meaning(self, value: str) -> object:
        return self._known[self._key(value)]

    @property
    def form(self) -> str:
        start, end = self.marks[0]
        return " or ".join(f"{start}{label}{end}".strip() for label in self.labels)

    def read(self, text: str, ask: Ask) -> Verdict:
        """The last label."""
        found = self._last(text, ask, self._patterns)
        if isinstance(found, Verdict):
            return found
        label = self._known[self._key(found["v"])]
        meaning = self.labels[label]
        if isinstance(meaning, str):
            return won(meaning, found[0].strip(), 2 if label in self.strong else 1)
        return scored(meaning, ask, label)


class MarkedNumber(_Marked):
    """A number between marks; the last one counts, and one out of scale is no verdict."""

    kind: Literal["marked_number"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))
    expects: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(self._pattern(mark, rf"{NUMBER}(?:\s*/\s*[0-9]+)?") for mark in self.marks)

    def _meaning(self, value: str) -> object:
        return float(value.partition("/")[0])

    @property
    def form(self) -> str:
        start, end = self.marks[0]
        return f"{start} number{' ' if end else ''}{end}".strip()

    def read(self, text: str, ask: Ask) -> Verdict:
        """The last number; ``8/10`` only where the scale ends at ten."""
        found = self._last(text, ask, self._patterns)
        if isinstance(found, Verdict):
            return found
        number, over, most = found["v"].partition("/")
        if over and float(most) != ask.high:
            return unparsed(f"the score {clipped(found['v'])} is out of another scale than {ask.high:g}")
        return scored(float(number), ask, found[0].strip())

    def span(self, text: str, ask: Ask) -> tuple[int, int] | None:
        """Where the last number stands."""
        found = self._last(text, ask, self._patterns)
        if isinstance(found, Verdict):
            return None
        start = found.start("v")
        return start, start + len(found["v"].partition("/")[0].rstrip())

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """Expected score at the last number."""
        return expected_score(self, tokens, ask)
