"""What the errors of the ``openai`` package mean for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec_eval.core.secrets import scrub
from genrec_eval.models.check import Malformed, malformed
from genrec_eval.models.openai_answers import Reported
from genrec_eval.models.transport import excerpt, retry_after
from genrec_eval.protocol.model import Call, Fatal, Transient
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status

if TYPE_CHECKING:
    import openai

    from genrec_eval.models.openai import OpenAISpec

_NO_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_OWN_SETTINGS = frozenset(
    {"unsupported_parameter", "unsupported_value", "unknown_parameter", "model_not_found"}
)
_DECLINED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})


class TooLarge(Exception):
    """The endpoint sent more than the model may answer."""


def explain(error: Exception, where: str, spec: OpenAISpec, call: Call) -> Answer:
    """Return the answer that ``error`` is, or raise what it means; other exceptions pass.

    Raises
    ------
    Transient, Fatal
        When asking again may help, and when asking anything is useless.
    """
    import httpx2
    import openai

    if isinstance(error, Reported):
        return Answer(status=Status.ERROR, error=str(error))
    if isinstance(error, openai.APITimeoutError):
        heard = not isinstance(error.__cause__, httpx2.ConnectTimeout)
        raise Transient(
            Status.TIMEOUT, f"{where} did not answer in {call.timeout:g} s", reached=heard
        ) from None
    if isinstance(error, openai.APIConnectionError):
        cause: BaseException = error.__cause__ or error
        if isinstance(cause, TooLarge):
            return malformed(Malformed(str(cause), Status.OVERSIZED), None)
        heard = not isinstance(cause, httpx2.ConnectError)
        raise Transient(Status.UNAVAILABLE, _lost(where, cause), reached=heard) from None
    if isinstance(error, openai.APIStatusError):
        return _status(error, where, spec)
    if isinstance(error, httpx2.TimeoutException):
        raise Transient(Status.TIMEOUT, f"{where} did not go on within {call.timeout:g} s") from None
    if isinstance(error, httpx2.HTTPError | httpx2.StreamError):
        raise Transient(Status.UNAVAILABLE, _lost(where, error)) from None
    raise error


def _lost(where: str, cause: BaseException) -> str:
    if type(cause).__name__ == "RemoteProtocolError":
        return f"{where} cut its answer off: {scrub(str(cause))}"
    return f"{where} cannot be reached: {scrub(str(cause)) or type(cause).__name__}"


def _status(error: openai.APIStatusError, where: str, spec: OpenAISpec) -> Answer:
    code, kind = error.status_code, error.code or error.type or ""
    body = error.body
    told = body.get("message") if isinstance(body, dict) else None
    said = excerpt(told if isinstance(told, str) else error.message)
    what = f"{where} answered {code}"
    wait = retry_after(error.response.headers)
    if code in (401, 403):
        hint = "it wants an api_key" if spec.api_key == "none" else f"check api_key ({spec.api_key})"
        raise Fatal(f"{what}: {hint}{said}") from None
    if code == 404 or kind == "model_not_found":
        raise Fatal(f"{what}: check model '{spec.model}' and base_url{said}") from None
    if kind in _NO_QUOTA:
        raise Fatal(f"{what}: the account of {spec.api_key} has no quota left ({kind}){said}") from None
    if code == 429:
        raise Transient(Status.RATE_LIMITED, f"{what}{said}", wait) from None
    if code >= 500 or code in (408, 409, 425):
        raise Transient(Status.UNAVAILABLE, f"{what}{said}", wait) from None
    if kind in _OWN_SETTINGS:
        raise Fatal(f"{what}: it does not take these settings, see decoding ({kind}){said}") from None
    if kind in _DECLINED:
        return Answer(status=Status.REFUSED, error=f"{what}: declined ({kind}){said}")
    if kind == "context_length_exceeded":
        return Answer(
            status=Status.ERROR, error=f"{what}: the prompt is longer than the model's context ({kind}){said}"
        )
    return Answer(status=Status.ERROR, error=f"{what}{said}")
