"""``POST /v1/chat/completions`` and ``GET /v1/models``, as the OpenAI API gives them."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from genrec_eval.core.errors import did_you_mean
from genrec_eval.serving.exchange import ApiError, Reply, Scope, json_reply
from genrec_eval.serving.fields import flag, read_object, text, whole_number

Speaker = Callable[[str, dict[str, Any]], str]
"""(text of the last user message, whole request) → text of the answer."""

CREATED = 1735689600
"""2025-01-01: answers depend on the request alone, so time does not enter them."""

_PIECE = re.compile(r"\s?\w{1,6}|\s?[^\w\s]|\s")
_TOKENS_A_MESSAGE = 4
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def pieces(content: str) -> list[str]:
    """Cut text into tokens; joined they are the text again.

    >>> pieces("1. The Matrix (1999)")
    ['1', '.', ' The', ' Matrix', ' (', '1999', ')']
    """
    return _PIECE.findall(content)


class ChatService:
    """Chat completions by named speakers.

    Parameters
    ----------
    speakers
        Model id → what it says.
    revision
        Served as ``system_fingerprint``.
    """

    def __init__(self, speakers: Mapping[str, Speaker], revision: str, others: tuple[str, ...] = ()) -> None:
        self.speakers = speakers
        self.revision = f"fp_{revision[:12]}"
        self.listed = [*speakers, *others]

    def models(self, body: bytes, scope: Scope) -> Reply:
        """``GET /v1/models``."""
        return json_reply({"object": "list", "data": [self._card(name) for name in self.listed]})

    def model(self, body: bytes, scope: Scope) -> Reply:
        """``GET /v1/models/{id}``."""
        name = unquote(scope["path_params"]["id"])
        if name not in self.listed:
            raise self._unknown(name)
        return json_reply(self._card(name))

    def complete(self, body: bytes, scope: Scope) -> Reply:
        """``POST /v1/chat/completions``."""
        request = read_object(body)
        name = text(request, "model")
        speaker = self.speakers.get(name)
        if speaker is None:
            raise self._unknown(name)
        last, prompt_tokens = _messages(request)
        if whole_number(request, "n", 1, 128) not in (None, 1):
            raise ApiError(400, "This server gives one choice a call: 'n' must be 1.", param="n")
        top = whole_number(request, "top_logprobs", 0, 20)
        with_logprobs = flag(request, "logprobs")
        if top is not None and not with_logprobs:
            raise ApiError(400, "'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs")
        longest = whole_number(request, "max_completion_tokens", 1, 1 << 31) or whole_number(
            request, "max_tokens", 1, 1 << 31
        )
        streamed = flag(request, "stream")
        said = speaker(last, request)
        tokens = pieces(said)
        finish = "stop"
        if longest is not None and longest < len(tokens):
            tokens, finish = tokens[:longest], "length"
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(tokens),
            "total_tokens": prompt_tokens + len(tokens),
        }
        logprobs = (
            [_logprob(token, place, top or 0) for place, token in enumerate(tokens)]
            if with_logprobs
            else None
        )
        head: dict[str, Any] = {
            "id": f"chatcmpl-{hashlib.sha256(body).hexdigest()[:24]}",
            "object": "chat.completion.chunk" if streamed else "chat.completion",
            "created": CREATED,
            "model": name,
            "system_fingerprint": self.revision,
        }
        if streamed:
            return Reply(events=_events(head, tokens, logprobs, finish, usage, _usage_wanted(request)))
        message = {
            "role": "assistant",
            "content": said if finish == "stop" else "".join(tokens),
            "refusal": None,
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None if logprobs is None else {"content": logprobs, "refusal": None},
            "finish_reason": finish,
        }
        return json_reply({**head, "choices": [choice], "usage": usage})

    def _card(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": CREATED, "owned_by": "genrec-eval"}

    def _unknown(self, name: str) -> ApiError:
        return ApiError(
            404,
            f"The model '{name}' does not exist or you do not have access to it"
            f"{did_you_mean(name, self.listed)}",
            param="model",
            code="model_not_found",
        )


def _messages(request: dict[str, Any]) -> tuple[str, int]:
    """Text of the last user message, and the tokens of the prompt."""
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "'messages' must be a list of at least one message.", param="messages")
    last, tokens = None, 0
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _ROLES:
            raise ApiError(400, f"{where} must be an object with a known 'role'.", param=f"{where}.role")
        content = _content(message.get("content"), where)
        tokens += _TOKENS_A_MESSAGE + len(pieces(content))
        if role == "user":
            last = content
    if last is None:
        raise ApiError(400, "'messages' must hold a message of the user.", param="messages")
    return last, tokens


def _content(content: Any, where: str) -> str:
    if isinstance(content, str):
        return content
    if content is None:  # an assistant's message that only calls tools
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = [part.get("text", "") for part in content if part.get("type") == "text"]
        if all(isinstance(part, str) for part in texts):
            return "\n".join(texts)
    raise ApiError(400, f"{where}.content must be a string or a list of parts.", param=f"{where}.content")


def _usage_wanted(request: dict[str, Any]) -> bool:
    options = request.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        raise ApiError(400, "'stream_options' must be an object.", param="stream_options")
    return flag(options, "include_usage")


def _events(
    head: dict[str, Any],
    tokens: list[str],
    logprobs: list[dict[str, Any]] | None,
    finish: str,
    usage: dict[str, int],
    with_usage: bool,
) -> list[bytes]:
    if with_usage:
        head = {**head, "usage": None}  # as the API does: null in every chunk but the last

    def event(delta: dict[str, Any], logprob: dict[str, Any] | None, reason: str | None) -> bytes:
        shown = None if logprob is None else {"content": [logprob], "refusal": None}
        choice = {"index": 0, "delta": delta, "logprobs": shown, "finish_reason": reason}
        return _event({**head, "choices": [choice]})

    events = [event({"role": "assistant", "content": "", "refusal": None}, None, None)]
    for place, token in enumerate(tokens):
        events.append(event({"content": token}, logprobs[place] if logprobs else None, None))
    events.append(event({}, None, finish))
    if with_usage:
        events.append(_event({**head, "choices": [], "usage": usage}))
    events.append(b"data: [DONE]\n\n")
    return events


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _logprob(token: str, place: int, top: int) -> dict[str, Any]:
    """A made-up, plausible log-probability: the token has at least half of the mass.

    The alternatives halve what is left, so that the probabilities of a position never exceed 1.
    """
    import math

    share = zlib.crc32(f"{place} {token}".encode()) / 2**32
    probability = 0.5 + 0.499 * share
    alternatives = [(token, probability)]
    left = 1 - probability
    for rank in range(1, top):
        left /= 2
        alternatives.append((f" alt{rank}", left))
    shown = [_token(name, math.log(chance)) for name, chance in alternatives[:top]]
    return {**_token(token, math.log(probability)), "top_logprobs": shown}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}
