"""Scores and preferences expected over the log-probabilities of tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from genrec_eval.judging.parsing.base import Ask, ParserSpec, unparsed
from genrec_eval.judging.types import JudgementStatus, Verdict
from genrec_eval.protocol.responses import TokenLogprob

_EDGE = r"[\s\[\](){}:*\"'.,/]*"
_DIGITS = re.compile(rf"{_EDGE}([0-9]+){_EDGE}")
_LEADING = re.compile(r"[0-9]+")
_ROUNDING = 1e-3


def alternatives(token: TokenLogprob) -> Iterator[tuple[str, float]]:
    """Text and probability of what could have stood here, the token itself included."""
    listed = dict(token.top)
    listed.setdefault(token.token, token.logprob)
    for text, logprob in listed.items():
        if not math.isnan(logprob):
            yield text, math.exp(min(logprob, 0.0))


def impossible(token: TokenLogprob) -> bool:
    """Whether what the token or an alternative has is no log-probability, rounding aside."""
    return any(logprob > _ROUNDING for logprob in (token.logprob, *(one for _, one in token.top)))


def token_at(tokens: Sequence[TokenLogprob], position: int) -> int | None:
    """Index of the token that holds the character at ``position`` of the joined text."""
    end = 0
    for index, token in enumerate(tokens):
        end += len(token.token)
        if position < end:
            return index
    return None


def expected_score(parser: ParserSpec, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
    """Mean of the whole scores of the scale, weighted by their probability at the last score token.

    ``10`` may be one token or two. Where it is two, a first token ``1`` that was generated is shared out
    by what could have followed; one that was not, and could be the start of ``10`` as well, is left out
    of both, and so is missing from the mass.
    """
    text = parser.clean("".join(token.token for token in tokens), ask)
    span = parser.span(text, ask)
    at = None if span is None else token_at(tokens, span[0])
    if span is None or at is None:
        return unparsed("the tokens hold no score, though the text does")
    written = text[span[0] : span[1]]
    if not written.isascii() or not written.isdigit():
        return unparsed(f"the score {written} is no whole number, which an expected score needs")
    weights: dict[int, float] = {}
    for number, probability in _numbers(tokens, at, ask):
        weights[number] = weights.get(number, 0.0) + probability
    mass = math.fsum(weights.values())
    if mass <= 0.0:
        return unparsed("no probability on any score of the scale")
    score = math.fsum(number * weight for number, weight in weights.items()) / mass
    return Verdict(
        status=JudgementStatus.OK,
        score=min(max(score, ask.low), ask.high),  # a mean may leave the scale by a rounding error
        label=written,
        mass=min(mass, 1.0),
    )


def _numbers(tokens: Sequence[TokenLogprob], at: int, ask: Ask) -> Iterator[tuple[int, float]]:
    valid = range(math.ceil(ask.low), math.floor(ask.high) + 1)
    longest = max(len(str(number)) for number in valid)
    listed = [(text, p, found[1]) for text, p in alternatives(tokens[at]) if (found := _number(text))]
    # a tokenizer that has a long number as one token would not write it as two
    whole = any(len(digits) > 1 and int(digits) in valid for _, _, digits in listed)
    for text, probability, digits in listed:
        begins = not whole and len(digits) < longest and any(_begins(digits, number) for number in valid)
        if not begins:
            if int(digits) in valid:
                yield int(digits), probability
        elif text == tokens[at].token:
            following = tokens[at + 1 : at + 2]
            if not following or not _open(text):
                if int(digits) in valid:
                    yield int(digits), probability
                continue
            for after, share in alternatives(following[0]):
                more = _LEADING.match(after)
                number = int(digits + more[0]) if more else int(digits)
                if number in valid:
                    yield number, probability * share


def _number(text: str) -> re.Match[str] | None:
    found = _DIGITS.fullmatch(text)
    return found if found and len(found[1]) < 10 else None


def _begins(digits: str, number: int) -> bool:
    return str(number).startswith(digits) and str(number) != digits


def _open(text: str) -> bool:
    """Whether the next token could go on with the number."""
    return text[-1:].isdigit()


def shares(token: TokenLogprob, labels: Iterable[Iterable[str]], *, ignore_case: bool = False) -> list[float]:
    """Probability of each label at a token; a label may be written in several ways, spaces aside."""

    def key(text: str) -> str:
        return text.strip().casefold() if ignore_case else text.strip()

    listed = [(key(text), probability) for text, probability in alternatives(token)]
    return [
        math.fsum(probability for text, probability in listed if text in forms)
        for forms in ({key(form) for form in label} for label in labels)
    ]
