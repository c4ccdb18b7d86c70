"""Verdicts as one JSON object, alone, in a code fence, or with prose around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from genrec_eval.judging.parsing.base import Ask, ParserSpec, clipped, scored, unparsed, won
from genrec_eval.judging.parsing.expected import expected_score
from genrec_eval.judging.types import JudgementStatus, TaskKind, Verdict, Winner
from genrec_eval.protocol.responses import TokenLogprob

_KEYS: dict[TaskKind, str] = {
    "pointwise": "score",
    "pairwise": "verdict",
    "listwise": "ranking",
    "claims": "claims",
}
_START = re.compile(r"\{\s*\"")
_MOST_STARTS = 50  # what opens that many objects and ends none is no verdict, and each costs a scan
_SCORE = re.compile(r"\"score\"\s*:\s*\"?([0-9.]+)")
_FRAME = re.compile(r"```(?:json)?|\s")
_WINNERS: dict[str, Winner] = {"a": "first", "b": "second", "tie": "tie"}
CLAIM_LABELS = {"supported": 1.0, "contradicted": 0.0, "not in source": 0.0}
"""What may be said of a claim → its score."""
_LABELS = {**{label: label for label in CLAIM_LABELS}, "not_in_source": "not in source"}


class _Twice(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _not_finite(word: str) -> float:
    raise ValueError(word)


# Line breaks inside strings are what models write; NaN, Infinity and keys given twice are refused.
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_pairs, parse_constant=_not_finite)


class JsonParser(ParserSpec):
    """``{"reason": …, "score" | "verdict" | "ranking" | "claims": …}``.

    Objects without the key of the task are passed over; two objects with different verdicts are no verdict.
    """

    kind: Literal["json"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise", "pairwise", "listwise", "claims"))
    expects: ClassVar[frozenset[TaskKind]] = frozenset(("pointwise",))

    def read(self, text: str, ask: Ask) -> Verdict:
        """The one verdict."""
        key = _KEYS[ask.kind]
        try:
            found = self._own(text, ask)
        except _Twice:
            return unparsed("a JSON object has one key twice")
        if not found:
            return unparsed(f"no JSON object with the key '{key}'")
        verdicts = [_READ[ask.kind](value[key], ask) for _, _, value in found]
        if any(_verdict(one) != _verdict(verdicts[0]) for one in verdicts[1:]):
            return unparsed("two verdicts")
        return verdicts[0]

    def _own(self, text: str, ask: Ask) -> list[tuple[int, int, dict[str, Any]]]:
        """Objects with the key of the task that are no quotation."""
        found = [one for one in _objects(text) if _KEYS[ask.kind] in one[2]]
        own = [one for one in found if not any(text[one[0] : one[1]] in shown for shown in ask.shown)]
        if own or len(found) != 1:
            return own
        # A bare verdict may happen to stand in an answer too; with words in or around it, it is quoted.
        start, end, value = found[0]
        return [] if len(value) > 1 or _FRAME.sub("", text[:start] + text[end:]) else found

    def span(self, text: str, ask: Ask) -> tuple[int, int] | None:
        """Where the number of the last object stands."""
        if not (found := self._own(text, ask)):
            return None
        start, end, _ = found[-1]
        numbers = list(_SCORE.finditer(text, start, end))
        return numbers[-1].span(1) if numbers else None

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """Expected score at the number of the object."""
        return expected_score(self, tokens, ask)


def _objects(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    at = starts = 0
    while (opening := _START.search(text, at)) and starts < _MOST_STARTS:
        starts += 1
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except _Twice:
            raise
        except (ValueError, RecursionError):
            at = opening.start() + 1
            continue
        yield opening.start(), end, value
        at = end


def _verdict(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.status, verdict.score, verdict.scores, verdict.winner, verdict.labels)


def _score(value: Any, ask: Ask) -> Verdict:
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,9}(\.[0-9]{1,9})?\s*", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return unparsed(f"'score' is no number but {clipped(json.dumps(value))}")
    return scored(value, ask, str(value))


def _winner(value: Any, ask: Ask) -> Verdict:
    if isinstance(value, str) and (winner := _WINNERS.get(value.strip().casefold())):
        return won(winner, value.strip())
    return unparsed(f"'verdict' is none of A, B and tie but {clipped(json.dumps(value))}")


def _ranks(value: Any, ask: Ask) -> Verdict:
    count = ask.count if ask.count is not None else len(value) if isinstance(value, list) else 0
    whole = isinstance(value, list) and all(type(one) is int for one in value)
    if not whole or sorted(value) != list(range(1, count + 1)):
        said = clipped(json.dumps(value))
        return unparsed(f"'ranking' does not name each of 1 to {count} once but is {said}")
    ranks = tuple(float(value.index(answer) + 1) for answer in range(1, count + 1))
    return Verdict(status=JudgementStatus.OK, scores=ranks, label=" > ".join(map(str, value)))


def _claims(value: Any, ask: Ask) -> Verdict:
    if not isinstance(value, list):
        return unparsed("'claims' is no list")
    count = ask.count if ask.count is not None else len(value)
    said: dict[int, str] = {}
    for entry in value:
        number = entry.get("claim") if isinstance(entry, dict) else None
        if type(number) is not int or not 1 <= number <= count:
            return unparsed(f"'claims' speaks of a claim that is none of 1 to {count}")
        word = entry.get("verdict")
        label = _LABELS.get(" ".join(word.casefold().split())) if isinstance(word, str) else None
        if label is None:
            return unparsed(f"the verdict on claim {number} is none of {', '.join(CLAIM_LABELS)}")
        if said.setdefault(number, label) != label:
            return unparsed(f"two verdicts on claim {number}")
    missing = [str(number) for number in range(1, count + 1) if number not in said]
    if missing:
        return unparsed(f"no verdict on claim {', '.join(missing[:5])}")
    labels = tuple(said[number] for number in range(1, count + 1))
    return Verdict(
        status=JudgementStatus.OK, labels=labels, scores=tuple(CLAIM_LABELS[label] for label in labels)
    )


_READ = {"pointwise": _score, "pairwise": _winner, "listwise": _ranks, "claims": _claims}
