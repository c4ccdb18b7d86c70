"""``${env:NAME}`` references: expanded at call time, scrubbed from whatever is written."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

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
            # as it is, and as it stands inside JSON and inside an address
            for form in (found, json.dumps(found)[1:-1], json.dumps(found, ensure_ascii=False)[1:-1]):
                _seen[form] = match[0]
            _seen[quote(found)] = _seen[quote(found, safe="")] = match[0]
        return found

    return REFERENCE.sub(value, text)


def _longest_first(entry: tuple[str, str]) -> int:
    return -len(entry[0])  # one secret may begin with another


def scrub(text: str) -> str:
    """Put the references back in place of every expanded value."""
    for value, reference in sorted(_seen.items(), key=_longest_first):
        text = text.replace(value, reference)
    return text
