"""How many calls may be in flight: additive increase, multiplicative decrease, per endpoint and account."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

START = 20
CUT = 0.7
SETTLE = 1.0
"""Seconds after a cut in which further refusals, sent before it, do not cut again."""
PAUSE = 1.0
"""Seconds without growth after the service failed."""


class Limiter:
    """Adaptive limit on calls in flight.

    Doubles each round trip until the first refusal, then grows by one a round trip; a refusal
    (429) cuts by 30 %, once per second at most; a failure of the service (5xx) pauses growth.
    It grows only while the limit is really used.

    Parameters
    ----------
    most
        Upper bound.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(START, most))
        self.in_flight = 0
        self.history: list[dict[str, Any]] = []
        self._slow_start = True
        self._cut_at = self._failed_at = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a free place."""
        if self.in_flight < int(self.limit) and not self._waiting:
            self.in_flight += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the place was handed over just before the cancellation
            raise

    def release(self, outcome: str) -> None:
        """Give the place back; ``outcome`` is ``"ok"``, ``"refused"``, ``"failed"`` or ``"other"``."""
        now = time.monotonic()
        if outcome == "ok":
            used = bool(self._waiting) or self.in_flight >= 0.8 * int(self.limit)
            if used and self.limit < self.most and now - self._failed_at > PAUSE:
                step = 1.0 if self._slow_start else 1.0 / self.limit
                self.limit = min(float(self.most), self.limit + step)
        elif outcome == "refused":
            self._slow_start = False
            if now - self._cut_at > SETTLE:
                self._cut_at = now
                self.limit = max(1.0, self.limit * CUT)
                self.history.append({"at": time.time(), "limit": int(self.limit), "why": "refused"})
        elif outcome == "failed":
            self._failed_at = now
        self._leave()

    def _leave(self) -> None:
        self.in_flight -= 1
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
