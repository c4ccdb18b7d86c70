"""Typed requests. All ids are strings; ``to_wire`` gives the JSON form that is sent, hashed and stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Kind = Literal["rank", "rate", "chat", "image"]
Logged = Literal["log"]
"""In place of a kind: nothing is asked, for a log holds what happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRequest:
    """Ask for the ``k`` best items for a user, best first."""

    kind: ClassVar[Kind] = "rank"
    user: str
    history: tuple[str, ...] = ()
    """Items the user interacted with, oldest first."""
    k: int = 10
    candidates: tuple[str, ...] | None = None
    """Items to choose from; the whole catalogue when None."""
    profile: Mapping[str, Any] = field(default_factory=dict)
    """User attributes the scenario discloses; empty unless it means to."""
    wording: str | None = None
    """Name of the words to ask in, for what puts the request into words; None for the usual ones."""

    def to_wire(self) -> dict[str, Any]:
        """JSON form; empty optional parts are left out."""
        wire: dict[str, Any] = {
            "kind": "rank",
            "user": self.user,
            "history": list(self.history),
            "k": self.k,
        }
        if self.candidates is not None:
            wire["candidates"] = list(self.candidates)
        if self.profile:
            wire["profile"] = dict(self.profile)
        if self.wording is not None:
            wire["wording"] = self.wording
        return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRequest:
    """Ask for a predicted rating of each item."""

    kind: ClassVar[Kind] = "rate"
    user: str
    items: tuple[str, ...]
    history: tuple[str, ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """JSON form; empty optional parts are left out."""
        wire: dict[str, Any] = {
            "kind": "rate",
            "user": self.user,
            "items": list(self.items),
            "history": list(self.history),
        }
        if self.profile:
            wire["profile"] = dict(self.profile)
        return wire


@dataclass(frozen=True, slots=True)
class Image:
    """An image that crosses the border, as bytes."""

    data: bytes
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat; images follow the text."""

    role: Literal["system", "user", "assistant"]
    content: str
    images: tuple[Image, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """JSON form; images as data URLs' digests are not enough to send, so base64 is used."""
        wire: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.images:
            wire["images"] = [_image_wire(image) for image in self.images]
        return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Ask for the next message of a conversation.

    Decoding parameters (temperature, length, seed, ...) belong to the model, not to the request;
    ``logprobs`` asks for that many token alternatives where the model can give them.
    """

    kind: ClassVar[Kind] = "chat"
    messages: tuple[Message, ...]
    logprobs: int | None = None
    user: str | None = None
    """Id of the simulated user, for models that keep one; None for plain chat."""

    def to_wire(self) -> dict[str, Any]:
        """JSON form; empty optional parts are left out."""
        wire: dict[str, Any] = {"kind": "chat", "messages": [message.to_wire() for message in self.messages]}
        if self.logprobs is not None:
            wire["logprobs"] = self.logprobs
        if self.user is not None:
            wire["user"] = self.user
        return wire


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """Ask for an image."""

    kind: ClassVar[Kind] = "image"
    prompt: str
    user: str | None = None
    references: tuple[Image, ...] = ()
    size: tuple[int, int] | None = None
    """Width and height in pixels; the model's own default when None."""

    def to_wire(self) -> dict[str, Any]:
        """JSON form; empty optional parts are left out."""
        wire: dict[str, Any] = {"kind": "image", "prompt": self.prompt}
        if self.user is not None:
            wire["user"] = self.user
        if self.references:
            wire["references"] = [_image_wire(image) for image in self.references]
        if self.size is not None:
            wire["size"] = list(self.size)
        return wire


Request = RankRequest | RateRequest | ChatRequest | ImageRequest


def _image_wire(image: Image) -> dict[str, str]:
    import base64

    return {"media_type": image.media_type, "base64": base64.b64encode(image.data).decode()}
