"""``POST /v1/images/generations``: a small picture that depends on the prompt alone."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from typing import Any

from genrec_eval.serving.chat import CREATED
from genrec_eval.serving.exchange import ApiError, Reply, Scope, json_reply
from genrec_eval.serving.fields import read_object, text, whole_number

PIXELS = "pixels"
"""Model id of the picture maker."""

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
_LARGEST = 2048
_BANDS = 4


def generate(body: bytes, scope: Scope) -> Reply:
    """Answer an image request with base64 PNG."""
    request = read_object(body)
    prompt = text(request, "prompt")
    name = text(request, "model", PIXELS)
    if name != PIXELS:
        raise ApiError(
            404,
            f"The model '{name}' does not exist or makes no images; this server has '{PIXELS}'.",
            param="model",
            code="model_not_found",
        )
    if whole_number(request, "n", 1, 10) not in (None, 1):
        raise ApiError(400, "This server makes one image a call: 'n' must be 1.", param="n")
    if text(request, "response_format", "b64_json") != "b64_json":
        raise ApiError(400, "This server gives images as b64_json only.", param="response_format")
    width, height = _size(text(request, "size", "auto"))
    data = png(hashlib.sha256(prompt.encode("utf-8", "replace")).digest(), width, height)
    image: dict[str, Any] = {"b64_json": base64.b64encode(data).decode()}
    return json_reply({"created": CREATED, "data": [image]})


def _size(written: str) -> tuple[int, int]:
    if written == "auto":
        return 64, 64
    match = _SIZE.fullmatch(written)
    if match is None or not all(1 <= int(side) <= _LARGEST for side in match.groups()):
        raise ApiError(
            400, f"'size' must be 'auto' or WIDTHxHEIGHT of at most {_LARGEST}, as in 64x64.", param="size"
        )
    return int(match[1]), int(match[2])


def png(seed: bytes, width: int, height: int) -> bytes:
    """A PNG of coloured bands.

    Parameters
    ----------
    seed
        12 bytes or more; the colours.
    width, height
        Pixels.

    >>> png(bytes(12), 3, 2)[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # 8 bits, palette
    rows = b"".join(
        b"\0"
        + bytes([(row * _BANDS // height + column) % _BANDS for column in range(_BANDS)]) * (width // _BANDS)
        + bytes(width % _BANDS)
        for row in range(height)
    )
    chunks = [
        (b"IHDR", header),
        (b"PLTE", seed[: 3 * _BANDS]),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
