"""The ``http`` adapter: a JSON service is a model.

Each request is one ``POST``. The body is the wire form of the request::

    {"kind": "rank", "user": "u1", "history": ["a", "b"], "k": 10}

and the answer ``{"items": [...], "scores": [...]}``, ``{"ratings": [...]}``, ``{"text": "..."}`` or
``{"image": "<base64>"}``; ``{"error": "..."}`` reports that the model failed on this request.
``request`` and ``response`` adapt a service that has other names::

    request: {user_id: user, num: k}             # its field: ours
    response: {items: result.recs.0.ids}         # ours: path in its answer
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, PositiveInt, field_validator

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.secrets import scrub
from genrec_eval.models import check
from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.models.transport import account, excerpt, expanded, has_reference, retry_after
from genrec_eval.protocol.model import Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import Kind, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    import httpx2

AnswerField = Literal[
    "items", "scores", "ratings", "text", "finish_reason", "image", "media_type", "error", "usage"
]


_SECRET = re.compile(r"authorization|api[-_]?key|token|secret|cookie|password", re.IGNORECASE)
_FIELDS = (
    "kind",
    "user",
    "history",
    "k",
    "candidates",
    "profile",
    "wording",
    "items",
    "messages",
    "logprobs",
    "prompt",
    "references",
    "size",
)


class HttpSpec(ChatCapableSpec):
    """A service behind HTTP."""

    adapter: Literal["http"] = "http"
    url: str = Field(description="Address that takes POST; may hold ${env:NAME}.")
    headers: dict[str, str] = Field(default_factory=dict, description="Values may hold ${env:NAME}.")
    kinds: tuple[Kind, ...] = Field(("rank",), min_length=1, description="What the service answers.")
    request: dict[str, str] | None = Field(
        None, description="The service's field: field of the request; all fields as they are by default."
    )
    response: dict[AnswerField, str] = Field(
        default_factory=dict, description="Field of the answer: dotted path in what the service sends."
    )
    revision: str | None = Field(None, description="Version of the service; part of the cache key.")
    max_bytes: PositiveInt = Field(check.MAX_BYTES, description="Largest answer that is accepted.")

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if not has_reference(url) and parts.scheme not in ("http", "https"):
            raise ValueError(f"'{url}' is no http:// or https:// address")
        if "@" in parts.netloc and not has_reference(parts.netloc):
            raise ValueError("url holds a user name or password; send it in headers, as ${env:NAME}")
        for key, text in parse_qsl(parts.query):
            if _SECRET.search(key) and not has_reference(text):
                raise ValueError(
                    f"url holds the secret '{key}' in the open; write {key}=${{env:NAME}} instead"
                )
        return url

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        for key, text in headers.items():
            if _SECRET.search(key) and not has_reference(text):
                raise ValueError(f"header {key} holds its secret in the open; write ${{env:NAME}} instead")
        return headers

    @field_validator("request")
    @classmethod
    def _known_fields(cls, request: dict[str, str] | None) -> dict[str, str] | None:
        for theirs, ours in (request or {}).items():
            if ours not in _FIELDS:
                hint = did_you_mean(ours, _FIELDS)
                raise ValueError(
                    f"{theirs}: a request has no field '{ours}'{hint} (its fields: {', '.join(_FIELDS)})"
                )
        return request

    def build(self, context: BuildContext) -> HttpModel:
        """Fill in the environment variables; nothing is sent yet."""
        return HttpModel(self, context.name)


class HttpModel(Model):
    """Posts each request to a JSON service."""

    def __init__(self, spec: HttpSpec, name: str = "http") -> None:
        self.kinds = frozenset(spec.kinds)
        self._spec = spec
        self._url = expanded(spec.url, "url", name)
        self._headers = {key: expanded(text, f"headers: {key}", name) for key, text in spec.headers.items()}
        for key, text in self._headers.items():
            if not (text.isascii() and text.isprintable()):
                raise UsageError(
                    f"model '{name}', headers: {key} holds a line break or another control character"
                )
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"model '{name}': url is no http:// or https:// address: {scrub(self._url)}")
        # Never the query, and never user:password@: both may hold secrets that are no references.
        where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        self._where = scrub(where + parts.path)
        self.endpoint = f"{scrub(where)}#{account(*self._headers.values())}"
        self._client: httpx2.AsyncClient | None = None

    def identity(self) -> dict[str, Any]:
        """Address, names of headers, mapping and revision; values of headers only as references."""
        spec = self._spec
        identity: dict[str, Any] = {
            "adapter": "http",
            "url": spec.url,
            "headers": {
                key: text if has_reference(text) else account(text) for key, text in spec.headers.items()
            },
            "request": spec.request,
            "response": dict(spec.response),
            "revision": spec.revision,
        }
        if has_reference(spec.url):  # another address must not be served from this one's answers
            identity["url_digest"] = account(self._url)
        return identity

    async def open(self) -> None:
        """Open the connection pool; how many calls are in flight is the engine's matter."""
        import httpx2

        self._client = httpx2.AsyncClient(
            headers={"accept": "application/json", **self._headers},
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def answer(self, request: Request, call: Call) -> Answer:
        """Post the request once."""
        import httpx2
        import orjson

        assert self._client is not None, "open() comes first"
        content = orjson.dumps(self._outgoing(request))
        headers = {"content-type": "application/json"}
        try:
            async with self._client.stream(
                "POST", self._url, content=content, headers=headers, timeout=call.timeout
            ) as response:
                first = time.time()
                body = await _read(response, self._spec.max_bytes)
        except check.Malformed as error:
            return check.malformed(error, None)
        except httpx2.TimeoutException as error:
            raise Transient(
                Status.TIMEOUT,
                f"{self._where} did not answer in {call.timeout:g} s",
                reached=not isinstance(error, httpx2.ConnectTimeout),
            ) from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise Fatal(f"{self._where} cannot be asked: {scrub(str(error))}") from None
        except httpx2.DecodingError as error:
            return check.malformed(check.Malformed(f"the answer cannot be decompressed: {error}"), None)
        except httpx2.RemoteProtocolError as error:
            raise Transient(
                Status.UNAVAILABLE, f"{self._where} cut its answer off: {scrub(str(error))}"
            ) from None
        except httpx2.HTTPError as error:
            why = scrub(str(error)) or type(error).__name__
            raise Transient(
                Status.UNAVAILABLE,
                f"{self._where} cannot be reached: {why}",
                reached=not isinstance(error, httpx2.ConnectError),
            ) from None
        if 200 <= response.status_code < 300:
            pick = self._pick if self._spec.response else None
            return check.answer_from_json(
                request, body, max_bytes=self._spec.max_bytes, pick=pick, first=first
            )
        return self._complain(response, body, first)

    def _outgoing(self, request: Request) -> dict[str, Any]:
        wire = request.to_wire()
        if self._spec.request is None:
            return wire
        return {theirs: wire.get(ours) for theirs, ours in self._spec.request.items()}

    def _pick(self, payload: Any) -> dict[str, Any]:
        if not isinstance(payload, Mapping):
            raise check.Malformed("the answer is not a JSON object")
        found = {}
        for ours in get_args(AnswerField):
            path = self._spec.response.get(ours, ours)
            value = _follow(payload, path)
            if (
                value is None
                and ours in self._spec.response
                and ours in ("items", "ratings", "text", "image")
            ):
                keys = check.clip(", ".join(map(str, payload)), 200)
                raise check.Malformed(f"the answer has nothing at '{path}' (its keys: {keys or 'none'})")
            found[ours] = value
        return found

    def _complain(self, response: httpx2.Response, body: bytes, first: float) -> Answer:
        code = response.status_code
        said = excerpt(body)
        what = f"{self._where} answered {code} {response.reason_phrase}".rstrip()
        if code in (401, 403):
            given = ", ".join(self._spec.headers) or "none"
            raise Fatal(f"{what}: check the key in 'headers' of the model (given: {given}){said}")
        if code in (404, 405):
            raise Fatal(f"{what}: check 'url' of the model, which must take POST{said}")
        if 300 <= code < 400:
            to = scrub(response.headers.get("location", "nowhere"))
            raise Fatal(f"{what}, a redirection to {check.clip(to, 200)}: write the final address in 'url'")
        if code == 429:
            raise Transient(Status.RATE_LIMITED, f"{what}{said}", retry_after(response.headers))
        if code >= 500 or code in (408, 425):
            raise Transient(Status.UNAVAILABLE, f"{what}{said}", retry_after(response.headers))
        return Answer(status=Status.ERROR, error=f"{what}{said}", first=first)


async def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read the body, but not more than ``max_bytes`` of it."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise check.Malformed(
                f"the answer is larger than {max_bytes:,} bytes (max_bytes)", Status.OVERSIZED
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _follow(value: Any, path: str) -> Any:
    """Walk a dotted path through objects and lists; None when it leads nowhere."""
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
