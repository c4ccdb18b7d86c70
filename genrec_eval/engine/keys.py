"""The key of an exchange: what must be equal for an answer to be reused, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from genrec_eval.core.fingerprint import RECIPE, digest
from genrec_eval.protocol.requests import ChatRequest, Image, ImageRequest, Request


def stored_form(request: Request) -> tuple[dict[str, Any], list[Image]]:
    """The request as it is hashed and kept, and its images, of which only digests stand in it.

    >>> stored_form(ImageRequest(prompt="a cat", references=(Image(b"png"),)))[0]["references"][0]["bytes"]
    3
    """
    wire = request.to_wire()
    images: list[Image] = []
    if isinstance(request, ImageRequest) and request.references:
        images += request.references
        wire["references"] = [_digest(image) for image in request.references]
    elif isinstance(request, ChatRequest):
        for message, part in zip(request.messages, wire["messages"], strict=True):
            if message.images:
                images += message.images
                part["images"] = [_digest(image) for image in message.images]
    return wire, images


def _digest(image: Image) -> dict[str, Any]:
    sha256 = hashlib.sha256(image.data).hexdigest()
    return {"media_type": image.media_type, "sha256": sha256, "bytes": len(image.data)}


def key_fields(request: dict[str, Any], identity: dict[str, Any], repeat: int) -> dict[str, Any]:
    """The fields that enter a key, as ``genrec-eval explain-key`` shows them.

    Parameters
    ----------
    request
        Wire form of the request that is sent.
    identity
        The model's identity: address, revision, decoding parameters, source digest.
    repeat
        Index of the independent sample.
    """
    return {"recipe": RECIPE, "request": request, "model": identity, "repeat": repeat}


def exchange_key(request: dict[str, Any], identity_digest: str, repeat: int) -> str:
    """Key of one exchange; the identity enters by its digest, so that it is hashed once a model.

    >>> a = exchange_key({"kind": "rank"}, "x", 0)
    >>> a == exchange_key({"kind": "rank"}, "x", 0), a == exchange_key({"kind": "rank"}, "x", 1)
    (True, False)
    """
    return digest([RECIPE, request, identity_digest, repeat])


def differences(left: Any, right: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Paths at which two JSON values differ, with both values.

    >>> differences({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3]})
    [('b[1]', 2, 3)]
    """
    if isinstance(left, dict) and isinstance(right, dict):
        found = []
        for name in sorted({*left, *right}):
            below = f"{path}.{name}" if path else str(name)
            found += differences(left.get(name), right.get(name), below)
        return found
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = zip(left, right, strict=True)
        return [d for i, (a, b) in enumerate(pairs) for d in differences(a, b, f"{path}[{i}]")]
    return [] if left == right else [(path, left, right)]
