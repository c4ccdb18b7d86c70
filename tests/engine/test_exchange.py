"""One exchange: cache, retries, limits, budgets, statuses."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from models_for_tests import Scripted, chat, echo, exchanger

from genrec_eval.engine import exchange as engine_exchange
from genrec_eval.engine.budget import Budget
from genrec_eval.engine.exchange import Exchanger, Policy, Stopped
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.limits import Limiter
from genrec_eval.protocol.model import Call, Fatal, Transient
from genrec_eval.protocol.requests import Image, ImageRequest, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, ImageResponse, Usage
from genrec_eval.protocol.status import Status


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_exchange, "BACKOFF", 0.001)


def ask(desk: Exchanger, text: str = "hello", repeat: int = 0) -> Any:
    return asyncio.run(desk.ask(chat(text), repeat))


def faulty(times: int, fault: Exception) -> Scripted:
    def reply(request: Request, call: Call, seen: int) -> Answer:
        if seen <= times:
            raise fault
        return echo(request, call, seen)

    return Scripted(reply)


def test_the_second_time_comes_from_the_journal(tmp_path: Path) -> None:
    model = Scripted(echo)
    first, _, cached_first = ask(exchanger(tmp_path, model))
    again, _, cached_again = ask(exchanger(tmp_path, model))
    assert (cached_first, cached_again) == (False, True)
    assert first.response == again.response
    assert sum(model.asked.values()) == 1


def test_repeats_are_independent_samples(tmp_path: Path) -> None:
    model = Scripted(echo)
    desk = exchanger(tmp_path, model)
    texts = {ask(desk, repeat=repeat)[0].response.text for repeat in range(3)}
    assert texts == {"0: hello", "1: hello", "2: hello"}
    assert sum(model.asked.values()) == 3


def test_another_revision_of_the_model_is_asked_anew(tmp_path: Path) -> None:
    ask(exchanger(tmp_path, Scripted(echo, version=1)))
    newer = Scripted(echo, version=2)
    _, _, cached = ask(exchanger(tmp_path, newer))
    assert not cached
    assert sum(newer.asked.values()) == 1


def test_the_same_question_in_flight_is_sent_once(tmp_path: Path) -> None:
    model = Scripted(echo)
    desk = exchanger(tmp_path, model)

    async def both() -> list[Any]:
        return await asyncio.gather(desk.ask(chat("same"), 0), desk.ask(chat("same"), 0))

    cached = sorted(reply[2] for reply in asyncio.run(both()))
    assert cached == [False, True]
    assert sum(model.asked.values()) == 1


@pytest.mark.parametrize("status", [Status.RATE_LIMITED, Status.UNAVAILABLE, Status.TIMEOUT])
def test_a_passing_fault_is_retried_and_the_attempts_are_kept(tmp_path: Path, status: Status) -> None:
    desk = exchanger(tmp_path, faulty(2, Transient(status, "later")))
    answer, exchange, _ = ask(desk)
    assert answer.status is Status.OK
    assert exchange.attempts == 3


def test_when_retries_run_out_the_status_says_so_and_a_resumed_run_asks_again(tmp_path: Path) -> None:
    model = faulty(3, Transient(Status.RATE_LIMITED, "slow down"))
    answer, exchange, _ = ask(exchanger(tmp_path, model, retries=2))
    assert (answer.status, answer.error, exchange.attempts) == (Status.RATE_LIMITED, "slow down", 3)
    answer, _, cached = ask(exchanger(tmp_path, model, retries=2))
    assert (answer.status, cached) == (Status.OK, False)


def test_retry_after_is_obeyed(tmp_path: Path) -> None:
    desk = exchanger(tmp_path, faulty(1, Transient(Status.RATE_LIMITED, "wait", retry_after=0.2)))
    started = time.monotonic()
    ask(desk)
    assert time.monotonic() - started >= 0.2


def test_a_fatal_fault_stops_the_model(tmp_path: Path) -> None:
    desk = exchanger(tmp_path, faulty(99, Fatal("the key was refused (401)")))
    with pytest.raises(Stopped, match="the key was refused"):
        ask(desk)
    with pytest.raises(Stopped, match="the key was refused"):
        ask(desk, "another")
    assert sum(desk.model.asked.values()) == 1  # type: ignore[attr-defined]


def test_a_dead_service_is_given_up(tmp_path: Path) -> None:
    desk = exchanger(tmp_path, faulty(99, Transient(Status.UNAVAILABLE, "refused")), retries=1, breaker=2)
    ask(desk, "a")
    ask(desk, "b")
    with pytest.raises(Stopped, match="given up after 2 unanswered cases in a row: refused"):
        ask(desk, "c")


def test_a_hang_of_a_service_is_retried_and_of_a_function_is_not(tmp_path: Path) -> None:
    class Hanging(Scripted):
        async def answer(self, request: Request, call: Call) -> Answer:
            self.asked["hung", 0] += 1
            await asyncio.sleep(60)
            raise AssertionError

    for endpoint, attempts in (("http://x", 3), ("", 1)):
        model = Hanging(echo, version=attempts)
        model.endpoint = endpoint
        answer, exchange, _ = ask(exchanger(tmp_path, model, retries=2, timeout=0.05))
        assert (answer.status, exchange.attempts) == (Status.TIMEOUT, attempts)
        assert answer.error == "no answer within 0.05 s"


def test_budgets_stop_before_the_next_call(tmp_path: Path) -> None:
    def costly(request: Request, call: Call, times: int) -> Answer:
        return Answer(response=ChatResponse(text="x"), usage=Usage(input_tokens=6, output_tokens=4, cost=0.5))

    for budget, allowed, sentence in (
        (Budget(calls=3), 3, "budget of 3 calls reached; raise engine.budget.calls"),
        (Budget(tokens=25), 3, "budget of 25 tokens reached"),
        (Budget(money=1.0), 2, "budget of 1 US dollars reached"),
        (Budget(seconds=0.0), 0, "budget of 0 seconds reached"),
    ):
        model = Scripted(costly, version=hash(sentence))
        desk = exchanger(tmp_path, model, budget=budget)
        for i in range(allowed):
            ask(desk, f"question {i}")
        with pytest.raises(Stopped, match=sentence):
            ask(desk, "one more")
        assert sum(model.asked.values()) == allowed


def test_an_oversized_answer_is_kept_beside_the_table(tmp_path: Path) -> None:
    huge = Scripted(lambda request, call, times: Answer(response=ChatResponse(text="x" * 10_000_000)))
    answer, exchange, _ = ask(exchanger(tmp_path, huge))
    assert answer.status is Status.OVERSIZED
    assert answer.response is None
    assert "10,000,011 bytes; at most 1,048,576" in (answer.error or "")
    assert (tmp_path / "blobs" / str(exchange.blob)).stat().st_size == 10_000_011


def test_an_image_comes_back_from_its_blob(tmp_path: Path) -> None:
    picture = Image(b"\x89PNG pixels", "image/png")
    model = Scripted(lambda request, call, times: Answer(response=ImageResponse(image=picture)))
    for cached in (False, True):
        desk = exchanger(tmp_path, model)
        answer, exchange, was_cached = asyncio.run(desk.ask(ImageRequest(prompt="a cat"), 0))
        assert was_cached is cached
        assert answer.response == ImageResponse(image=picture)
        assert (tmp_path / "blobs" / str(exchange.blob)).read_bytes() == picture.data
        assert str(exchange.blob).endswith(".png")


def test_secrets_never_reach_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genrec_eval.core.secrets import expand

    monkeypatch.setenv("TEST_KEY", "sk-very-secret-value")
    key = expand("${env:TEST_KEY}")

    def leaky(request: Request, call: Call, times: int) -> Answer:
        return Answer(
            response=ChatResponse(text=f"your key is {key}"), error=key, raw=key, meta={"header": key}
        )

    _, exchange, _ = ask(exchanger(tmp_path, Scripted(leaky)))
    for file in tmp_path.iterdir():
        if file.is_file():
            assert b"sk-very-secret-value" not in file.read_bytes()
    assert b"${env:TEST_KEY}" in (exchange.response or b"")


def test_never_more_calls_in_flight_than_the_limit(tmp_path: Path) -> None:
    model = Scripted(echo)
    desk = exchanger(tmp_path, model, most=5)

    async def many() -> None:
        await asyncio.gather(*(desk.ask(chat(str(i)), 0) for i in range(100)))

    asyncio.run(many())
    assert model.most_in_flight <= 5


def test_the_price_table_of_the_suite_replaces_the_bundled_one(tmp_path: Path) -> None:
    import genrec_eval
    from genrec_eval.serving.run import serve_in_thread

    (tmp_path / "prices.yaml").write_text(
        "as_of: 2026-11-01\nsource: a test\nendpoints:\n  '*':\n    echo: {input: 1.0, output: 3.0}\n"
    )
    with serve_in_thread() as server:
        run = genrec_eval.run(
            {
                "name": "priced",
                "prices": str(tmp_path / "prices.yaml"),
                "models": {
                    "echo": {
                        "adapter": "openai",
                        "base_url": f"{server.url}/v1",
                        "model": "echo",
                        "api_key": "none",
                    }
                },
                "scenarios": {
                    "talk": {"scenario": f"{Path(__file__).parent / 'models_for_tests.py'}:OneQuestion"}
                },
            },
            out=tmp_path / "run",
            quiet=True,
            report=False,
        )
    (row,) = run.directory.run["play"]
    assert row["cost"] == pytest.approx((row["input_tokens"] * 1.0 + row["output_tokens"] * 3.0) / 1e6)
    assert row["cost"] > 0


def test_a_service_that_was_never_there_is_given_up_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_exchange, "PATIENCE", 0.05)
    nobody = Transient(Status.UNAVAILABLE, "connection refused", reached=False)
    desk = exchanger(tmp_path, faulty(10**6, nobody), retries=10**6, breaker=3)
    with pytest.raises(Stopped, match=r"no connection from the first call on: connection refused"):
        ask(desk)
    assert desk.tally.attempts >= 3


def test_a_service_that_warms_up_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_exchange, "PATIENCE", 0.0)
    answer, exchange, _ = ask(
        exchanger(tmp_path, faulty(9, Transient(Status.UNAVAILABLE, "503")), retries=10, breaker=3)
    )
    assert (answer.status, exchange.attempts) == (Status.OK, 10)


def test_those_who_wait_for_a_retry_hear_at_once_that_the_model_was_given_up(tmp_path: Path) -> None:
    def reply(request: Request, call: Call, seen: int) -> Answer:
        if "first" in str(request):
            raise Transient(Status.RATE_LIMITED, "later", retry_after=50)
        raise Fatal("the key was revoked")

    desk = exchanger(tmp_path, Scripted(reply))

    async def both() -> list[Any]:
        waiting = asyncio.create_task(desk.ask(chat("first"), 0))
        await asyncio.sleep(0.05)
        asked = asyncio.create_task(desk.ask(chat("second"), 0))
        return await asyncio.wait_for(asyncio.gather(waiting, asked, return_exceptions=True), 5)

    assert [str(error) for error in asyncio.run(both())] == ["the key was revoked"] * 2
    # the attempt that was made counts against the budget of a resumed run
    assert desk.journal.spent()["calls"] == 1


def test_what_the_journal_holds_is_given_out_after_the_model_stopped(tmp_path: Path) -> None:
    model = Scripted(echo)
    ask(exchanger(tmp_path, model), "old")
    desk = exchanger(tmp_path, model, budget=Budget(calls=0))
    with pytest.raises(Stopped):
        ask(desk, "new")
    assert ask(desk, "old")[2]


def test_models_of_one_identity_ask_once_and_never_more_than_their_own_limit(tmp_path: Path) -> None:
    model = Scripted(echo)
    journal, limiter = Journal(tmp_path / "j"), Limiter(8)
    desks = [
        Exchanger(model, journal, limiter, Budget(), Policy(), tmp_path / "blobs", most) for most in (2, 8)
    ]

    async def many() -> list[Any]:
        return await asyncio.gather(*(desk.ask(chat(str(i)), 0) for i in range(30) for desk in desks))

    answers = asyncio.run(many())
    assert [one[0] for one in answers[::2]] == [one[0] for one in answers[1::2]]
    assert max(model.asked.values()) == 1
    slow = exchanger(tmp_path, Scripted(echo, version=2), most=8)
    slow = Exchanger(slow.model, journal, limiter, Budget(), Policy(), tmp_path / "blobs", 2)

    async def parallel() -> None:
        await asyncio.gather(*(slow.ask(chat(str(i)), 0) for i in range(30)))

    asyncio.run(parallel())
    assert slow.model.most_in_flight == 2  # type: ignore[attr-defined]


def test_a_lost_blob_is_asked_for_again(tmp_path: Path) -> None:
    picture = Image(b"\x89PNG pixels", "image/png")
    model = Scripted(lambda request, call, times: Answer(response=ImageResponse(image=picture)))
    for lost in (False, True):
        answer, exchange, cached = asyncio.run(
            exchanger(tmp_path, model).ask(ImageRequest(prompt="a cat"), 0)
        )
        assert (answer.response, cached) == (ImageResponse(image=picture), False), lost
        (tmp_path / "blobs" / str(exchange.blob)).unlink()


def test_the_longest_text_is_a_matter_of_this_run_and_not_of_the_one_that_asked(tmp_path: Path) -> None:
    model = Scripted(lambda request, call, times: Answer(response=ChatResponse(text="x" * 100)))
    for most, status, cached in ((1000, "ok", False), (50, "oversized", True), (1000, "ok", True)):
        answer, _, was_cached = ask(exchanger(tmp_path, model, max_text_bytes=most))
        assert (answer.status, was_cached) == (status, cached)
    other = Scripted(model.reply, version=2)
    for most, status, cached in ((50, "oversized", False), (60, "oversized", True), (1000, "ok", False)):
        answer, _, was_cached = ask(exchanger(tmp_path, other, max_text_bytes=most))
        assert (answer.status, was_cached) == (status, cached)


def test_images_of_a_request_lie_beside_the_journal(tmp_path: Path) -> None:
    model = Scripted(lambda request, call, times: Answer(response=ImageResponse(image=Image(b"new"))))
    old = Image(b"\x89PNG" * 1000)
    request = ImageRequest(prompt="a cat", references=(old,))
    _, exchange, _ = asyncio.run(exchanger(tmp_path, model).ask(request, 0))
    kept = orjson.loads(exchange.request)["references"][0]
    assert (tmp_path / "blobs" / f"{kept['sha256']}.png").read_bytes() == old.data
    assert len(exchange.request) < 300
    other = ImageRequest(prompt="a cat", references=(Image(b"another"),))
    _, second, cached = asyncio.run(exchanger(tmp_path, model).ask(other, 0))
    assert not cached
    assert second.key != exchange.key


@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        (ValueError("a bug"), Status.ERROR, "ValueError: a bug"),
        (TimeoutError("its own"), Status.ERROR, "TimeoutError: its own"),
        ("a string", Status.ERROR, "the adapter returned a str, not an Answer"),
        (Answer(), Status.INVALID, "ok without a response"),
        (Answer(response=ImageResponse(image=Image(b""))), Status.INVALID, "'chat' with a ImageResponse"),
        (Answer(response=ChatResponse(text="\ud800")), Status.INVALID, "the answer is no JSON"),
        (Answer(status=Status.INVALID, error="\ud800", raw="\ud800"), Status.INVALID, r"\?"),
    ],
)
def test_whatever_an_adapter_does_is_a_status(
    tmp_path: Path, given: Any, status: Status, sentence: str
) -> None:
    def reply(request: Request, call: Call, times: int) -> Any:
        if isinstance(given, Exception):
            raise given
        return given

    answer, _, _ = ask(exchanger(tmp_path, Scripted(reply)))
    assert answer.status is status
    assert re.search(sentence, str(answer.error))


def test_a_service_that_refuses_everything_is_given_up_and_nobody_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_exchange, "REFUSED", 0.3)
    model = faulty(10**6, Transient(Status.RATE_LIMITED, "quota", retry_after=0))
    desk = exchanger(tmp_path, model, most=30, retries=5, breaker=2)
    monkeypatch.setattr(desk, "_note_health", lambda answer, attempts: None)  # that would be another reason

    async def ask_on(number: int) -> None:
        for _ in range(99):
            await desk.ask(chat(str(number)), 0)

    async def one(number: int) -> None:
        with pytest.raises(Stopped, match=r"refusals and no answer in \d+ s: quota; run again"):
            await ask_on(number)

    async def everyone() -> float:
        began = time.monotonic()
        await asyncio.gather(*map(one, range(30)))
        return time.monotonic() - began

    assert asyncio.run(everyone()) < 20
    assert desk.limiter.in_flight == 0


def test_who_waits_for_a_place_can_still_be_cancelled(tmp_path: Path) -> None:
    async def play() -> None:
        desk = exchanger(tmp_path, Scripted(echo), most=1)
        await desk.limiter.acquire()
        task = asyncio.create_task(desk.ask(chat("hello"), 0))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        waiting = asyncio.create_task(desk.ask(chat("hello"), 0))
        await asyncio.sleep(0.01)
        desk._stop("given up")
        with pytest.raises(Stopped, match="given up"):
            await waiting
        assert desk.limiter.in_flight == 1

    asyncio.run(play())
