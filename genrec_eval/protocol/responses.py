"""Typed responses and the envelope in which an adapter hands them to the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genrec_eval.protocol.requests import Image
from genrec_eval.protocol.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResponse:
    """Item ids, best first, exactly as the model gave them: duplicates and unknown ids included."""

    items: tuple[str, ...]
    scores: tuple[float, ...] | None = None
    mentions: tuple[str, ...] | None = None
    """What a text model wrote for each item, when ``items`` were grounded from text."""
    grounding: tuple[str, ...] | None = None
    """How each mention was matched: exact, normalised, alias or fuzzy; ambiguous or none when it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateResponse:
    """A rating per requested item; None where the model gave none."""

    ratings: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """Log-probability of one generated token and of its best alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatResponse:
    """Generated text."""

    text: str
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    contexts: tuple[str, ...] | None = None
    """Passages that a retrieval-augmented model wrote from; None where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResponse:
    """A generated image."""

    image: Image


Response = RankResponse | RateResponse | ChatResponse | ImageResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an exchange consumed; None where it is not known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    """In US dollars, from the price table; None when the model is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an adapter returns for one request.

    ``response`` is None unless ``status`` says that something usable came back (ok, truncated, refused).
    ``raw`` keeps what the model sent when it could not be turned into a response.
    """

    status: Status = Status.OK
    response: Response | None = None
    error: str | None = None
    raw: str | None = None
    usage: Usage = Usage()
    first: float | None = None
    """``time.time()`` at which the first token or byte came."""
    meta: dict[str, Any] | None = None
    """Facts worth keeping: served model revision, request id, provider cache use."""
