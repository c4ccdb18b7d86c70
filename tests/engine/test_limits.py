"""The adaptive limit on calls in flight."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.engine import limits
from genrec_eval.engine.limits import CUT, START, Limiter


def test_it_doubles_a_round_trip_until_the_bound() -> None:
    async def rounds() -> list[int]:
        limiter, seen = Limiter(100), []
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(400)]
        for _ in range(4):
            await asyncio.sleep(0)
            seen.append(limiter.in_flight)
            for _ in range(limiter.in_flight):
                limiter.release("ok")
        for task in waiting:
            task.cancel()
        return seen

    assert asyncio.run(rounds()) == [START, 2 * START, 4 * START, 100]


def test_one_burst_of_refusals_cuts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: clock[0])
    limiter = Limiter(20)
    for _ in range(10):
        limiter.in_flight += 1
        limiter.release("refused")
    assert limiter.limit == pytest.approx(20 * CUT)
    clock[0] += 5
    limiter.in_flight += 1
    limiter.release("refused")
    assert limiter.limit == pytest.approx(20 * CUT * CUT)


def test_growth_after_a_refusal_is_one_a_round_trip_and_pauses_after_a_failure() -> None:
    limiter = Limiter(64)
    limiter.in_flight = 20
    limiter.release("refused")
    start = limiter.limit
    for _ in range(int(start)):
        limiter.in_flight = int(limiter.limit)
        limiter.release("ok")
    assert limiter.limit == pytest.approx(start + 1, abs=0.1)
    limiter.in_flight = 2
    limiter.release("failed")
    before = limiter.limit
    limiter.in_flight = int(limiter.limit)
    limiter.release("ok")
    assert limiter.limit == before


def test_an_idle_limit_does_not_grow() -> None:
    limiter = Limiter(64)
    for _ in range(50):
        limiter.in_flight = 1
        limiter.release("ok")
    assert limiter.limit == START


@given(st.lists(st.sampled_from(["ok", "refused", "failed", "other"]), max_size=60), st.integers(1, 50))
def test_never_more_in_flight_than_the_bound_and_nobody_starves(outcomes: list[str], most: int) -> None:
    async def run() -> int:
        limiter, peak = Limiter(most), 0

        async def one(outcome: str) -> None:
            nonlocal peak
            await limiter.acquire()
            peak = max(peak, limiter.in_flight)
            await asyncio.sleep(0)
            limiter.release(outcome)

        await asyncio.wait_for(asyncio.gather(*map(one, outcomes)), 5)
        assert limiter.in_flight == 0
        return peak

    assert asyncio.run(run()) <= most


def test_a_cancelled_waiter_gives_its_place_on() -> None:
    async def run() -> int:
        limiter = Limiter(1)
        await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        last = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        limiter.release("ok")  # hands the place to the first waiter ...
        waiting.cancel()  # ... which is cancelled before it runs
        await asyncio.wait_for(last, 1)
        return limiter.in_flight

    assert asyncio.run(run()) == 1
