"""Reading the fields of a request body; what is wrong becomes a 400 in the API's form."""

from __future__ import annotations

from typing import Any

import orjson

from genrec_eval.serving.exchange import ApiError


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(400, f"We could not parse the JSON body of your request: {error}.") from None
    if not isinstance(value, dict):
        raise ApiError(400, "The body of the request must be a JSON object.")
    return value


def whole_number(request: dict[str, Any], key: str, low: int, high: int) -> int | None:
    """An integer field, None when it is absent or null."""
    value = request.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ApiError(400, f"'{key}' must be an integer from {low} to {high}.", param=key)
    return value


def text(request: dict[str, Any], key: str, default: str | None = None) -> str:
    """A string field; required unless there is a default."""
    value = request.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        said = "is required" if value is None else "must be a string"
        raise ApiError(400, f"'{key}' {said}.", param=key)
    return value


def texts(request: dict[str, Any], key: str) -> dict[str, str]:
    """An object of strings, empty when it is absent or null."""
    value = request.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(said, str) for said in value.values()):
        raise ApiError(400, f"'{key}' must be an object of strings.", param=key)
    return value


def flag(request: dict[str, Any], key: str) -> bool:
    """A boolean field, False when it is absent or null."""
    value = request.get(key)
    if value is not None and not isinstance(value, bool):
        raise ApiError(400, f"'{key}' must be true or false.", param=key)
    return bool(value)
