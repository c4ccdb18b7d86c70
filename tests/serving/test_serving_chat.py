"""The chat endpoints, driven by the openai client."""

from __future__ import annotations

import json
import math

import httpx2
import openai
import pytest

from genrec_eval.serving.run import serve_in_thread

HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there, how are you?"}]
TOKENS = 7  # Hello| there|,| how| are| you|?


def test_echo_answers_with_the_last_user_message(client):
    messages = [*HELLO, {"role": "assistant", "content": "Fine."}, {"role": "user", "content": "Ünï — ☃"}]
    done = client.chat.completions.create(model="echo", messages=messages)
    assert done.choices[0].message.content == "Ünï — ☃"
    assert done.choices[0].message.role == "assistant"
    assert done.choices[0].finish_reason == "stop"
    assert done.model == "echo"


def test_parts_of_a_message_are_read_as_text(client):
    parts = [
        {"type": "text", "text": "one"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "two"},
    ]
    done = client.chat.completions.create(model="echo", messages=[{"role": "user", "content": parts}])
    assert done.choices[0].message.content == "one\ntwo"


def test_usage_adds_up(client):
    usage = client.chat.completions.create(model="echo", messages=HELLO).usage
    assert usage.completion_tokens == TOKENS
    assert usage.prompt_tokens > TOKENS
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_a_length_limit_truncates(client, key):
    done = client.chat.completions.create(model="echo", messages=HELLO, **{key: 3})
    assert done.choices[0].message.content == "Hello there,"
    assert done.choices[0].finish_reason == "length"
    assert done.usage.completion_tokens == 3
    full = client.chat.completions.create(model="echo", messages=HELLO, **{key: TOKENS})
    assert full.choices[0].finish_reason == "stop"


def test_stream_gives_the_same_text_and_usage_where_asked(client):
    whole = client.chat.completions.create(model="echo", messages=HELLO)
    with client.chat.completions.create(
        model="echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    with client.chat.completions.create(model="echo", messages=HELLO, stream=True, max_tokens=2) as stream:
        chunks = list(stream)
    assert chunks[-1].choices[0].finish_reason == "length"
    assert all(chunk.usage is None for chunk in chunks)


def test_raw_stream_is_server_sent_events(server):
    with httpx2.stream(
        "POST",
        f"{server.url}/v1/chat/completions",
        json={"model": "echo", "messages": HELLO, "stream": True},
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


@pytest.mark.parametrize("stream", [False, True])
def test_logprobs_are_plausible_and_cover_the_text(client, stream):
    made = client.chat.completions.create(
        model="echo", messages=HELLO, logprobs=True, top_logprobs=4, stream=stream
    )
    if stream:
        chunks = [chunk.choices[0] for chunk in made]
        tokens = [token for choice in chunks if choice.logprobs for token in choice.logprobs.content]
    else:
        tokens = made.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == HELLO[-1]["content"]
    for token in tokens:
        top = [alternative.logprob for alternative in token.top_logprobs]
        assert top == sorted(top, reverse=True)
        assert len(top) == 4
        assert token.top_logprobs[0].token == token.token
        assert token.top_logprobs[0].logprob == token.logprob < 0
        assert sum(map(math.exp, top)) <= 1
        assert bytes(token.bytes).decode() == token.token


def test_without_asking_there_are_no_logprobs(client):
    done = client.chat.completions.create(model="echo", messages=HELLO)
    assert done.choices[0].logprobs is None
    done = client.chat.completions.create(model="echo", messages=HELLO, logprobs=True)
    assert done.choices[0].logprobs.content[0].top_logprobs == []


def test_the_same_request_gives_the_same_bytes(server):
    def ask(text: str, **more: object) -> bytes:
        messages = [{"role": "user", "content": text}]
        body = {"model": "random", "messages": messages, **more}
        return httpx2.post(f"{server.url}/v1/chat/completions", json=body).content

    assert ask("recommend 5") == ask("recommend 5")
    answers = [json.loads(ask("recommend 5", seed=seed)) for seed in range(4)]
    said = {answer["choices"][0]["message"]["content"] for answer in answers}
    assert len(said) == 4


def test_models_are_listed_and_found(client):
    assert [model.id for model in client.models.list()] == [
        "popularity", "item-knn", "random", "unknown-ids", "unfair-value", "echo", "pixels",
    ]  # fmt: skip
    assert client.models.retrieve("item-knn").object == "model"
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("item-knm")
    assert caught.value.code == "model_not_found"


def test_unknown_model_is_a_404_of_the_api(client):
    with pytest.raises(openai.NotFoundError, match="did you mean 'popularity'") as caught:
        client.chat.completions.create(model="popularty", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("change", "param", "sentence"),
    [
        ({"messages": []}, "messages", "at least one message"),
        ({"messages": "hi"}, "messages", "at least one message"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "a message of the user"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role", "known 'role'"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role", "known 'role'"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "a string or a list"),
        ({"model": None}, "model", "'model' is required"),
        ({"model": 3}, "model", "'model' must be a string"),
        ({"n": 2}, "n", "one choice a call"),
        ({"max_tokens": 0}, "max_tokens", "integer from 1"),
        ({"max_tokens": True}, "max_tokens", "integer from 1"),
        ({"top_logprobs": 2}, "top_logprobs", "needs 'logprobs'"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "from 0 to 20"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream": True, "stream_options": 1}, "stream_options", "must be an object"),
    ],
)
def test_bad_fields_are_400s_of_the_api(server, change, param, sentence):
    body = {"model": "echo", "messages": HELLO, **change}
    answer = httpx2.post(f"{server.url}/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert sentence in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b'"text"'])
def test_a_bad_body_is_a_400(server, body):
    answer = httpx2.post(f"{server.url}/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_wrong_path_and_method(server):
    assert (
        httpx2.get(f"{server.url}/v1/nothing").json()["error"]["message"] == "Invalid URL (GET /v1/nothing)"
    )
    assert httpx2.get(f"{server.url}/v1/chat/completions").status_code == 405


def test_a_key_is_asked_for_where_there_is_one():
    with serve_in_thread(api_key="sk-right") as server:
        url = f"{server.url}/v1"
        for wrong in ("sk-wrong", "sk-righ", "sk-right2"):
            with pytest.raises(openai.AuthenticationError) as caught:
                openai.OpenAI(base_url=url, api_key=wrong).models.list()
            assert caught.value.code == "invalid_api_key"
        assert httpx2.post(f"{url}/chat/completions").status_code == 401
        assert httpx2.get(f"{server.url}/health").status_code == 200
        done = openai.OpenAI(base_url=url, api_key="sk-right").chat.completions.create(
            model="echo", messages=HELLO
        )
        assert done.choices[0].message.content == HELLO[-1]["content"]


def test_without_data_only_echo_and_images_are_served():
    with serve_in_thread() as server:
        assert httpx2.get(f"{server.url}/health").json() == {"status": "ok", "models": ["echo", "pixels"]}
        assert httpx2.post(f"{server.url}/rank", json={}).status_code == 404
