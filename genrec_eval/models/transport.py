"""What web adapters share: waiting times, sentences about HTTP errors, secrets in settings."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from genrec_eval.core.errors import UsageError
from genrec_eval.core.secrets import REFERENCE, expand, scrub
from genrec_eval.models.check import clip, printable

LONGEST_WAIT = 24 * 3600.0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a service asked to wait: ``retry-after-ms``, or ``retry-after`` as seconds or date.

    >>> retry_after({"retry-after": "1.5"})
    1.5
    >>> retry_after({"retry-after": "soon"}) is None
    True
    """
    try:
        if (text := headers.get("retry-after-ms")) is not None:
            seconds = float(text) / 1000
        elif (text := headers.get("retry-after")) is None:
            return None
        elif text.strip().replace(".", "", 1).isdigit():
            seconds = float(text)
        else:
            when = parsedate_to_datetime(text)
            if when.tzinfo is None:  # the older form names no zone; all dates of HTTP are in GMT
                when = when.replace(tzinfo=UTC)
            seconds = when.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None


def excerpt(body: bytes | str) -> str:
    """The beginning of what a service said, on one line and without secrets; empty for nothing."""
    text = body[:2000].decode("utf-8", "replace") if isinstance(body, bytes) else body
    line = clip(" ".join(scrub(printable(text)).split()), 300)
    return f"; it says: {line}" if line else ""


def expanded(text: str, key: str, name: str) -> str:
    """``text`` with its ``${env:NAME}`` references filled in; ``key`` and ``name`` are for the error."""
    try:
        return expand(text)
    except UsageError as error:
        raise UsageError(f"model '{name}', {key}: {error}") from None


def account(*secrets: str) -> str:
    """Short name of an account that does not give its key away.

    >>> account("") == account("x")
    False
    """
    return hashlib.sha256("\x1f".join(("genrec-eval account", *secrets)).encode()).hexdigest()[:8]


def has_reference(text: str) -> bool:
    """Whether ``text`` refers to an environment variable."""
    return REFERENCE.search(text) is not None
