"""The log of an experiment: which user was served by which arm on which day, and what came of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from genrec_eval.protocol.arrays import Float64, Int32


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposures:
    """Users in one arm each, and m exposures of them.

    Attributes
    ----------
    users
        pyarrow string array, n distinct ids, sorted.
    arms, arm
        Names, and int32[n], the arm of each user.
    user, day
        int32[m], row of ``users``, and days since the first day of the log.
    outcomes
        Name → float64[m], NaN where an exposure has no such outcome.
    before
        Outcome → float64[n], the same measured before the experiment; NaN where unknown.
    groups
        Name → pyarrow string array[n] to slice by; null where unknown.
    start
        The first day: a date, or its number in the log.
    shares
        Planned share of each arm; equal when None.
    digest, licence, source, facts
        As in :class:`~genrec_eval.data.dataset.Dataset`.
    """

    name: str
    users: pa.Array
    arms: tuple[str, ...]
    arm: Int32
    user: Int32
    day: Int32
    outcomes: Mapping[str, Float64]
    before: Mapping[str, Float64] = field(default_factory=dict)
    groups: Mapping[str, pa.Array] = field(default_factory=dict)
    start: datetime.date | int
    shares: Mapping[str, float] | None = None
    digest: str = ""
    licence: str | None = None
    source: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Days from the first to the last exposure."""
        return int(self.day.max()) + 1

    def label(self, day: int) -> str:
        """A day as people write it: ``2024-03-01``, or ``day 7`` where the log numbers its days."""
        if isinstance(self.start, int):
            return f"day {self.start + day}"
        return (self.start + datetime.timedelta(days=day)).isoformat()
