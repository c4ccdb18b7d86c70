"""The ``openai`` adapter: chat and images of any endpoint that speaks the OpenAI protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PositiveInt, field_validator

from genrec_eval.core.secrets import REFERENCE
from genrec_eval.core.strict import StrictModel
from genrec_eval.models import check
from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.prices import read_prices
from genrec_eval.models.spec import BuildContext, Price
from genrec_eval.models.transport import expanded, has_reference
from genrec_eval.protocol.model import Model


class Decoding(StrictModel):
    """How the model samples; what is not set is left to the endpoint."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: PositiveInt | None = Field(
        default=None, description="Longest answer; older name, widely understood."
    )
    max_completion_tokens: PositiveInt | None = Field(
        default=None, description="Longest answer, reasoning included."
    )
    seed: int | None = Field(default=None, description="Repeat r of a case is sent seed + r.")
    stop: tuple[str, ...] | None = None
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    reasoning_effort: str | None = None
    extra: dict[str, Any] = Field(
        default_factory=dict, description="More fields of the body, sent as they are."
    )

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, stop: object) -> object:
        return (stop,) if isinstance(stop, str) else stop

    def body(self) -> dict[str, Any]:
        """The fields to send."""
        fields = self.model_dump(exclude_none=True, exclude={"extra"}, mode="json")
        return {**fields, **self.extra}


class OpenAISpec(ChatCapableSpec):
    """A model behind the OpenAI protocol."""

    adapter: Literal["openai"] = "openai"
    model: str = Field(min_length=1, description="Name of the model at the endpoint.")
    base_url: str = Field("https://api.openai.com/v1", description="Address; may hold ${env:NAME}.")
    api_key: str = Field("${env:OPENAI_API_KEY}", description="A reference ${env:NAME}, or none.")
    organization: str | None = None
    revision: str | None = Field(None, description="Version of what is served; part of the cache key.")
    decoding: Decoding = Decoding()
    stream: bool = Field(False, description="Receive the answer token by token, to time the first one.")
    logprobs: int | None = Field(
        None, ge=0, le=20, description="Token alternatives to ask for with every chat."
    )
    kinds: tuple[Literal["chat", "image"], ...] = Field(("chat",), min_length=1)
    prices: Path | None = Field(None, description="Price table in place of the bundled one.")
    price: Price | None = Field(None, description="Price of this model, in place of any table.")
    max_bytes: PositiveInt = Field(check.MAX_BYTES, description="Largest answer that is accepted.")

    @field_validator("api_key")
    @classmethod
    def _no_literal(cls, key: str) -> str:
        if key != "none" and REFERENCE.fullmatch(key) is None:
            raise ValueError(
                "api_key holds a key in the open; write ${env:NAME}, or none for an endpoint without keys"
            )
        return key

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if not has_reference(url) and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"'{url}' is no http:// or https:// address")
        if "@" in parts.netloc and not has_reference(parts.netloc):
            raise ValueError("base_url holds a user name or password; use api_key: ${env:NAME}")
        return url

    def build(self, context: BuildContext) -> Model:
        """Fill in the environment variables and find the price; nothing is sent yet."""
        from genrec_eval.models.openai_model import OpenAIModel

        url = expanded(self.base_url, "base_url", context.name)
        key = expanded(self.api_key, "api_key", context.name)
        table = read_prices(context.prices if self.prices is None else context.folder / self.prices)
        price = self.price or table.price(urlsplit(url).hostname or "", self.model)
        source = None
        if price is not None:
            source = "the suite" if self.price else f"{table.source}, as of {table.as_of.isoformat()}"
        return OpenAIModel(self, context.name, url, key, price, source)
