"""Exchanges with an OpenAI-compatible endpoint.

The ``openai`` package does transport, authentication and errors; the body of an answer is read here
as plain JSON, because building its typed objects costs more than the rest of a call and would hide
what a malformed answer looked like.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from genrec_eval.core.errors import UsageError
from genrec_eval.core.secrets import scrub
from genrec_eval.models import check
from genrec_eval.models.openai_answers import ChatReader, image_answer
from genrec_eval.models.openai_errors import TooLarge, explain
from genrec_eval.models.spec import Price
from genrec_eval.models.transport import account, has_reference
from genrec_eval.protocol.model import Call, Model, Transient
from genrec_eval.protocol.requests import ChatRequest, ImageRequest, Message, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    from genrec_eval.models.openai import OpenAISpec


class OpenAIModel(Model):
    """Asks for chat completions and images."""

    def __init__(
        self,
        spec: OpenAISpec,
        name: str,
        base_url: str,
        api_key: str,
        price: Price | None,
        source: str | None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"model '{name}': base_url is no http:// or https:// address: {scrub(base_url)}")
        if not (api_key.isascii() and api_key.isprintable() and api_key.strip()):
            raise UsageError(f"model '{name}': the api_key is empty or holds a line break")
        self.kinds = frozenset(spec.kinds)
        place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        self._where = scrub(place.rstrip("/"))
        self.endpoint = f"{self._where}#{account(api_key, spec.organization or '')}"
        self._spec, self._price, self._price_source = spec, price, source
        self._base_url, self._api_key = base_url, api_key
        self._body = {"model": spec.model, **spec.decoding.body()}
        self._client: Any = None

    def identity(self) -> dict[str, Any]:
        """Address, model, revision and decoding; never the key."""
        spec = self._spec
        identity: dict[str, Any] = {
            "adapter": "openai",
            "base_url": spec.base_url,
            "model": spec.model,
            "revision": spec.revision,
            "decoding": spec.decoding.body(),
            "logprobs": spec.logprobs,
        }
        if has_reference(spec.base_url):  # another address must not be served from this one's answers
            identity["base_url_digest"] = account(self._base_url)
        return identity

    def facts(self) -> dict[str, Any]:
        """Where the price comes from; worth showing beside a cost."""
        return {
            "price": None if self._price is None else self._price.model_dump(),
            "source": self._price_source,
        }

    async def open(self) -> None:
        """Open one client; how many calls are in flight is the engine's matter, and so are retries."""
        from genrec_eval.models.openai_client import make_client

        self._client = make_client(
            self._base_url, self._api_key, self._spec.organization, self._spec.max_bytes
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def answer(self, request: Request, call: Call) -> Answer:
        """Ask once."""
        assert self._client is not None, "open() comes first"
        try:
            if isinstance(request, ChatRequest):
                if self._spec.stream:
                    return await self._streamed(request, call)
                return await self._chat(request, call)
            assert isinstance(request, ImageRequest)
            return await self._image(request, call)
        except Transient:
            raise
        except TooLarge as error:
            return check.malformed(check.Malformed(str(error), Status.OVERSIZED), None)
        except check.Malformed as error:
            return check.malformed(error, None)
        except Exception as error:
            return explain(error, self._where, self._spec, call)

    async def _chat(self, request: ChatRequest, call: Call) -> Answer:
        import httpx2

        response = await self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            body=self._chat_body(request, call),
            options={"timeout": call.timeout},
        )
        reader = ChatReader(self._price, self._spec.max_bytes)
        try:
            reader.whole(check.decode(response.content), self._where)
            return reader.answer()
        except check.Malformed as error:
            return check.malformed(error, response.content)

    async def _streamed(self, request: ChatRequest, call: Call) -> Answer:
        body = self._chat_body(request, call)
        reader = ChatReader(self._price, self._spec.max_bytes)
        first: float | None = None
        async with self._client.chat.completions.with_streaming_response.create(
            model=body.pop("model"),
            messages=body.pop("messages"),
            stream=True,
            stream_options={"include_usage": True},
            extra_body=body,
            timeout=call.timeout,
        ) as response:
            try:
                async for event in _events(response, self._spec.max_bytes):
                    if reader.piece(event, self._where) and first is None:
                        first = time.time()
            except check.Malformed as error:
                return check.malformed(error, reader.raw, first)
        if not reader.finished:
            raise Transient(
                Status.UNAVAILABLE, f"{self._where} ended its stream before the answer was complete"
            )
        return reader.answer(first)

    async def _image(self, request: ImageRequest, call: Call) -> Answer:
        body = {**self._body, "prompt": request.prompt}
        if request.size is not None:
            body["size"] = f"{request.size[0]}x{request.size[1]}"
        if request.user is not None:
            body["user"] = request.user
        if self._spec.model.startswith("dall-e"):  # newer models always answer so, and refuse the field
            body.setdefault("response_format", "b64_json")
        if request.references:
            files = [
                (f"reference-{n}.{image.media_type.rpartition('/')[2]}", image.data, image.media_type)
                for n, image in enumerate(request.references)
            ]
            raw = await self._client.images.with_raw_response.edit(
                image=files[0] if len(files) == 1 else files,
                prompt=body.pop("prompt"),
                model=body.pop("model"),
                extra_body=body,
                timeout=call.timeout,
            )
            content = raw.http_response.content
        else:
            import httpx2

            options = {"timeout": call.timeout}
            response = await self._client.post(
                "/images/generations", cast_to=httpx2.Response, body=body, options=options
            )
            content = response.content
        try:
            return image_answer(check.decode(content), self._price, self._spec.max_bytes, self._where)
        except check.Malformed as error:
            return check.malformed(error, content)

    def _chat_body(self, request: ChatRequest, call: Call) -> dict[str, Any]:
        body = {**self._body, "messages": [_message(message) for message in request.messages]}
        if "seed" in body:
            body["seed"] += call.repeat
        logprobs = request.logprobs if request.logprobs is not None else self._spec.logprobs
        if logprobs is not None:
            body["logprobs"] = True
            if logprobs:
                body["top_logprobs"] = logprobs
        if request.user is not None:
            body["user"] = request.user
        return body


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.content}
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.content}]
    for image in message.images:
        data = base64.b64encode(image.data).decode()
        parts.append({"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}})
    return {"role": message.role, "content": parts}


async def _events(response: Any, max_bytes: int) -> AsyncIterator[bytes]:
    """Data of each server-sent event, up to the end mark.

    Lines end with a line feed alone: the client's own line reader would also cut at U+2028, which
    may stand inside a JSON string.
    """
    parts: list[bytes] = []  # of a line that has not ended; joined once, for it may come in many
    size = 0
    async for chunk in response.iter_bytes():
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*parts, lines[0]])
            parts, size = [], 0
        parts.append(rest)
        size += len(rest)
        if size > 8 * max_bytes:  # as much as JSON may need to spell max_bytes characters
            raise TooLarge(f"the answer is larger than {max_bytes:,} bytes (max_bytes)")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data = line[5:].strip()
                if data == b"[DONE]":
                    return
                yield data
            elif line and not line.startswith((b":", b"event:", b"id:", b"retry:")):
                shown = check.clip(line[:300].decode("utf-8", "replace"), 80)
                raise check.Malformed(f"the stream holds a line that is no event: {shown!r}")
