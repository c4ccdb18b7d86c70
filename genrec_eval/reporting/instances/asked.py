"""What a model was asked, from the wire JSON of the request, bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

MESSAGE = 1500
"""Characters of one message of a request."""
TEXT = 3000
"""Characters of an answer."""
ITEMS = 25
"""Items of a list."""
_MESSAGES = 6
_LAST = 10
"""Latest items of a history."""


def cut(text: Any, limit: int) -> list[Any]:
    """Text, and how many characters of it are left out.

    >>> cut("abcdef", 4)
    ['abcd', 2]
    """
    whole = text if isinstance(text, str) else orjson.dumps(text, default=str).decode()
    return [whole[:limit], max(0, len(whole) - limit)]


def history(items: Sequence[Any]) -> dict[str, Any]:
    """The latest items of a history, and how many there are."""
    return {"history": [str(item)[:200] for item in items[-_LAST:]], "of": len(items)}


def request(wire: str, earlier: Sequence[Any] | None) -> tuple[dict[str, Any], Sequence[Any] | None]:
    """What was asked, and the messages, for the next step to be told from.

    Parameters
    ----------
    earlier
        Messages of the step before: where the conversation goes on, only what is new is kept.
    """
    try:
        read = orjson.loads(wire)
    except orjson.JSONDecodeError:
        read = None
    if not isinstance(read, Mapping):
        return {"raw": cut(wire, MESSAGE)}, None
    messages = read.get("messages")
    if isinstance(messages, list):
        known = len(earlier) if earlier and messages[: len(earlier)] == list(earlier) else 0
        new = messages[known:]
        said = [_message(one) for one in new[-_MESSAGES:]]
        return {"messages": said, "above": known, "skipped": len(new) - len(said)}, messages
    found: dict[str, Any] = {}
    if "prompt" in read:
        found["messages"] = [["prompt", *cut(read["prompt"], MESSAGE)]]
    if read.get("user") is not None:
        found["user"] = str(read["user"])[:200]
    if isinstance(read.get("history"), list):
        found |= history(read["history"])
    if isinstance(read.get("k"), int):
        found["k"] = read["k"]
    if isinstance(read.get("candidates"), list):
        found["candidates"] = len(read["candidates"])
    if isinstance(read.get("items"), list):
        found["rate"] = [str(item)[:200] for item in read["items"][:ITEMS]]
    if read.get("profile"):
        found["profile"] = cut(read["profile"], 400)
    return found or {"raw": cut(wire, MESSAGE)}, None


def _message(one: Any) -> list[Any]:
    if not isinstance(one, Mapping):
        return ["message", *cut(one, MESSAGE)]
    images = one.get("images")
    role = str(one.get("role") or "message")[:40]
    if isinstance(images, list) and images:
        role += f", with {len(images)} images"
    return [role, *cut(one.get("content") or "", MESSAGE)]
