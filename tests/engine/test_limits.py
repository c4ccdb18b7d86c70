"""The adaptive limit on calls in flight."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.engine import limits
from genrec_eval.engine.limits import CALM, CUT, START, Limiter


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


def test_refusals_of_calls_sent_before_a_cut_do_not_cut_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: clock[0])
    limiter = Limiter(20)
    for _ in range(10):  # a slow service: all were sent at once, and are refused second after second
        limiter.in_flight += 1
        limiter.release("refused", since=99.0)
        clock[0] += 2
    assert limiter.limit == pytest.approx(20 * CUT)


def test_without_any_success_every_round_trip_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: clock[0])
    limiter = Limiter(20)
    for _ in range(12):
        clock[0] += 0.05
        limiter.in_flight += 1
        limiter.release("refused", since=clock[0] - 0.01)
    assert int(limiter.limit) == 1
    assert limiter.cuts == len(limiter.history) == 12
    assert limiter.history[0]["from"] == 20


def test_a_service_that_counts_calls_per_second_is_asked_at_about_its_rate() -> None:
    """25 calls a second with a fast answer: more than one in flight is too many, and so is one."""

    async def run() -> list[int]:
        limiter, loop = Limiter(64), asyncio.get_running_loop()
        last, gap = -1.0, 0.04

        async def one() -> int:
            nonlocal last
            attempt = 0
            while True:
                attempt += 1
                since = await limiter.acquire()
                await asyncio.sleep(0.002)
                if loop.time() - last >= gap:
                    last = loop.time()
                    limiter.release("ok", since)
                    break
                limiter.release("refused", since, gap)
            return attempt

        return await asyncio.wait_for(asyncio.gather(*(one() for _ in range(64))), 20)

    attempts = asyncio.run(run())
    assert max(attempts) <= 6  # the retries of the engine are enough for every call
    assert sum(attempts) < 3 * 64


def test_it_recovers_when_refusals_end() -> None:
    def run() -> float:
        limiter = Limiter(16)
        for _ in range(12):
            limiter.in_flight += 1
            limiter.release("refused", time.monotonic())
        assert int(limiter.limit) == 1
        limiter._not_before = float("-inf")  # the test does not wait
        for _ in range(1000):
            limiter.in_flight = int(limiter.limit)
            limiter.release("ok")
        return limiter.limit

    assert run() == 16


def test_waiting_for_the_time_to_pass_can_be_cancelled() -> None:
    async def run() -> int:
        limiter = Limiter(1)
        limiter.release("refused", await limiter.acquire(), wait=0.05)
        first = asyncio.create_task(limiter.acquire())
        second = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 1)
        return limiter.in_flight

    assert asyncio.run(run()) == 1


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
    for _ in range(CALM):
        limiter.in_flight = int(limiter.limit)
        limiter.release("ok")
        assert limiter.limit == before
    limiter.in_flight = int(limiter.limit)
    limiter.release("ok")
    assert limiter.limit > before


def test_an_idle_limit_does_not_grow() -> None:
    limiter = Limiter(64)
    for _ in range(50):
        limiter.in_flight = 1
        limiter.release("ok")
    assert limiter.limit == START


@given(st.lists(st.sampled_from(["ok", "refused", "failed", "other"]), max_size=60), st.integers(1, 50))
def test_never_more_in_flight_than_the_bound_and_nobody_starves(outcomes: list[str], most: int) -> None:
    monkeypatch = pytest.MonkeyPatch()

    async def run() -> int:
        limiter, peak = Limiter(most), 0

        async def one(outcome: str) -> None:
            nonlocal peak
            await limiter.acquire()
            peak = max(peak, limiter.in_flight)
            await asyncio.sleep(0)
            limiter.release(outcome)

        with monkeypatch.context() as patch:  # the pace at the floor is another test's matter
            patch.setattr(limits, "_FIRST_GAP", 1e-4)
            patch.setattr(limits, "_LONGEST_GAP", 1e-3)
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
