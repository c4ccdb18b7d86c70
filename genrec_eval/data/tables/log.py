"""Rows as a file has them, before ids become codes: interactions, and cases that a source brings itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from genrec_eval.core.errors import UsageError

Unit = Literal["s", "ms", "us", "ns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What can be said about any table: where a row is, and how the file calls a column.

    Attributes
    ----------
    where
        Row (from 0) → ``"file line 7"``, for messages.
    names
        Role (``"user"``, ...) → the column's name in the file.
    unit
        Of numeric timestamps; told from their size when None.
    """

    where: Callable[[int], str]
    names: Mapping[str, str] = field(default_factory=dict)
    unit: Unit | None = None

    def fault(self, row: int, role: str, what: str) -> UsageError:
        """The sentence about one cell."""
        return UsageError(f"{self.where(row)}, column '{self.names.get(role, role)}': {what}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Rows):
    """Interactions, one row each.

    Attributes
    ----------
    user, item, rating, timestamp
        Columns of any type that makes sense.
    """

    user: pa.ChunkedArray
    item: pa.ChunkedArray
    rating: pa.ChunkedArray | None
    timestamp: pa.ChunkedArray | None

    @classmethod
    def empty(cls) -> Log:
        """No interactions: for a source that has nothing but test cases."""
        none = pa.chunked_array([], pa.string())
        return cls(user=none, item=none, rating=None, timestamp=None, where=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLog(Rows):
    """Evaluation cases of the source, one row each.

    Attributes
    ----------
    user
        Ids.
    truth
        Lists of item ids.
    history
        Lists of item ids, oldest first; None for the user's interactions.
    candidates
        Lists of item ids that were shown; None when the source does not say.
    timestamp
        Column of times, or None.
    """

    user: pa.ChunkedArray
    truth: pa.ChunkedArray
    history: pa.ChunkedArray | None = None
    candidates: pa.ChunkedArray | None = None
    timestamp: pa.ChunkedArray | None = None
