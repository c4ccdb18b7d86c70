"""JSON form of responses: what the journal and the ``response`` column of the records hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from genrec_eval.protocol.requests import Image, Kind
from genrec_eval.protocol.responses import (
    ChatResponse,
    ImageResponse,
    RankResponse,
    RateResponse,
    Response,
    TokenLogprob,
)


def response_to_wire(response: Response) -> tuple[dict[str, Any], Image | None]:
    """Return the JSON form of ``response``, and its image, which is stored beside the JSON.

    Empty optional parts are left out. The JSON of an image response holds its media type, digest
    and size; :func:`response_from_wire` wants the image back.

    >>> response_to_wire(RankResponse(items=("a", "b"), scores=(2.0, 1.0)))
    ({'items': ['a', 'b'], 'scores': [2.0, 1.0]}, None)
    """
    wire: dict[str, Any]
    if isinstance(response, RankResponse):
        wire = {"items": list(response.items)}
        for name in ("scores", "mentions", "grounding"):
            values = getattr(response, name)
            if values is not None:
                wire[name] = list(values)
        return wire, None
    if isinstance(response, RateResponse):
        return {"ratings": list(response.ratings)}, None
    if isinstance(response, ChatResponse):
        wire = {"text": response.text}
        if response.finish_reason is not None:
            wire["finish_reason"] = response.finish_reason
        if response.logprobs is not None:
            wire["logprobs"] = [_token_to_wire(token) for token in response.logprobs]
        if response.contexts is not None:
            wire["contexts"] = list(response.contexts)
        return wire, None
    image = response.image
    wire = {
        "media_type": image.media_type,
        "sha256": hashlib.sha256(image.data).hexdigest(),
        "bytes": len(image.data),
    }
    return wire, image


def response_from_wire(kind: Kind, wire: Mapping[str, Any], image: Image | None = None) -> Response:
    """Inverse of :func:`response_to_wire`; ``kind`` is that of the request that was answered."""
    if kind == "rank":
        return RankResponse(
            items=tuple(wire["items"]),
            scores=_optional_tuple(wire.get("scores")),
            mentions=_optional_tuple(wire.get("mentions")),
            grounding=_optional_tuple(wire.get("grounding")),
        )
    if kind == "rate":
        return RateResponse(ratings=tuple(wire["ratings"]))
    if kind == "chat":
        tokens = wire.get("logprobs")
        return ChatResponse(
            text=wire["text"],
            finish_reason=wire.get("finish_reason"),
            logprobs=None if tokens is None else tuple(_token_from_wire(token) for token in tokens),
            contexts=tuple(wire["contexts"]) if "contexts" in wire else None,
        )
    if image is None:
        raise ValueError("the image of an image response is stored beside its JSON and must be given")
    return ImageResponse(image=image)


def _token_to_wire(token: TokenLogprob) -> list[Any]:
    # A list, not an object: a long answer holds thousands of these.
    return [token.token, token.logprob, [list(pair) for pair in token.top]]


def _token_from_wire(wire: Any) -> TokenLogprob:
    token, logprob, top = wire
    return TokenLogprob(token, logprob, tuple((text, value) for text, value in top))


def _optional_tuple(values: Any) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
