"""How an exchange ended. Every status stays in the denominator that an estimate names."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Outcome of one exchange."""

    OK = "ok"
    REFUSED = "refused"  # the model declined
    TRUNCATED = "truncated"  # cut off by a length limit of the model
    UNPARSED = "unparsed"  # text came, but no answer could be read from it
    INVALID = "invalid"  # wrong length, wrong types, NaN, malformed JSON
    OVERSIZED = "oversized"  # larger than the suite allows
    ERROR = "error"  # the model raised, or its service answered with an error for good
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"  # 429 until the retries ran out
    UNAVAILABLE = "unavailable"  # no connection, 5xx, cut stream, dead process until the retries ran out
    MISSING = "missing"  # recorded answers hold none for this case
    NOT_ATTEMPTED = "not_attempted"  # a budget or a fault of the whole model stopped the play first
    LOGGED = "logged"  # nothing was asked: a log says what happened


TRANSIENT = frozenset({Status.TIMEOUT, Status.RATE_LIMITED, Status.UNAVAILABLE, Status.NOT_ATTEMPTED})
"""Statuses that a resumed run asks again."""

UNANSWERED = TRANSIENT | {Status.ERROR, Status.MISSING}
"""Statuses in which the model gave no answer at all."""

MALFORMED = frozenset({Status.INVALID, Status.OVERSIZED})
"""Statuses in which something came that is no answer: they count against the error budget too."""

FAILED = UNANSWERED | MALFORMED | {Status.UNPARSED}
"""Statuses in which nothing usable came; a refusal or a cut answer is an answer."""

CODES: tuple[Status, ...] = tuple(Status)
"""Status of each small integer used in columnar batches."""
