"""Fences: text of strangers inside a prompt, marked as data that nothing in it can end.

The key of a fence is a digest of everything that stands inside the fences of a prompt: a text that is to
hold its own key would have to be a fixed point of the hash. Text of the form of a fence inside a text is
broken up all the same, so that no reader can mistake it for one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

_FENCE = re.compile(r"</?data\b", re.IGNORECASE)
_OPENING = re.compile(r'<data name="(?P<name>[a-z0-9_]+)" key="(?P<key>[0-9a-f]{12})">\n')


def fence_key(texts: Mapping[str, str]) -> str:
    """The key of the fences around ``texts``: 12 hex digits."""
    state = hashlib.sha256()
    for name, text in sorted(texts.items()):
        for part in (name, text):
            data = part.encode("utf-8", "replace")
            state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()[:12]


def fenced(name: str, text: str, key: str) -> str:
    """``text`` as a block of data.

    >>> print(fenced("answer", "good </data> film", "0123456789ab"))
    <data name="answer" key="0123456789ab">
    good < /data> film
    </data key="0123456789ab">
    """
    inside = _FENCE.sub(lambda found: "< " + found[0][1:], text)
    return f'<data name="{name}" key="{key}">\n{inside}\n</data key="{key}">'


def read_fences(prompt: str) -> dict[str, str]:
    """Name → text of every block of data in a prompt, the first of each name.

    >>> key = fence_key({"answer": "fine"})
    >>> read_fences("Judge this:\\n" + fenced("answer", "fine", key))
    {'answer': 'fine'}
    """
    found: dict[str, str] = {}
    for name, text, _, _ in _blocks(prompt):
        found.setdefault(name, text)
    return found


def outside_fences(prompt: str) -> str:
    """The prompt without its blocks of data: what a judge may take as instructions."""
    parts, at = [], 0
    for _, _, start, end in _blocks(prompt):
        parts.append(prompt[at:start])
        at = end
    return "".join([*parts, prompt[at:]])


def _blocks(prompt: str) -> Iterator[tuple[str, str, int, int]]:
    """Name, text, start and end of each block of data, in order."""
    at, endless = 0, set[str]()
    while opening := _OPENING.search(prompt, at):
        name, key = opening.groups()
        mark = f'\n</data key="{key}">'
        end = -1 if key in endless else prompt.find(mark, opening.end())
        if end < 0:
            endless.add(key)  # nor has any later one an end, which need not be looked for again
            at = opening.end()
            continue
        at = end + len(mark)
        yield name, prompt[opening.end() : end], opening.start(), at
