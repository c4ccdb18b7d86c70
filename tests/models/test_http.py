"""A JSON service as a model: what it gets, and every way in which it can fail."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.models.http import HttpSpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.models.transport import retry_after
from genrec_eval.protocol.model import Call, Fatal, Transient
from genrec_eval.protocol.requests import ChatRequest, Message, RankRequest, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, RankResponse
from genrec_eval.protocol.status import Status

RANK = RankRequest(user="u1", history=("a",), k=2)
CONTEXT = BuildContext(name="service", folder=Path(), training=None, seed=1)


def ask(url: str, asked: Request = RANK, timeout: float = 10, **settings: Any) -> Answer:
    model = HttpSpec.model_validate({"url": url, **settings}).build(CONTEXT)

    async def play() -> Answer:
        await model.open()
        try:
            return await model.answer(asked, Call(timeout=timeout))
        finally:
            await model.close()

    return asyncio.run(play())


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A real service: starlette under uvicorn."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request as Incoming
    from starlette.responses import JSONResponse, RedirectResponse, Response
    from starlette.routing import Route

    async def recommend(incoming: Incoming) -> Response:
        if incoming.headers.get("authorization") != "Bearer right-key":
            return JSONResponse({"detail": "bad key " + incoming.headers.get("authorization", "")}, 401)
        body = await incoming.json()
        if body["kind"] == "chat":
            return JSONResponse({"text": body["messages"][-1]["content"].upper()})
        return JSONResponse({"items": [f"{body['user']}-{n}" for n in range(body["k"])], "scores": [2, 1]})

    async def own(incoming: Incoming) -> Response:
        body = await incoming.json()
        return JSONResponse({"data": {"rows": [{"recs": [body["uid"], 7]}]}})

    app = Starlette(
        routes=[
            Route("/recommend", recommend, methods=["POST"]),
            Route("/own", own, methods=["POST"]),
            Route("/moved", lambda incoming: RedirectResponse("/recommend"), methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_a_service_answers_rank_and_chat(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_KEY", "right-key")
    headers = {"Authorization": "Bearer ${env:SERVICE_KEY}"}
    answer = ask(f"{service}/recommend", headers=headers)
    assert answer.response == RankResponse(items=("u1-0", "u1-1"), scores=(2.0, 1.0))
    assert answer.first is not None
    chat = ChatRequest(messages=(Message("user", "hello"),))
    said = ask(f"{service}/recommend", chat, headers=headers, kinds=["rank", "chat"])
    assert said.response == ChatResponse(text="HELLO")


def test_a_service_with_its_own_words_is_mapped(service: str) -> None:
    answer = ask(f"{service}/own", request={"uid": "user"}, response={"items": "data.rows.0.recs"})
    assert answer.response == RankResponse(items=("u1", "7"))
    astray = ask(f"{service}/own", request={"uid": "user"}, response={"items": "data.rows.1.recs"})
    assert astray.error == "the answer has nothing at 'data.rows.1.recs' (its keys: data)"


def test_a_wrong_key_ends_the_model_and_is_not_repeated_in_the_sentence(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_KEY", "wrong-key-9f8e")
    with pytest.raises(Fatal) as caught:
        ask(f"{service}/recommend", headers={"Authorization": "Bearer ${env:SERVICE_KEY}"})
    sentence = str(caught.value)
    assert "/recommend answered 401 Unauthorized: check the key in 'headers'" in sentence
    assert "given: Authorization" in sentence
    assert "wrong-key-9f8e" not in sentence
    assert "${env:SERVICE_KEY}" in sentence


def test_a_wrong_address_ends_the_model(service: str) -> None:
    with pytest.raises(Fatal, match="/nowhere answered 404 Not Found: check 'url' of the model"):
        ask(f"{service}/nowhere")
    with pytest.raises(Fatal, match="/moved answered 307 Temporary Redirect, a redirection to /recommend"):
        ask(f"{service}/moved")


@pytest.mark.parametrize(
    ("status", "headers", "expected", "wait", "sentence"),
    [
        (
            "429 Too Many Requests",
            ["retry-after: 3"],
            Status.RATE_LIMITED,
            3.0,
            "answered 429 Too Many Requests",
        ),
        ("429 Too Many Requests", [], Status.RATE_LIMITED, None, "it says: busy"),
        ("503 Service Unavailable", ["retry-after: 0.5"], Status.UNAVAILABLE, 0.5, "answered 503"),
        ("500 Internal Server Error", [], Status.UNAVAILABLE, None, "answered 500"),
        ("408 Request Timeout", [], Status.UNAVAILABLE, None, "answered 408"),
    ],
)
def test_trouble_that_may_pass_is_transient(
    raw_server: Any,
    reply: Any,
    status: str,
    headers: list,
    expected: Status,
    wait: float | None,
    sentence: str,
) -> None:
    raw_server.reply = reply(status, "busy", *headers)
    with pytest.raises(Transient, match=sentence) as caught:
        ask(raw_server.address + "/r")
    assert (caught.value.status, caught.value.retry_after) == (expected, wait)


def test_other_refusals_are_the_answer_to_this_request(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("422 Unprocessable Entity", '{"detail": "no such user"}')
    answer = ask(raw_server.address + "/r")
    assert answer.status is Status.ERROR
    assert answer.error is not None
    assert answer.error.endswith('/r answered 422 Unprocessable Entity; it says: {"detail": "no such user"}')


def test_nobody_there() -> None:
    with pytest.raises(Transient, match="cannot be reached: ") as caught:
        ask("http://127.0.0.1:9/r")  # the discard port: nothing listens
    assert caught.value.status is Status.UNAVAILABLE


def test_silence_is_a_timeout(raw_server: Any) -> None:
    raw_server.reply = lambda body: None
    with pytest.raises(Transient, match=r"did not answer in 0\.1 s") as caught:
        ask(raw_server.address, timeout=0.1)
    assert caught.value.status is Status.TIMEOUT


@pytest.mark.parametrize("cut", ["length", "chunks", "nothing"])
def test_an_answer_cut_off_is_transient(raw_server: Any, reply: Any, cut: str) -> None:
    if cut == "length":
        raw_server.reply = reply("200 OK", '{"items": ["a"', length=500)
    elif cut == "chunks":
        raw_server.reply = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"ite\r\n'
    else:
        raw_server.reply = b""
    with pytest.raises(Transient, match="cut its answer off: ") as caught:
        ask(raw_server.address)
    assert caught.value.status is Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"items": ["a"', "the answer is not JSON"),
        ("<html>proxy error</html>", "the answer is not JSON"),
        ('{"items": [1.5]}', "items[0] is a float; ids are strings or integers"),
        ('{"items": ["a"], "scores": [NaN]}', "scores holds NaN at position 0"),
        ('{"recs": []}', "the answer has no 'items' (its keys: recs)"),
    ],
)
def test_a_whole_answer_that_makes_no_sense_is_invalid(
    raw_server: Any, reply: Any, body: str, sentence: str
) -> None:
    raw_server.reply = reply("200 OK", body)
    answer = ask(raw_server.address)
    assert answer.status is Status.INVALID
    assert sentence in str(answer.error)
    assert answer.raw == body


def test_an_answer_without_end_is_not_read_to_the_end(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("200 OK", b'{"items": ["' + b"x" * 200_000 + b'"]}')
    answer = ask(raw_server.address, max_bytes=100_000)
    assert (answer.status, answer.error) == (
        Status.OVERSIZED,
        "the answer is larger than 100,000 bytes (max_bytes)",
    )


def test_what_is_sent_is_the_wire_form(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("200 OK", '{"items": []}')
    ask(raw_server.address + "/v1/rec?tenant=7", headers={"X-Tenant": "blue"})
    head, _, body = raw_server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/rec?tenant=7 HTTP/1.1")
    assert b"blue" in head
    assert orjson.loads(body) == RANK.to_wire()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"url": "ftp://x"}, "is no http:// or https:// address"),
        ({"url": "http://me:secret@x/"}, "url holds a user name or password"),
        ({"url": "http://x/?api_key=abc"}, "url holds the secret 'api_key' in the open"),
        ({"url": "http://x", "headers": {"Authorization": "Bearer abc"}}, "holds its secret in the open"),
        (
            {"url": "http://x", "request": {"uid": "usr"}},
            "a request has no field 'usr'; did you mean 'user'?",
        ),
        ({"url": "http://x", "kinds": []}, "at least 1"),
        ({"url": "http://x", "urls": 1}, "unknown key 'urls'; did you mean 'url'?"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpSpec.model_validate(settings)
    assert sentence in str(caught.value)


def test_environment_variables_must_be_there_and_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = HttpSpec(url="http://x/", headers={"X-Api-Key": "${env:GENREC_TEST_KEY}"})
    monkeypatch.delenv("GENREC_TEST_KEY", raising=False)
    with pytest.raises(
        UsageError, match="model 'service', headers: X-Api-Key: environment variable GENREC_TEST_KEY"
    ):
        spec.build(CONTEXT)
    monkeypatch.setenv("GENREC_TEST_KEY", "a key\n")
    with pytest.raises(UsageError, match="X-Api-Key holds a line break"):
        spec.build(CONTEXT)


def test_identity_and_endpoint_hold_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENREC_TEST_KEY", "first-secret")
    monkeypatch.setenv("GENREC_TEST_HOST", "one.example")
    spec = HttpSpec(
        url="http://${env:GENREC_TEST_HOST}/r", headers={"Authorization": "${env:GENREC_TEST_KEY}"}
    )
    first = spec.build(CONTEXT)
    assert "first-secret" not in json.dumps([first.identity(), first.endpoint])
    monkeypatch.setenv("GENREC_TEST_KEY", "second-secret")
    other_account = spec.build(CONTEXT)
    assert other_account.identity() == first.identity()
    assert other_account.endpoint != first.endpoint
    monkeypatch.setenv("GENREC_TEST_HOST", "two.example")
    assert spec.build(CONTEXT).identity() != first.identity()


def test_waiting_times() -> None:
    assert retry_after({}) is None
    assert retry_after({"retry-after": "120"}) == 120
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    far = retry_after(
        {"retry-after": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))}
    )
    assert far is not None
    assert 90 < far <= 101
    for odd in ("soon", "nan", "-5", "inf", "1e999", "²"):
        assert retry_after({"retry-after": odd}) is None
    assert retry_after({"retry-after-ms": "nan"}) is None


def test_a_date_without_a_zone_is_in_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        wait = retry_after({"retry-after": time.asctime(time.gmtime(time.time() + 100))})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert wait is not None
    assert 90 < wait <= 101
