"""The one place that touches the ``openai`` package's client and the transport under it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import openai

from genrec_eval.models.openai_errors import TooLarge


@cache
def transport() -> Any:
    """The HTTP module that the installed ``openai`` is built on: httpx, or its successor."""
    for parent in openai.DefaultAsyncHttpxClient.__mro__:
        if parent.__name__ == "AsyncClient":
            return importlib.import_module(parent.__module__.partition(".")[0])
    raise ImportError("this version of the openai package has no httpx-like client")


def make_client(base_url: str, api_key: str, organization: str | None, max_bytes: int) -> tuple[Any, Any]:
    """A client without retries and with as many connections as needed, and the type of raw responses."""
    web = transport()

    class Bounded(web.AsyncByteStream):  # type: ignore[name-defined]
        """A body that ends with an error once it is too long."""

        def __init__(self, inner: Any, limit: int) -> None:
            self._inner, self._limit = inner, limit

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._inner:
                size += len(chunk)
                if size > self._limit:
                    raise TooLarge(f"the answer is larger than {max_bytes:,} bytes (max_bytes)")
                yield chunk

        async def aclose(self) -> None:
            await self._inner.aclose()

    async def bound(response: Any) -> None:
        # JSON may spell one character with six, and a stream wraps each token in an event.
        streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        response.stream = Bounded(response.stream, (64 if streamed else 8) * max_bytes)

    http = openai.DefaultAsyncHttpxClient(
        limits=web.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30.0),
        event_hooks={"request": [], "response": [bound]},
    )
    client = openai.AsyncOpenAI(
        api_key=api_key,
        base_url=base_url,
        organization=organization,
        max_retries=0,
        http_client=http,
        # Compressed bodies could swell past any limit; answers are short.
        default_headers={"Accept-Encoding": "identity"},
    )
    return client, web.Response
