"""Each fault as a client meets it, and that the same calls meet the same faults."""

from __future__ import annotations

import hashlib
import json
import math
import statistics

import httpx2
import openai
import pytest
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.serving.faults import DRAWN, Faults, FaultSource, Latency, RateLimit
from genrec_eval.serving.run import serve_in_thread

CHAT = "/v1/chat/completions"


def body(text: str = "Hello there, how are you?", **more: object) -> dict[str, object]:
    return {"model": "echo", "messages": [{"role": "user", "content": text}], **more}


def test_drawn_429_says_when_to_come_back():
    with serve_in_thread(faults=Faults(error_429=1, retry_after=0.25)) as server:
        answer = httpx2.post(server.url + CHAT, json=body())
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "0.25"
        assert answer.headers["retry-after-ms"] == "250"
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        with pytest.raises(openai.RateLimitError):
            openai.OpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=0).chat.completions.create(
                **body()
            )
        # Lists and health are no calls: they meet no fault.
        assert httpx2.get(f"{server.url}/v1/models").status_code == 200


def test_rate_limit_refuses_what_exceeds_it():
    with serve_in_thread(faults=Faults(rate_limit=0.01)) as server, httpx2.Client() as client:
        assert client.post(server.url + CHAT, json=body()).status_code == 200
        answer = client.post(server.url + CHAT, json=body())
        assert answer.status_code == 429
        assert 90 < float(answer.headers["retry-after"]) <= 100


def test_rate_limit_by_the_clock():
    limit = RateLimit(2.0)
    assert [limit.wait(0.0), limit.wait(0.0)] == [0.0, 0.0]
    assert limit.wait(0.0) == pytest.approx(0.5)
    assert limit.wait(0.25) == pytest.approx(0.25)
    assert limit.wait(0.5) == 0.0
    assert [limit.wait(100.0), limit.wait(100.0)] == [0.0, 0.0]
    assert limit.wait(100.0) > 0


def test_5xx_in_all_its_forms():
    with serve_in_thread(faults=Faults(error_5xx=1)) as server, httpx2.Client() as client:
        answers = [client.post(server.url + CHAT, json=body(str(i))) for i in range(30)]
    assert {answer.status_code for answer in answers} == {500, 502, 503}
    for answer in answers:
        if answer.status_code == 502:
            assert answer.headers["content-type"] == "text/html"  # as gateways answer
        else:
            assert answer.json()["error"]["type"] == "server_error"


@pytest.mark.parametrize("stream", [False, True])
def test_truncated_answers_end_in_a_closed_connection(stream):
    with serve_in_thread(faults=Faults(truncate=1)) as server:
        for number in range(5):
            with pytest.raises(httpx2.RemoteProtocolError):
                httpx2.post(server.url + CHAT, json=body(str(number), stream=stream))


def test_malformed_body_and_stream():
    with serve_in_thread(faults=Faults(malformed=1)) as server:
        answer = httpx2.post(server.url + CHAT, json=body())
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()
        lines = httpx2.post(server.url + CHAT, json=body(stream=True)).text.split("\n\n")
        events = [line.removeprefix("data: ") for line in lines if line]
        bad = 0
        for event in events[:-1]:
            try:
                json.loads(event)
            except json.JSONDecodeError:
                bad += 1
        assert bad == 1
        assert events[-1] == "[DONE]"


def test_stalled_calls_are_never_answered_and_do_not_keep_the_server(tmp_path):
    log = tmp_path / "calls.jsonl"
    with serve_in_thread(faults=Faults(stall=1), log=log) as server, httpx2.Client(timeout=0.2) as client:
        with pytest.raises(httpx2.ReadTimeout):
            client.post(server.url + CHAT, json=body())
        assert httpx2.get(f"{server.url}/health").status_code == 200
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["request"]


def test_a_client_that_went_away_is_not_logged_as_answered(tmp_path):
    log = tmp_path / "calls.jsonl"
    with serve_in_thread(faults=Faults(latency="400ms"), log=log) as server:
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(server.url + CHAT, json=body(), timeout=0.1)
        assert httpx2.post(server.url + CHAT, json=body("stays")).status_code == 200
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["call"], line["event"]) for line in sorted(events, key=lambda line: line["call"])] == [
        (1, "request"),
        (1, "abandoned"),
        (2, "request"),
        (2, "answer"),
    ]


