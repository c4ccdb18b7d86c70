"""Where two lists of leaves differ: rows edited, deleted, inserted, moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from genrec_eval.protocol.row_digests import UInt8

What = Literal["edited", "deleted", "inserted", "moved"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a file.

    Attributes
    ----------
    row
        Where it was when it was hashed, from 0; of an inserted row, where it is now.
    at
        Where it is now; None for a deleted row.
    """

    what: What
    row: int
    at: int | None


def changes(stored: UInt8, now: UInt8) -> list[Change]:
    """What was done to rows between two hashings, in the order of the file.

    Parameters
    ----------
    stored, now
        uint8[n, 32] and uint8[m, 32].

    Examples
    --------
    >>> import numpy as np
    >>> a, b, c, d = (np.full((1, 32), i, np.uint8) for i in range(4))
    >>> changes(np.vstack([a, b, c]), np.vstack([a, c]))
    [Change(what='deleted', row=1, at=None)]
    >>> changes(np.vstack([a, b, c]), np.vstack([a, d, c]))
    [Change(what='edited', row=1, at=1)]
    >>> [change.row for change in changes(np.vstack([a, b, c]), np.vstack([c, b, a]))]
    [0, 2]
    """
    head = _common(stored, now)
    tail = _common(stored[head:][::-1], now[head:][::-1])
    old = [row.tobytes() for row in stored[head : len(stored) - tail]]
    new = [row.tobytes() for row in now[head : len(now) - tail]]
    gone, come = Counter(old), Counter(new)
    gone, come = gone - come, come - gone
    found: list[Change] = []
    i = j = 0
    while i < len(old) or j < len(new):
        if i < len(old) and j < len(new) and old[i] == new[j]:
            i, j = i + 1, j + 1
            continue
        deleted = i < len(old) and gone[old[i]] > 0
        inserted = j < len(new) and come[new[j]] > 0
        if deleted:
            gone[old[i]] -= 1
        if inserted:
            come[new[j]] -= 1
        both = deleted == inserted  # both are neither when each stands somewhere else
        what: What = ("edited" if deleted else "moved") if both else ("deleted" if deleted else "inserted")
        if what == "inserted":
            found.append(Change(what, head + j, head + j))
        else:
            found.append(Change(what, head + i, None if what == "deleted" else head + j))
        i += what != "inserted"
        j += what != "deleted"
    return found


def _common(left: UInt8, right: UInt8) -> int:
    """How many rows are equal from the beginning."""
    n = min(len(left), len(right))
    differs = (left[:n] != right[:n]).any(axis=1)
    return int(differs.argmax()) if differs.any() else n
