"""``${env:NAME}`` references: expanded at call time, scrubbed from whatever is written."""

from __future__ import annotations

import os
import re

from genrec_eval.core.errors import UsageError

REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_SHORTEST_SECRET = 6
_seen: dict[str, str] = {}


def expand(text: str) -> str:
    """Replace each ``${env:NAME}`` by the variable's value and remember it for :func:`scrub`.

    Raises
    ------
    UsageError
        When a variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        found = os.environ.get(name)
        if found is None:
            raise UsageError(f"environment variable {name} is not set; the suite refers to it as {match[0]}")
        if len(found) >= _SHORTEST_SECRET:
            _seen[found] = match[0]
        return found

    return REFERENCE.sub(value, text)


def scrub(text: str) -> str:
    """Put the references back in place of every expanded value."""
    for value, reference in _seen.items():
        text = text.replace(value, reference)
    return text
