"""Errors a user is meant to read: one sentence that says what, where and what would fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of ``genrec-eval``."""

    PASS = 0
    CLAIM_FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    INCONCLUSIVE = 4


class GenrecError(Exception):
    """A fault with a sentence for the user; shown without a traceback unless ``--debug``.

    Parameters
    ----------
    message
        One sentence: what is wrong, where, and what would fix it.
    """

    exit_code: Exit = Exit.USAGE


class UsageError(GenrecError, ValueError):
    """The command, the suite file or the data is not as it should be.

    A ValueError too, so that a validator of a suite's options may raise it and keeps its place.
    """


class MissingData(UsageError):
    """Public data that the suite names are not here; the sentence says where to get them."""


class IncompleteError(GenrecError):
    """The run could not be finished; what was answered is kept and a rerun resumes."""

    exit_code = Exit.INCOMPLETE


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known word, else an empty string.

    >>> did_you_mean("modles", ["models", "scenarios"])
    "; did you mean 'models'?"
    >>> did_you_mean("zzz", ["models"])
    ''
    """
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f"; did you mean '{lowered[close[0]]}'?" if close else ""
