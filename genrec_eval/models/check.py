"""Turn what a stranger's model sent into a response, or say in one sentence why it cannot be one.

Nothing is repaired: wrong types, NaN and wrong lengths make the whole answer invalid. Lists that are
longer than asked, duplicates and unknown ids are legal answers; metrics count them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from genrec_eval.core.secrets import scrub
from genrec_eval.protocol.requests import Image, Kind, RateRequest, Request
from genrec_eval.protocol.responses import (
    Answer,
    ChatResponse,
    ImageResponse,
    RankResponse,
    RateResponse,
    Response,
    TokenLogprob,
    Usage,
)
from genrec_eval.protocol.status import Status

MAX_BYTES = 16 * 1024 * 1024
"""Default of the largest answer that is accepted."""
ID_LENGTH = 1_000
RAW_LENGTH = 2_000
LARGEST_RATING = 1e12
"""No scale of ratings goes so far, and the squares of what does would not be numbers any more."""
_WORDS: dict[Kind, str] = {"rank": "items", "rate": "ratings", "chat": "text", "image": "image"}


class Malformed(Exception):
    """The answer is not one; the message is the sentence for the record.

    Parameters
    ----------
    status
        ``INVALID`` or ``OVERSIZED``.
    """

    def __init__(self, message: str, status: Status = Status.INVALID) -> None:
        super().__init__(message)
        self.status = status


def rank_response(items: Any, scores: Any = None, max_bytes: int = MAX_BYTES) -> RankResponse:
    """Check a ranked list: ids are strings or integers, scores finite numbers, one per item.

    >>> rank_response(["a", 7]).items
    ('a', '7')
    >>> rank_response([1.5])
    Traceback (most recent call last):
    ...
    genrec_eval.models.check.Malformed: items[0] is a float; ids are strings or integers
    """
    ids = tuple(_identifier(item, row) for row, item in enumerate(_sequence(items, "items")))
    if sum(map(len, ids)) + 8 * len(ids) > max_bytes:
        raise Malformed(_too_large(max_bytes), Status.OVERSIZED)
    return RankResponse(items=ids, scores=None if scores is None else _scores(scores, len(ids)))


def words(values: Any, name: str, n: int) -> tuple[str, ...] | None:
    """Check a list of n strings that stand beside the items."""
    if values is None:
        return None
    found = tuple(_sequence(values, name))
    if len(found) != n:
        raise Malformed(f"{name} holds {len(found)} values for {n} items")
    for row, value in enumerate(found):
        if not isinstance(value, str):
            raise Malformed(f"{name}[{row}] is {_kind(value)}, not a string")
        _unicode(value, f"{name}[{row}]")
    return found


def rate_response(ratings: Any, request: RateRequest) -> RateResponse:
    """Check ratings: a list with one finite number or null per requested item, or a map from item id."""
    if isinstance(ratings, Mapping):
        rated = {  # ids are strings or integers here as everywhere
            str(item) if isinstance(item, Integral) and not isinstance(item, bool) else item: value
            for item, value in ratings.items()
        }
        if len(rated) < len(ratings):
            raise Malformed("ratings names an item twice, as a string and as an integer")
        ratings = [rated.get(item) for item in request.items]
    values = _sequence(ratings, "ratings")
    if len(values) != len(request.items):
        raise Malformed(f"ratings holds {len(values)} values for {len(request.items)} items")
    numbers = tuple(None if v is None else _number(v, "ratings", row) for row, v in enumerate(values))
    for row, number in enumerate(numbers):
        if number is not None and abs(number) > LARGEST_RATING:
            raise Malformed(f"ratings[{row}] is {number:g}, which is on no scale of ratings")
    return RateResponse(ratings=numbers)


def chat_response(
    text: Any, finish_reason: str | None = None, logprobs: Any = None, max_bytes: int = MAX_BYTES
) -> ChatResponse:
    """Check generated text: a string of valid Unicode within the size limit."""
    if not isinstance(text, str):
        raise Malformed(f"text is {_kind(text)}, not a string")
    if len(text) > max_bytes:
        raise Malformed(_too_large(max_bytes), Status.OVERSIZED)
    _unicode(text, "text")
    if finish_reason is not None and not isinstance(finish_reason, str):
        raise Malformed(f"finish_reason is {_kind(finish_reason)}, not a string")
    if logprobs is not None and not isinstance(logprobs, list | tuple):
        raise Malformed(f"logprobs is {_kind(logprobs)}, not a list")
    tokens = None if logprobs is None else tuple(_token(t, row) for row, t in enumerate(logprobs))
    return ChatResponse(text=text, finish_reason=finish_reason, logprobs=tokens)


def image_response(data: Any, media_type: Any = None, max_bytes: int = MAX_BYTES) -> ImageResponse:
    """Check an image: non-empty bytes, of the named type or of the type their first bytes tell."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise Malformed(f"image is {_kind(data)}, not bytes")
    payload = bytes(data)
    if not payload:
        raise Malformed("image holds no bytes")
    if len(payload) > max_bytes:
        raise Malformed(_too_large(max_bytes), Status.OVERSIZED)
    found = _sniff(payload)
    if media_type is not None and media_type not in _MAGIC.values():
        raise Malformed(f"media_type {clip(repr(media_type), 60)} is none of {', '.join(_MAGIC.values())}")
    if found is None or (media_type is not None and media_type != found):
        named = media_type or "a known image type"
        raise Malformed(f"image is not {named}: its bytes are those of {found or 'no known image type'}")
    return ImageResponse(image=Image(payload, found))