def test_retries_end_and_the_log_tells_every_call(tmp_path):
    log = tmp_path / "calls.jsonl"
    faults = Faults(error_5xx=0.5, error_429=0.5, retry_after=0, max_faults_per_request=2)
    with serve_in_thread(faults=faults, log=log) as server, httpx2.Client() as client:
        statuses = [client.post(server.url + CHAT, json=body()).status_code for _ in range(4)]
    assert [status == 200 for status in statuses] == [False, False, True, True]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["request", "answer"] * 4
    answers = lines[1::2]
    assert [line["status"] for line in answers] == statuses
    assert [line["fault"] in ("error_429", "error_5xx") for line in answers] == [True, True, False, False]
    sent = httpx2.Request("POST", server.url, json=body()).content
    assert {line["digest"] for line in lines} == {hashlib.sha256(sent).hexdigest()}


def test_the_openai_client_survives_a_flaky_server():
    faults = Faults(
        error_5xx=0.2, error_429=0.2, truncate=0.2, retry_after=0, max_faults_per_request=2, latency="1ms"
    )
    with (
        serve_in_thread(faults=faults) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=2) as client,
    ):
        client._calculate_retry_timeout = lambda *a, **k: 0.0  # the test need not wait
        for number in range(10):
            assert client.chat.completions.create(**body(str(number))).choices[0].message.content == str(
                number
            )


def test_bad_requests_stay_what_they_are_under_faults():
    with serve_in_thread(faults=Faults(truncate=1)) as server:
        answer = httpx2.post(server.url + CHAT, json=body(model="nothing"))
        assert answer.json()["error"]["code"] == "model_not_found"


def fates(faults: Faults, keys: list[str]) -> list[object]:
    source = FaultSource(faults)
    return [source.draw(key) for key in keys]


def test_draws_depend_on_content_and_on_how_often_it_was_seen():
    faults = Faults(stall=0.1, error_429=0.2, error_5xx=0.2, malformed=0.1, latency="lognormal:50ms,0.5")
    keys = [str(number) for number in range(40)]
    first = dict(zip(keys, fates(faults, keys), strict=True))
    assert dict(zip(keys[::-1], fates(faults, keys[::-1]), strict=True)) == first  # the order is no matter
    again = fates(faults, [*keys, *keys])
    assert again[:40] == list(first.values())
    assert again[40:] != again[:40]
    assert fates(Faults(**{**faults.model_dump(), "seed": 1}), keys) != list(first.values())


def test_rates_are_what_was_asked_for():
    rates = {"stall": 0.05, "error_429": 0.1, "error_5xx": 0.15, "truncate": 0.1, "malformed": 0.2}
    n = 3000
    drawn = [draw.fault for draw in fates(Faults(**rates), [str(number) for number in range(n)])]
    for name in DRAWN:
        assert drawn.count(name) == pytest.approx(n * rates[name], abs=5 * math.sqrt(n * rates[name]))


@pytest.mark.parametrize(
    ("text", "median", "low", "high"),
    [
        ("200ms", 0.2, 0.2, 0.2),
        ("1.5s", 1.5, 1.5, 1.5),
        ("uniform:50ms-400ms", 0.225, 0.05, 0.4),
        ("lognormal:200ms,0.5", 0.2, 0.0, 5.0),
    ],
)
def test_latency_has_the_stated_distribution(text, median, low, high):
    drawn = [draw.latency for draw in fates(Faults(latency=text), [str(number) for number in range(2000)])]
    assert statistics.median(drawn) == pytest.approx(median, rel=0.1)
    assert low <= min(drawn) <= max(drawn) <= high
    if text.startswith("lognormal"):
        assert statistics.stdev(map(math.log, drawn)) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fast", "'fast' is not a duration such as 200ms or 1.5s"),
        ("uniform:5s-1s", "the lower end is above the upper end"),
        ("uniform:5s", "is not a duration"),
        ("lognormal:5s", "could not convert"),
        ("lognormal:5s,9", "the spread is between 0 and 5"),
        ("gamma:5s", "'gamma' is not a distribution"),
        ("-5ms", "is not a duration"),
    ],
)
def test_a_wrong_latency_gets_a_sentence(text, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Faults(latency=text)
    with pytest.raises(ValueError, match="write 200ms, uniform:50ms-400ms or lognormal"):
        Latency.parse(text)


def test_rates_above_one_are_refused():
    with pytest.raises(ValidationError, match=r"add up to 1\.2, above 1"):
        Faults(stall=0.6, truncate=0.6)
    with pytest.raises(ValidationError, match="did you mean 'malformed'"):
        Faults(malforme=0.6)


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot write the call log"), serve_in_thread(log=tmp_path):
        pass
