"""What went wrong most often: a few sentences that stand for any number of failed exchanges."""

from __future__ import annotations

import hashlib
import heapq
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec_eval.protocol.status import FAILED, Status

if TYPE_CHECKING:
    import pyarrow as pa

_WORDS = {Status.MISSING: "nothing is recorded for the case", Status.UNPARSED: "no answer could be read"}
SHOWN = 5
_MOST_KINDS = 4096
_LONGEST = 300
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d,.]*")


@dataclass(slots=True)
class _Kind:
    """Sentences that differ in numbers and quoted words alone."""

    count: int
    first: str
    last: str
    """First and last sentence of the alphabet: an example that no order of arrival changes."""


class Failures:
    """Counts the error sentences of failed exchanges, by kind, with bounded memory.

    Where there are more kinds than are kept, those with the smallest digests stay: which ones does not
    depend on the order in which they came, and their counts are exact.
    """

    def __init__(self, most: int = _MOST_KINDS) -> None:
        self.total = 0
        self._most = most
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._largest: list[tuple[int, tuple[str, str]]] = []

    def add(self, statuses: pa.Array, errors: pa.Array) -> None:
        """Count the failures of one batch; ``statuses`` is dictionary-encoded."""
        import numpy as np
        import pyarrow as pa

        failed = np.array([word in FAILED for word in statuses.dictionary.to_pylist()], bool)
        rows = failed[statuses.indices.to_numpy()]
        if not rows.any():
            return
        chosen = pa.table({"status": statuses.cast(pa.string()), "error": errors.cast(pa.string())}).filter(
            pa.array(rows)
        )
        counted = chosen.group_by(["status", "error"]).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            error = row["error"] or _WORDS.get(Status(row["status"]), "")
            self._count(row["status"], error, row["count_all"])

    def sentence(self, of: int, what: str = "cases") -> str | None:
        """The failures in one sentence, most frequent first; None when there were none.

        Parameters
        ----------
        of
            Exchanges in all.
        what
            What was counted.

        >>> failures = Failures()
        >>> failures._count("error", "KeyError: 'u7' (model.py:3)", 2)
        >>> failures._count("error", "KeyError: 'u1' (model.py:3)", 1)
        >>> failures.sentence(10)
        "3 of 10 cases failed: error: KeyError: 'u1' (model.py:3), and the like (3)"
        """
        if not self.total:
            return None
        ranked = sorted(self._kinds.items(), key=lambda pair: (-pair[1].count, pair[0]))
        told = []
        for (status, _), kind in ranked[:SHOWN]:
            like = ", and the like" if kind.first != kind.last else ""
            told.append(f"{status}{': ' if kind.first else ''}{kind.first}{like} ({kind.count:,})")
        if rest := self.total - sum(kind.count for _, kind in ranked[:SHOWN]):
            told.append(f"other errors ({rest:,})")
        return f"{self.total:,} of {of:,} {what} failed: {'; '.join(told)}"

    def _count(self, status: str, error: str, n: int) -> None:
        self.total += n
        line = _ADDRESS.sub("0x…", " ".join(error[: 4 * _LONGEST].split()))  # an address differs each time
        line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
        name = (status, _VARYING.sub("…", line))
        kind = self._kinds.get(name)
        if kind is not None:
            kind.count += n
            kind.first, kind.last = min(kind.first, line), max(kind.last, line)
            return
        digest = int.from_bytes(hashlib.sha256("\x1f".join(name).encode("utf-8", "replace")).digest()[:8])
        if len(self._kinds) >= self._most:
            if digest >= -self._largest[0][0]:
                return
            del self._kinds[heapq.heapreplace(self._largest, (-digest, name))[1]]
        else:
            heapq.heappush(self._largest, (-digest, name))
        self._kinds[name] = _Kind(n, line, line)
