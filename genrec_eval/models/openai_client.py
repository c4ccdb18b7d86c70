"""The one place that touches the ``openai`` package's client and the transport under it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai

from genrec_eval.models.openai_errors import TooLarge


class Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error once it is too long."""

    def __init__(self, inner: Any, limit: int, max_bytes: int) -> None:
        self._inner, self._limit, self._max_bytes = inner, limit, max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > self._limit:
                raise TooLarge(f"the answer is larger than {self._max_bytes:,} bytes (max_bytes)")
            yield chunk

    async def aclose(self) -> None:
        """Close the body."""
        await self._inner.aclose()


def make_client(base_url: str, api_key: str, organization: str | None, max_bytes: int) -> Any:
    """A client without retries and with as many connections as needed."""

    async def bound(response: httpx2.Response) -> None:
        # JSON may spell one character with six, and a stream wraps each token in an event.
        streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        response.stream = Bounded(response.stream, (64 if streamed else 8) * max_bytes, max_bytes)

    http = openai.DefaultAsyncHttpxClient(
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30.0),
        event_hooks={"request": [], "response": [bound]},
    )
    return openai.AsyncOpenAI(
        api_key=api_key,
        base_url=base_url,
        organization=organization,
        max_retries=0,
        http_client=http,
        # Compressed bodies could swell past any limit; answers are short.
        default_headers={"Accept-Encoding": "identity"},
    )