def answer_from_json(
    request: Request,
    body: bytes | str,
    *,
    max_bytes: int = MAX_BYTES,
    pick: Callable[[Any], Any] | None = None,
    first: float | None = None,
) -> Answer:
    """Read the JSON that a service or process sent as an answer to ``request``.

    Parameters
    ----------
    body
        ``{"items", "scores"?}``, ``{"ratings"}``, ``{"text", "finish_reason"?, "logprobs"?}`` or
        ``{"image": base64, "media_type"?}``, each with an optional ``usage``; or ``{"error": sentence}``.
    pick
        Applied to the decoded JSON first; finds the fields in a service's own form.
    """
    try:
        payload = decode(body)
        return answer_from_payload(request, payload if pick is None else pick(payload), max_bytes, first)
    except Malformed as error:
        return malformed(error, body, first)


def decode(body: bytes | str) -> Any:
    """Decode JSON; NaN and Infinity pass here so that the complaint can name the field they stand in."""
    import orjson

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(body)  # accepts NaN
        except (ValueError, RecursionError):
            raise Malformed(f"the answer is not JSON: {error}") from None


def answer_from_payload(
    request: Request, payload: Any, max_bytes: int = MAX_BYTES, first: float | None = None
) -> Answer:
    """Read a decoded JSON object as an answer to ``request``; raises :class:`Malformed`."""
    if not isinstance(payload, Mapping):
        raise Malformed(f"the answer is {_kind(payload)}, not an object with '{_WORDS[request.kind]}'")
    usage = _usage(payload.get("usage"))
    if payload.get("error") is not None:
        said = payload["error"]
        text = clip(said if isinstance(said, str) else _shown(said), 500)
        return Answer(
            status=Status.ERROR, error=f"the model says: {printable(text)}", usage=usage, first=first
        )
    word = _WORDS[request.kind]
    if payload.get(word) is None:
        raise Malformed(
            f"the answer has no '{word}' (its keys: {clip(', '.join(map(str, payload)) or 'none', 200)})"
        )
    response = _response(request, payload, max_bytes)
    return Answer(status=status_of(response), response=response, usage=usage, first=first)


def status_of(response: Response) -> Status:
    """OK, unless the finish reason of a chat says that it was cut off or declined."""
    if isinstance(response, ChatResponse):
        if response.finish_reason == "length":
            return Status.TRUNCATED
        if response.finish_reason in ("content_filter", "refusal"):
            return Status.REFUSED
    return Status.OK


def malformed(error: Malformed, raw: bytes | str | None, first: float | None = None) -> Answer:
    """The answer that reports a :class:`Malformed`, with the beginning of what was sent."""
    if isinstance(raw, bytes):
        raw = raw[: 4 * RAW_LENGTH].decode("utf-8", "replace")
    kept = None if raw is None else clip(scrub(printable(raw[: 4 * RAW_LENGTH])), RAW_LENGTH)
    return Answer(status=error.status, error=scrub(printable(str(error))), raw=kept, first=first)


def clip(text: str, length: int) -> str:
    """The beginning of ``text``, with an ellipsis when it is longer than ``length``."""
    return text if len(text) <= length else text[:length] + "…"


def printable(text: str) -> str:
    """``text`` with lone surrogates spelled out, so that it can be stored and shown."""
    return text.encode("utf-8", "backslashreplace").decode()


