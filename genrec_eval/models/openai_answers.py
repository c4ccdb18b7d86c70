"""Read chat completions and images out of the JSON of an OpenAI-compatible endpoint."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genrec_eval.models import check
from genrec_eval.models.prices import read_usage
from genrec_eval.models.spec import Price
from genrec_eval.models.transport import excerpt
from genrec_eval.protocol.model import Transient
from genrec_eval.protocol.responses import Answer, Usage
from genrec_eval.protocol.status import Status


class ChatReader:
    """Gathers one chat answer, whole or in pieces."""

    def __init__(self, price: Price | None, max_bytes: int) -> None:
        self.finished = False
        self.raw = b""
        self._price, self._max_bytes = price, max_bytes
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._size = 0
        self._reason: Any = None
        self._logprobs: list[Any] | None = None
        self._usage = Usage()
        self._meta: dict[str, Any] = {}

    def whole(self, payload: Any, where: str) -> None:
        """Read a complete answer."""
        self._take(payload, "message", where)
        if not self._seen:
            raise check.Malformed("the answer has no choices[0].message")
        self.finished = True

    def piece(self, data: bytes, where: str) -> bool:
        """Read one event of a stream; True when it brought text."""
        self.raw = data
        before = self._size
        self._take(check.decode(data), "delta", where)
        if self._reason is not None:
            self.finished = True
        return self._size > before

    def answer(self, first: float | None = None) -> Answer:
        """The answer, once all of it was read."""
        refusal, text = "".join(self._refusal), "".join(self._text)
        if not self._text and not refusal and self._reason not in ("length", "content_filter"):
            raise check.Malformed("choices[0].message.content is null")
        response = check.chat_response(
            refusal if refusal and not text else text, self._reason, self._logprobs, self._max_bytes
        )
        status = Status.REFUSED if refusal else check.status_of(response)
        return Answer(
            status=status, response=response, usage=self._usage, first=first, meta=self._meta or None
        )

    def _take(self, payload: Any, name: str, where: str) -> None:
        if not isinstance(payload, Mapping):
            raise check.Malformed("the answer is not a JSON object")
        if payload.get("error"):
            _raise_reported(payload["error"], where)
        if payload.get("usage") is not None:
            self._usage = read_usage(payload["usage"], self._price)
        for key, source in (("model", "model"), ("fingerprint", "system_fingerprint"), ("id", "id")):
            if isinstance(payload.get(source), str):
                self._meta[key] = check.printable(check.clip(payload[source], 200))
        choices = payload.get("choices")
        self._seen = False
        if not choices and name == "delta":
            return  # the last event of a stream brings usage alone
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            keys = check.clip(", ".join(map(str, payload)), 200)
            raise check.Malformed(f"the answer has no choices (its keys: {keys or 'none'})")
        choice = choices[0]
        message = choice.get(name)
        if isinstance(message, Mapping):
            self._seen = True
            self._add(self._text, message.get("content"), f"choices[0].{name}.content")
            self._add(self._refusal, message.get("refusal"), f"choices[0].{name}.refusal")
        if choice.get("finish_reason") is not None:
            self._reason = choice["finish_reason"]
        self._add_logprobs(choice.get("logprobs"))

    def _add(self, parts: list[str], text: Any, name: str) -> None:
        if text is None:
            return
        if not isinstance(text, str):
            raise check.Malformed(f"{name} is of type {type(text).__name__}, not a string")
        parts.append(text)
        self._size += len(text)
        if self._size > self._max_bytes:
            sentence = f"the answer is larger than {self._max_bytes:,} bytes (max_bytes)"
            raise check.Malformed(sentence, Status.OVERSIZED)

    def _add_logprobs(self, logprobs: Any) -> None:
        tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
        if not isinstance(tokens, list):
            return
        try:
            rows = [
                (
                    token["token"],
                    token["logprob"],
                    [(t["token"], t["logprob"]) for t in token.get("top_logprobs") or ()],
                )
                for token in tokens
            ]
        except (TypeError, KeyError, AttributeError):
            raise check.Malformed("choices[0].logprobs is not of the form of the API") from None
        self._logprobs = [*(self._logprobs or []), *rows]


def image_answer(payload: Any, price: Price | None, max_bytes: int, where: str) -> Answer:
    """Read the answer of the images API."""
    if not isinstance(payload, Mapping):
        raise check.Malformed("the answer is not a JSON object")
    if payload.get("error"):
        _raise_reported(payload["error"], where)
    data = payload.get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], Mapping):
        raise check.Malformed(
            f"the answer has no data (its keys: {check.clip(', '.join(map(str, payload)), 200)})"
        )
    encoded = data[0].get("b64_json")
    if not isinstance(encoded, str):
        cure = "; decoding: {extra: {response_format: b64_json}} asks for bytes" if data[0].get("url") else ""
        raise check.Malformed(f"data[0] has no b64_json{cure}")
    try:
        image = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise check.Malformed(f"data[0].b64_json is not base64: {error}") from None
    answer = Answer(response=check.image_response(image, None, max_bytes))
    return replace(answer, usage=read_usage(payload.get("usage"), price))


class Reported(Exception):
    """An error that an endpoint reports inside an answer with status 200."""


def _raise_reported(error: Any, where: str) -> None:
    code = error.get("code") if isinstance(error, Mapping) else None
    said = error.get("message") if isinstance(error, Mapping) else error
    sentence = f"{where} reports an error{excerpt(str(said))}"
    if str(code) == "429":
        raise Transient(Status.RATE_LIMITED, sentence)
    if str(code).startswith("5") and str(code).isdigit():
        raise Transient(Status.UNAVAILABLE, sentence)
    raise Reported(sentence)
