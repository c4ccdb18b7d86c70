"""The OpenAI protocol: what is sent, what is read, and what each error means."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.models.check import Malformed
from genrec_eval.models.openai import OpenAISpec
from genrec_eval.models.openai_answers import ChatReader, Reported, image_answer
from genrec_eval.models.prices import read_prices, read_usage
from genrec_eval.models.spec import BuildContext, Price
from genrec_eval.protocol.model import Call, Fatal, Transient
from genrec_eval.protocol.requests import ChatRequest, Image, ImageRequest, Message, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, ImageResponse, TokenLogprob, Usage
from genrec_eval.protocol.status import Status

CHAT = ChatRequest(messages=(Message("system", "Be brief."), Message("user", "Name a film.")))
CONTEXT = BuildContext(name="llm", folder=Path(), training=None, seed=1)
FIELDS = (
    "choices",
    "message",
    "delta",
    "content",
    "refusal",
    "finish_reason",
    "logprobs",
    "token",
    "logprob",
)
MORE = ("top_logprobs", "usage", "prompt_tokens", "completion_tokens", "error", "code", "data", "b64_json")
names = st.sampled_from([*FIELDS, *MORE])
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def ask(server: Any, asked: Request = CHAT, timeout: float = 10, repeat: int = 0, **settings: Any) -> Answer:
    settings = {"model": "tiny-1", "base_url": server.address + "/v1", "api_key": "none", **settings}
    model = OpenAISpec.model_validate(settings).build(CONTEXT)

    async def play() -> Answer:
        await model.open()
        try:
            return await model.answer(asked, Call(timeout=timeout, repeat=repeat))
        finally:
            await model.close()

    return asyncio.run(play())


def sent(server: Any) -> dict[str, Any]:
    return orjson.loads(server.requests[-1].partition(b"\r\n\r\n")[2])


def completion(content: str | None = "Heat", **fields: Any) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    for key in ("finish_reason", "logprobs", "message"):
        if key in fields:
            choice[key] = fields.pop(key)
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    return json.dumps({"id": "c-1", "model": "tiny-1-0613", "choices": [choice], "usage": usage, **fields})


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **fields: Any) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return "data: " + json.dumps({"id": "c-1", "choices": choices, **fields}, ensure_ascii=False) + "\n\n"


def streamed(*events: str) -> bytes:
    body = "".join(events).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + body


def test_a_chat_is_sent_and_read(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("200 OK", completion(system_fingerprint="fp_7"))
    answer = ask(
        raw_server, decoding={"temperature": 0.5, "max_tokens": 50, "stop": "END", "extra": {"min_p": 0.1}}
    )
    assert sent(raw_server) == {
        "model": "tiny-1",
        "temperature": 0.5,
        "max_tokens": 50,
        "stop": ["END"],
        "min_p": 0.1,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Name a film."},
        ],
    }
    assert raw_server.requests[-1].startswith(b"POST /v1/chat/completions")
    assert answer.status is Status.OK
    assert answer.response == ChatResponse(text="Heat", finish_reason="stop")
    assert answer.usage == Usage(input_tokens=20, output_tokens=10)
    assert answer.meta == {"model": "tiny-1-0613", "fingerprint": "fp_7", "id": "c-1"}


def test_each_repeat_has_its_own_seed(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("200 OK", completion())
    ask(raw_server, repeat=3, decoding={"seed": 40})
    assert sent(raw_server)["seed"] == 43
    ask(raw_server, repeat=3)
    assert "seed" not in sent(raw_server)


def test_images_travel_as_data_urls(raw_server: Any, reply: Any) -> None:
    raw_server.reply = reply("200 OK", completion())
    ask(raw_server, ChatRequest(messages=(Message("user", "What is this?", (Image(PNG),)),)))
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert sent(raw_server)["messages"][0]["content"] == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]


def test_logprobs_are_asked_for_and_read(raw_server: Any, reply: Any) -> None:
    content = [{"token": "He", "logprob": -0.1, "top_logprobs": [{"token": "Ra", "logprob": -3}]}]
    raw_server.reply = reply("200 OK", completion(logprobs={"content": content}))
    answer = ask(raw_server, ChatRequest(messages=CHAT.messages, logprobs=2))
    assert (sent(raw_server)["logprobs"], sent(raw_server)["top_logprobs"]) == (True, 2)
    assert isinstance(answer.response, ChatResponse)
    assert answer.response.logprobs == (TokenLogprob("He", -0.1, (("Ra", -3.0),)),)


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (completion("Hea", finish_reason="length"), Status.TRUNCATED, "Hea"),
        (completion(None, finish_reason="length"), Status.TRUNCATED, ""),
        (completion("", finish_reason="content_filter"), Status.REFUSED, ""),
        (completion(message={"content": None, "refusal": "I cannot."}), Status.REFUSED, "I cannot."),
        (completion(""), Status.OK, ""),
    ],
)
def test_cut_and_refused_answers_keep_their_text(
    raw_server: Any, reply: Any, body: str, status: Status, text: str
) -> None:
    raw_server.reply = reply("200 OK", body)
    answer = ask(raw_server)
    assert answer.status is status
    assert isinstance(answer.response, ChatResponse)
    assert answer.response.text == text


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<html>", "the answer is not JSON"),
        (completion()[:40], "the answer is not JSON"),
        ("[]", "the answer is not a JSON object"),
        ('{"choices": []}', "the answer has no choices (its keys: choices)"),
        ('{"choices": [7]}', "the answer has no choices"),
        ('{"choices": [{"text": "x"}]}', "the answer has no choices[0].message"),
        (completion(None), "choices[0].message.content is null"),
        (completion(message={"content": 7}), "choices[0].message.content is of type int, not a string"),
        (completion(logprobs={"content": [{"token": "a"}]}), "choices[0].logprobs is not of the form"),
        (completion("\\ud800").replace("\\\\ud800", "\\ud800"), "lone surrogate"),
        (completion(finish_reason=7), "finish_reason is an int, not a string"),
    ],
)
def test_a_whole_answer_that_makes_no_sense_is_invalid(
    raw_server: Any, reply: Any, body: str, sentence: str
) -> None:
    raw_server.reply = reply("200 OK", body)
    answer = ask(raw_server)
    assert answer.status is Status.INVALID
    assert sentence in str(answer.error)
    assert answer.raw == body


def failure(message: str, code: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "type": "some_error", "code": code}})


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            "401 Unauthorized",
            failure("Bad key sk-very-secret"),
            "answered 401: check api_key (${env:GENREC_TEST_KEY})",
        ),
        ("403 Forbidden", failure("Region"), "answered 403: check api_key"),
        ("404 Not Found", failure("No such model", "model_not_found"), "check model 'tiny-1' and base_url"),
        ("429 Too Many", failure("Pay", "insufficient_quota"), "has no quota left (insufficient_quota)"),
        (
            "400 Bad Request",
            failure("Use max_completion_tokens", "unsupported_parameter"),
            "it does not take these settings, see decoding (unsupported_parameter); it says: Use max_compl",
        ),
    ],
)
def test_faults_of_the_whole_model_end_it(
    raw_server: Any, reply: Any, monkeypatch: pytest.MonkeyPatch, status: str, body: str, sentence: str
) -> None:
    monkeypatch.setenv("GENREC_TEST_KEY", "sk-very-secret")
    raw_server.reply = reply(status, body)
    with pytest.raises(Fatal) as caught:
        ask(raw_server, api_key="${env:GENREC_TEST_KEY}")
    assert sentence in str(caught.value)
    assert "sk-very-secret" not in str(caught.value)
    assert b"authorization: bearer sk-very-secret" in raw_server.requests[-1].lower()
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "headers", "expected", "wait"),
    [
        ("429 Too Many Requests", ["retry-after: 2"], Status.RATE_LIMITED, 2.0),
        ("429 Too Many Requests", ["retry-after-ms: 1500"], Status.RATE_LIMITED, 1.5),
        ("500 Internal Server Error", [], Status.UNAVAILABLE, None),
        ("503 Unavailable", ["retry-after: 1"], Status.UNAVAILABLE, 1.0),
        ("409 Conflict", [], Status.UNAVAILABLE, None),
    ],
)
def test_faults_that_may_pass_are_not_retried_here(
    raw_server: Any, reply: Any, status: str, headers: list, expected: Status, wait: float | None
) -> None:
    raw_server.reply = reply(status, failure("slow down"), *headers)
    with pytest.raises(Transient, match=f"answered {status[:3]}; it says: slow down") as caught:
        ask(raw_server)
    assert (caught.value.status, caught.value.retry_after) == (expected, wait)
    assert len(raw_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected", "sentence"),
    [
        (
            "400 Bad Request",
            failure("maximum context length", "context_length_exceeded"),
            Status.ERROR,
            "answered 400: the prompt is longer than the model's context (context_length_exceeded)",
        ),
        ("400 Bad Request", failure("no", "content_filter"), Status.REFUSED, "declined (content_filter)"),
        ("400 Bad Request", failure("odd"), Status.ERROR, "answered 400; it says: odd"),
        ("422 Unprocessable", "not json", Status.ERROR, "answered 422; it says: "),
        ("200 OK", failure("odd"), Status.ERROR, "reports an error; it says: odd"),
    ],
)
def test_faults_of_one_request_are_its_answer(
    raw_server: Any, reply: Any, status: str, body: str, expected: Status, sentence: str
) -> None:
    raw_server.reply = reply(status, body)
    answer = ask(raw_server)
    assert answer.status is expected
    assert sentence in str(answer.error)


@pytest.mark.parametrize("stream", [False, True])
def test_lost_connections_and_silence(raw_server: Any, reply: Any, stream: bool) -> None:
    raw_server.reply = reply("200 OK", completion()[:50], length=5000)
    with pytest.raises(Transient, match="cut its answer off: ") as caught:
        ask(raw_server, stream=stream)
    assert caught.value.status is Status.UNAVAILABLE
    raw_server.reply = lambda body: None
    with pytest.raises(Transient, match=r"did not answer in 0\.1 s") as caught:
        ask(raw_server, timeout=0.1, stream=stream)
    assert caught.value.status is Status.TIMEOUT
    with pytest.raises(Transient, match="cannot be reached: ") as caught:
        ask(raw_server, base_url="http://127.0.0.1:9/v1", stream=stream)
    assert caught.value.status is Status.UNAVAILABLE


def test_a_stream_is_gathered(raw_server: Any) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    raw_server.reply = streamed(
        ": comment\n\n",
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "He\u2028"}),  # a line separator inside JSON is no end of a line
        chunk({"content": "at"}),
        chunk({}, "stop"),
        chunk(usage=usage),
        "data: [DONE]\n\n",
    )
    answer = ask(raw_server, stream=True, price={"input": 1.0, "output": 10.0}, decoding={"temperature": 0})
    assert answer.response == ChatResponse(text="He\u2028at", finish_reason="stop")
    assert answer.usage == Usage(input_tokens=5, output_tokens=2, cost=25e-6)
    assert answer.first is not None
    body = sent(raw_server)
    assert (body["stream"], body["stream_options"], body["temperature"]) == (True, {"include_usage": True}, 0)


@pytest.mark.parametrize("end", ["", "data: [DONE]\n\n", 'data: {"id'])
def test_a_stream_that_ends_too_early_is_not_an_answer(raw_server: Any, end: str) -> None:
    raw_server.reply = streamed(chunk({"content": "He"}), end)
    with pytest.raises(Transient, match="ended its stream before the answer was complete") as caught:
        ask(raw_server, stream=True)
    assert caught.value.status is Status.UNAVAILABLE


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("data: {broken\n\n", "the answer is not JSON"),
        ("<html>\n", "a line that is no event: '<html>'"),
        (chunk({"content": 5}), "choices[0].delta.content is of type int"),
    ],
)
def test_a_stream_of_nonsense_is_invalid(raw_server: Any, event: str, sentence: str) -> None:
    raw_server.reply = streamed(chunk({"content": "He"}), event)
    answer = ask(raw_server, stream=True)
    assert answer.status is Status.INVALID
    assert sentence in str(answer.error)


def test_an_error_inside_a_stream(raw_server: Any) -> None:
    raw_server.reply = streamed(
        chunk({"content": "He"}), 'data: {"error": {"message": "overloaded", "code": 503}}\n\n'
    )
    with pytest.raises(Transient, match="reports an error; it says: overloaded") as caught:
        ask(raw_server, stream=True)
    assert caught.value.status is Status.UNAVAILABLE


@pytest.mark.parametrize("length", [2_000, 200_000])
@pytest.mark.parametrize("stream", [False, True])
def test_answers_are_not_read_beyond_the_limit(
    raw_server: Any, reply: Any, length: int, stream: bool
) -> None:
    text = "x" * length
    raw_server.reply = (
        streamed(chunk({"content": text}, "stop")) if stream else reply("200 OK", completion(text))
    )
    answer = ask(raw_server, max_bytes=1000, stream=stream)
    assert (answer.status, answer.error) == (
        Status.OVERSIZED,
        "the answer is larger than 1,000 bytes (max_bytes)",
    )


def test_images(raw_server: Any, reply: Any) -> None:
    data = [{"b64_json": base64.b64encode(PNG).decode()}]
    usage = {"input_tokens": 10, "output_tokens": 100}
    raw_server.reply = reply("200 OK", json.dumps({"data": data, "usage": usage}))
    answer = ask(raw_server, ImageRequest(prompt="a cat", size=(256, 512)), kinds=["image"], model="dall-e-2")
    assert raw_server.requests[-1].startswith(b"POST /v1/images/generations")
    expected = {"model": "dall-e-2", "prompt": "a cat", "size": "256x512", "response_format": "b64_json"}
    assert sent(raw_server) == expected
    assert answer.response == ImageResponse(image=Image(PNG, "image/png"))
    assert answer.usage.output_tokens == 100
    edited = ask(raw_server, ImageRequest(prompt="a hat", references=(Image(PNG),)), kinds=["image"])
    assert edited.status is Status.OK
    assert raw_server.requests[-1].startswith(b"POST /v1/images/edits")
    assert PNG in raw_server.requests[-1]


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"data": []}, "the answer has no data (its keys: data)"),
        ({"data": [{"url": "http://x/y.png"}]}, "data[0] has no b64_json; decoding: {extra:"),
        ({"data": [{"b64_json": "!"}]}, "data[0].b64_json is not base64"),
        ({"data": [{"b64_json": "aGVsbG8="}]}, "its bytes are those of no known image type"),
    ],
)
def test_what_is_no_image_is_invalid(raw_server: Any, reply: Any, payload: dict, sentence: str) -> None:
    raw_server.reply = reply("200 OK", json.dumps(payload))
    answer = ask(raw_server, ImageRequest(prompt="a cat"), kinds=["image"])
    assert answer.status is Status.INVALID
    assert sentence in str(answer.error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, json_values), st.sampled_from(["whole", "delta", "image"]))
def test_no_json_whatever_ends_in_another_exception(payload: dict, form: str) -> None:
    reader = ChatReader(Price(input=1, output=1), 1000)
    try:
        if form == "image":
            image_answer(payload, None, 1000, "here")
            return
        if form == "whole":
            reader.whole(payload, "here")
        else:
            reader.piece(json.dumps(payload).encode(), "here")
        answer = reader.answer()
    except (Malformed, Reported, Transient):
        return
    assert isinstance(answer.response, ChatResponse)
    orjson.dumps([answer.meta, answer.usage.cost])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"api_key": "sk-123"}, "api_key holds a key in the open; write ${env:NAME}, or none"),
        ({"base_url": "localhost:8000"}, "is no http:// or https:// address"),
        ({"base_url": "http://u:p@x/v1"}, "holds a user name or password"),
        ({"decoding": {"temprature": 1}}, "unknown key 'temprature'; did you mean 'temperature'?"),
        ({"decoding": {"temperature": 3}}, "less than or equal to 2"),
        ({"kinds": ["rank"]}, "'chat' or 'image'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OpenAISpec.model_validate({"model": "m", **settings})
    assert sentence in str(caught.value)


def test_keys_must_be_there_and_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = OpenAISpec(model="m", api_key="${env:GENREC_TEST_KEY}")
    monkeypatch.delenv("GENREC_TEST_KEY", raising=False)
    with pytest.raises(
        UsageError, match="model 'llm', api_key: environment variable GENREC_TEST_KEY is not set"
    ):
        spec.build(CONTEXT)
    monkeypatch.setenv("GENREC_TEST_KEY", "sk-1\n")
    with pytest.raises(UsageError, match="the api_key is empty or holds a line break"):
        spec.build(CONTEXT)


def test_identity_is_what_decides_the_answer_and_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENREC_TEST_KEY", "sk-very-secret")

    def model(**settings: Any) -> Any:
        return OpenAISpec.model_validate(
            {"model": "m", "api_key": "${env:GENREC_TEST_KEY}", **settings}
        ).build(CONTEXT)

    first = model()
    assert "sk-very-secret" not in json.dumps([first.identity(), first.endpoint, first.facts()])
    for settings in (
        {"model": "n"},
        {"revision": "2"},
        {"decoding": {"temperature": 1}},
        {"base_url": "http://x/v1"},
    ):
        assert model(**settings).identity() != first.identity()
    assert model(stream=True).identity() == first.identity()
    monkeypatch.setenv("GENREC_TEST_KEY", "sk-other-secret")
    assert model().identity() == first.identity()
    assert model().endpoint != first.endpoint


def test_the_bundled_prices_are_dated_and_only_for_their_host() -> None:
    table = read_prices()
    assert table.source.startswith("https://")
    assert table.price("api.openai.com", "gpt-4o-mini-2024-07-18") == table.price(
        "api.openai.com", "gpt-4o-mini"
    )
    assert table.price("api.openai.com", "gpt-4o-minimal") is None
    assert table.price("127.0.0.1", "gpt-4o") is None


def test_cost_follows_the_tokens(tmp_path: Path, raw_server: Any, reply: Any) -> None:
    own = (
        "as_of: 2026-01-02\nsource: our contract\nendpoints:\n  '*': {tiny-1: {input: 1000, output: 2000}}\n"
    )
    (tmp_path / "prices.yaml").write_text(own)
    raw_server.reply = reply("200 OK", completion())
    answer = ask(raw_server, prices=str(tmp_path / "prices.yaml"))
    assert answer.usage.cost == pytest.approx(20 * 1000 / 1e6 + 10 * 2000 / 1e6)
    cached = {"prompt_tokens": 100, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 60}}
    assert read_usage(cached, Price(input=10, output=1, cached_input=1)).cost == pytest.approx(460e-6)
    assert read_usage(cached, Price(input=10, output=1)).cost == pytest.approx(1000e-6)
    assert read_usage({"prompt_tokens": -1}, Price(input=1, output=1)) == Usage()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("as_of: [", "not valid YAML"),
        ("[" * 5000, "nested deeper than"),
        ("as_of: 2026-01-01\nsource: x\nendpoints: {h: {m: {input: -1, output: 1}}}", "endpoints.h.m.input"),
        ("as_of: 2026-01-01\nsource: x\nendpoint: {}", "unknown key 'endpoint'; did you mean 'endpoints'?"),
    ],
)
def test_a_wrong_price_table_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_prices(tmp_path / "p.yaml")
    assert sentence in str(caught.value)
    with pytest.raises(UsageError, match="no price table at"):
        read_prices(tmp_path / "q.yaml")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_prices(tmp_path)


def test_an_event_may_come_in_any_pieces() -> None:
    from genrec_eval.models.openai_model import _events

    text = 'data: {"a": "é\u2028"}\r\n\r\n: note\n\ndata: 2\n\ndata: [DONE]\n\ndata: 3\n\n'.encode()

    class Response:
        def __init__(self, size: int) -> None:
            self.size = size

        async def iter_bytes(self) -> Any:
            for start in range(0, len(text), self.size):
                yield text[start : start + self.size]

    async def read(size: int) -> list[bytes]:
        return [event async for event in _events(Response(size), 100)]

    for size in range(1, len(text) + 1):
        assert asyncio.run(read(size)) == ['{"a": "é\u2028"}'.encode(), b"2"]


def test_a_stream_without_line_ends_is_too_large_before_it_is_joined(raw_server: Any) -> None:
    raw_server.reply = streamed("data: " + "x" * 20_000)
    answer = ask(raw_server, stream=True, max_bytes=1_000)
    assert answer.status is Status.OVERSIZED
    assert answer.error == "the answer is larger than 1,000 bytes (max_bytes)"