def finite(value: Any) -> float | None:
    """A finite number as float, else None."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON may hold an integer of any length
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    """Decoded JSON as text; what is nested deeper than the encoder goes is named by its type."""
    try:
        return json.dumps(value, default=repr)
    except RecursionError:
        return f"{_kind(value)}, nested too deeply to show"


def _response(request: Request, payload: Mapping[str, Any], max_bytes: int) -> Response:
    if request.kind == "rank":
        return rank_response(payload["items"], payload.get("scores"), max_bytes)
    if isinstance(request, RateRequest):
        return rate_response(payload["ratings"], request)
    if request.kind == "chat":
        return chat_response(
            payload["text"], payload.get("finish_reason"), payload.get("logprobs"), max_bytes
        )
    import base64
    import binascii

    if not isinstance(payload["image"], str):
        raise Malformed(f"image is {_kind(payload['image'])}, not a base64 string")
    try:
        data = base64.b64decode(payload["image"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"image is not base64: {error}") from None
    return image_response(data, payload.get("media_type"), max_bytes)


def _sequence(values: Any, name: str) -> list[Any] | tuple[Any, ...]:
    if isinstance(values, list | tuple):
        return values
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise Malformed(f"{name} is {_kind(values)}, not a list")
    convert = getattr(values, "tolist", None)  # numpy arrays, pandas series, pyarrow arrays
    if convert is None:
        raise Malformed(f"{name} is {_kind(values)}, not a list")
    found = convert()
    if not isinstance(found, list):
        raise Malformed(f"{name} is {_kind(values)} without a dimension, not a list")
    return found


def _identifier(item: Any, row: int) -> str:
    if isinstance(item, str):
        if len(item) > ID_LENGTH:
            raise Malformed(
                f"items[{row}] has {len(item):,} characters; an id may have {ID_LENGTH:,}", Status.OVERSIZED
            )
        _unicode(item, f"items[{row}]")
        return str(item)
    if isinstance(item, Integral) and not isinstance(item, bool):
        if not -(2**63) <= int(item) < 2**64:
            raise Malformed(f"items[{row}] is an integer of more than 64 bits; ids are strings or integers")
        return str(int(item))
    raise Malformed(f"items[{row}] is {_kind(item)}; ids are strings or integers")


def _scores(scores: Any, n: int) -> tuple[float, ...]:
    values = _sequence(scores, "scores")
    if len(values) != n:
        raise Malformed(f"scores holds {len(values)} values for {n} items")
    return tuple(_number(value, "scores", row) for row, value in enumerate(values))


def _number(value: Any, name: str, row: int) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise Malformed(f"{name}[{row}] is {_kind(value)}, not a number")
    try:
        number = float(value)
    except OverflowError:
        raise Malformed(f"{name}[{row}] is an integer too large for a float") from None
    if not math.isfinite(number):
        word = "NaN" if math.isnan(number) else "an infinite value"
        raise Malformed(f"{name} holds {word} at position {row}")
    return number


def _token(token: Any, row: int) -> TokenLogprob:
    try:
        text, value, *rest = token
        top = tuple((_text(t, row), _number(v, "logprobs", row)) for t, v in (rest[0] if rest else ()))
        return TokenLogprob(_text(text, row), _number(value, "logprobs", row), top)
    except (TypeError, ValueError):
        raise Malformed(
            f"logprobs[{row}] is not of the form [token, logprob, [[token, logprob], …]]"
        ) from None


def _text(text: Any, row: int) -> str:
    if not isinstance(text, str):
        raise TypeError
    _unicode(text, f"logprobs[{row}]")
    return text


def _usage(usage: Any) -> Usage:
    """Counts that a service reports about itself; what is not a count is not believed."""
    if not isinstance(usage, Mapping):
        return Usage()
    cost = finite(usage.get("cost"))
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        cost=cost if cost is None or cost >= 0 else None,
    )


def count(value: Any) -> int | None:
    """A non-negative integer that fits the tables, else None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if fits else None


def _unicode(text: str, name: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed(
            f"{name} holds a lone surrogate at position {error.start}: not Unicode text"
        ) from None


def _too_large(max_bytes: int) -> str:
    return f"the answer is larger than {max_bytes:,} bytes (max_bytes)"


_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


def _sniff(data: bytes) -> str | None:
    for magic, media_type in _MAGIC.items():
        if data.startswith(magic) and (magic != b"RIFF" or data[8:12] == b"WEBP"):
            return media_type
    return None


def _kind(value: Any) -> str:
    names = {
        "NoneType": "null",
        "dict": "an object",
        "list": "a list",
        "str": "a string",
        "bool": "a boolean",
    }
    name = type(value).__name__
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return names.get(name, f"{article} {name}")
