"""How many calls may be in flight: additive increase, multiplicative decrease, per endpoint and account."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

START = 20
CUT = 0.7
SETTLE = 1.0
"""Seconds after a cut in which a refusal does not cut again while other calls succeed."""
CALM = 5
"""Successes after a failure of the service before growth goes on."""
_FIRST_GAP, _LAST_GAP, _LONGEST_GAP = 0.1, 0.02, 60.0
_WIDEN, _NARROW = 1.5, 0.95
_KEPT = 200


class Limiter:
    """Adaptive limit on calls in flight.

    Doubles each round trip until the first refusal, then grows by one a round trip; a refusal
    (429) of a call that was sent after the last cut cuts by 30 %, once per second at most while
    others succeed. A failure of the service (5xx) pauses growth. It grows only while the limit is
    really used.

    One call in flight can still be too many for a service that counts calls per minute. Refused at
    that floor, the limiter sends nothing before the service's ``Retry-After`` has passed, then spaces
    the calls: half as far again apart at each refusal, a little closer at each success.

    Parameters
    ----------
    most
        Upper bound.

    Attributes
    ----------
    history
        The latest cuts: when, from and to which limit, and the gap between calls in seconds.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(START, most))
        self.in_flight = 0
        self.cuts = 0
        self.history: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._slow_start = True
        self._cut_at = self._not_before = float("-inf")
        self._succeeded = False
        self._calm = 0
        self._gap = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self) -> float:
        """Wait for a free place; return ``time.monotonic()`` at which it was given."""
        if not self._waiting and self._free():
            return self._enter()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._wake_later()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the place was handed over just before the cancellation
            raise
        return time.monotonic()

    def release(self, outcome: str, since: float | None = None, wait: float = 0.0) -> None:
        """Give the place back.

        Parameters
        ----------
        outcome
            ``"ok"``, ``"refused"``, ``"failed"``, or ``"other"`` when nothing was sent.
        since
            What :meth:`acquire` returned.
        wait
            Seconds that the service asked to wait.
        """
        now = time.monotonic()
        if outcome == "ok":
            self._grow()
        elif outcome == "refused":
            self._cut(now, now if since is None else since, wait)
        elif outcome == "failed":
            self._calm = CALM
        elif self._gap:  # nothing was sent: the next one need not keep its distance
            self._not_before = now
        self._leave()

    def describe(self) -> dict[str, Any]:
        """What ``run.json`` keeps."""
        return {"limit": int(self.limit), "most": self.most, "cuts": self.cuts, "history": [*self.history]}

    def _grow(self) -> None:
        self._succeeded = True
        if self._calm:
            self._calm -= 1
        elif self._gap:
            self._gap = self._gap * _NARROW if self._gap > _LAST_GAP else 0.0
        elif (self._waiting or self.in_flight >= 0.8 * int(self.limit)) and self.limit < self.most:
            step = 1.0 if self._slow_start else 1.0 / self.limit
            self.limit = min(float(self.most), self.limit + step)

    def _cut(self, now: float, since: float, wait: float) -> None:
        self._slow_start = False
        before = int(self.limit)
        if before == 1:
            self._gap = min(max(self._gap * _WIDEN, _FIRST_GAP), _LONGEST_GAP)
            self._not_before = max(self._not_before, now + max(min(wait, _LONGEST_GAP), self._gap))
        elif since <= self._cut_at or (self._succeeded and now - self._cut_at <= SETTLE):
            return
        self._cut_at, self._succeeded = now, False
        self.limit = max(1.0, self.limit * CUT)
        self.cuts += 1
        self.history.append(
            {"at": time.time(), "from": before, "to": int(self.limit), "gap": round(self._gap, 3)}
        )

    def _free(self) -> bool:
        return self.in_flight < int(self.limit) and time.monotonic() >= self._not_before

    def _enter(self) -> float:
        self.in_flight += 1
        now = time.monotonic()
        if self._gap:
            self._not_before = max(self._not_before, now + self._gap)
        return now

    def _leave(self) -> None:
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._free():
            place = self._waiting.popleft()
            if not place.done():
                self._enter()
                place.set_result(None)
        self._wake_later()

    def _wake_later(self) -> None:
        """Nobody else would wake those who wait for the time to pass."""
        seconds = self._not_before - time.monotonic()
        if self._timer is None and self._waiting and seconds > 0:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._admit()
