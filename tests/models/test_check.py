"""What a model sent is a response, or a sentence that says why not."""

from __future__ import annotations

import base64
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.models import check
from genrec_eval.protocol.requests import ChatRequest, ImageRequest, Message, RankRequest, RateRequest
from genrec_eval.protocol.responses import ChatResponse, ImageResponse, RankResponse, TokenLogprob
from genrec_eval.protocol.status import Status

RANK = RankRequest(user="u", k=3)
RATE = RateRequest(user="u", items=("a", "b"))
CHAT = ChatRequest(messages=(Message("user", "hello"),))
IMAGE = ImageRequest(prompt="a cat")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        (["a", "b"], ("a", "b")),
        (("a", 3), ("a", "3")),
        ([], ()),
        (np.array([4, 5], np.int32), ("4", "5")),
        (np.array(["x", "y"]), ("x", "y")),
        ([np.int64(4), np.str_("z")], ("4", "z")),
        (pa.array(["p", "q"]), ("p", "q")),
        (["same", "same", "unknown"], ("same", "same", "unknown")),
    ],
)
def test_lists_of_strings_and_integers_are_kept_as_they_are(items: object, ids: tuple[str, ...]) -> None:
    response = check.rank_response(items)
    assert response.items == ids
    assert all(type(item) is str for item in response.items)


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        (["a", "b", "c", 1.5], "items[3] is a float; ids are strings or integers"),
        ([True], "items[0] is a boolean; ids are strings or integers"),
        ([np.bool_(True)], "ids are strings or integers"),
        (["a", None], "items[1] is null; ids are strings or integers"),
        ([["a"]], "items[0] is a list; ids are strings or integers"),
        ([{"id": 1}], "items[0] is an object; ids are strings or integers"),
        (np.array([1.0, 2.0]), "items[0] is a float"),
        (np.array(3), "items is a ndarray without a dimension, not a list"),
        ("abc", "items is a string, not a list"),
        ({"a": 1}, "items is an object, not a list"),
        (None, "items is null, not a list"),
        (7, "items is an int, not a list"),
        (["ok", "\ud800"], "items[1] holds a lone surrogate at position 0: not Unicode text"),
    ],
)
def test_wrong_ids_are_named_with_their_place(items: object, sentence: str) -> None:
    with pytest.raises(check.Malformed) as caught:
        check.rank_response(items)
    assert sentence in str(caught.value)
    assert caught.value.status is Status.INVALID


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ([1.0], "scores holds 1 values for 3 items"),
        ([1.0, 2.0, math.nan], "scores holds NaN at position 2"),
        ([1.0, math.inf, 0], "scores holds an infinite value at position 1"),
        ([1.0, "2", 0], "scores[1] is a string, not a number"),
        ([True, 1, 2], "scores[0] is a boolean, not a number"),
        ([10**400, 1, 2], "scores[0] is an integer too large for a float"),
        (5, "scores is an int, not a list"),
    ],
)
def test_scores_are_finite_and_as_many_as_items(scores: object, sentence: str) -> None:
    with pytest.raises(check.Malformed, match=sentence.replace("[", r"\[").replace("]", r"\]")):
        check.rank_response(["a", "b", "c"], scores)


def test_sizes_are_limited() -> None:
    with pytest.raises(
        check.Malformed, match=r"items\[0\] has 1,001 characters; an id may have 1,000"
    ) as caught:
        check.rank_response(["x" * 1001])
    assert caught.value.status is Status.OVERSIZED
    with pytest.raises(check.Malformed, match="larger than 100 bytes") as caught:
        check.rank_response(["abc"] * 50, max_bytes=100)
    assert caught.value.status is Status.OVERSIZED
    with pytest.raises(check.Malformed, match="larger than 1,000 bytes") as caught:
        check.chat_response("y" * 10_000, max_bytes=1000)
    assert caught.value.status is Status.OVERSIZED


def test_ratings_align_with_the_items_asked_for() -> None:
    assert check.rate_response([1, None], RATE).ratings == (1.0, None)
    assert check.rate_response({"b": 2.5, "other": 9}, RATE).ratings == (None, 2.5)
    with pytest.raises(check.Malformed, match="ratings holds 1 values for 2 items"):
        check.rate_response([1], RATE)
    with pytest.raises(check.Malformed, match="ratings holds NaN at position 1"):
        check.rate_response([1, math.nan], RATE)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b'{"items": ["a", 2], "scores": [2, 1]}', Status.OK, None),
        (b'{"items": ["a"', Status.INVALID, "the answer is not JSON: "),
        (b"", Status.INVALID, "the answer is not JSON: "),
        (b"[" * 100_000, Status.INVALID, "the answer is not JSON: "),
        (b"[1, 2]", Status.INVALID, "the answer is a list, not an object with 'items'"),
        (b'{"item": []}', Status.INVALID, "the answer has no 'items' (its keys: item)"),
        (b'{"items": null}', Status.INVALID, "the answer has no 'items'"),
        (b'{"items": ["a"], "scores": [NaN]}', Status.INVALID, "scores holds NaN at position 0"),
        (b'{"error": "no such user"}', Status.ERROR, "the model says: no such user"),
        (b'{"error": {"code": 7}}', Status.ERROR, 'the model says: {"code": 7}'),
    ],
)
def test_json_answers(body: bytes, status: Status, sentence: str | None) -> None:
    answer = check.answer_from_json(RANK, body)
    assert answer.status is status
    if sentence is None:
        assert answer.response == RankResponse(items=("a", "2"), scores=(2.0, 1.0))
    else:
        assert sentence in str(answer.error)
        assert answer.response is None
    if status is Status.INVALID:
        assert answer.raw == check.clip(body.decode(), check.RAW_LENGTH)


def test_ratings_by_id_take_integers_as_lists_of_items_do() -> None:
    request = RateRequest(user="u", items=("1", "2", "3"))
    assert check.rate_response({1: 4.0, np.int64(2): 3.0, "3": 5}, request).ratings == (4.0, 3.0, 5.0)
    with pytest.raises(check.Malformed, match="names an item twice"):
        check.rate_response({1: 4.0, "1": 2.0}, request)


@pytest.mark.parametrize(
    ("request_", "body", "status", "sentence"),
    [
        (CHAT, b'{"text": "x", "logprobs": 5}', Status.INVALID, "logprobs is an int, not a list"),
        (CHAT, b'{"text": "x", "logprobs": true}', Status.INVALID, "logprobs is a boolean, not a list"),
        (
            RANK,
            b'{"error": ' + b"[" * 1000 + b"]" * 1000 + b"}",
            Status.ERROR,
            "the model says: a list, nested too deeply to show",
        ),
        (RANK, b'{"items": [], "usage": {"cost": 1' + b"0" * 400 + b"}}", Status.OK, None),
    ],
)
def test_answers_that_are_meant_to_hurt(
    request_: object, body: bytes, status: Status, sentence: str | None
) -> None:
    answer = check.answer_from_json(request_, body)
    assert (answer.status, answer.error, answer.usage.cost) == (status, sentence, None)


def test_chat_answers_carry_reason_logprobs_and_usage() -> None:
    body = (
        b'{"text": "hi", "finish_reason": "length", "logprobs": [["hi", -0.1, [["hi", -0.1], ["ho", -3]]]],'
        b' "usage": {"input_tokens": 5, "output_tokens": -1, "cost": 0.25}}'
    )
    answer = check.answer_from_json(CHAT, body)
    assert answer.status is Status.TRUNCATED
    token = TokenLogprob("hi", -0.1, (("hi", -0.1), ("ho", -3.0)))
    assert answer.response == ChatResponse(text="hi", finish_reason="length", logprobs=(token,))
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cost) == (5, None, 0.25)
    refused = check.answer_from_json(CHAT, b'{"text": "I will not", "finish_reason": "content_filter"}')
    assert refused.status is Status.REFUSED
    broken = check.answer_from_json(CHAT, b'{"text": "hi", "logprobs": [["hi"]]}')
    assert "logprobs[0] is not of the form" in str(broken.error)


def test_images_are_what_they_say() -> None:
    encoded = base64.b64encode(PNG).decode()
    answer = check.answer_from_json(IMAGE, f'{{"image": "{encoded}", "media_type": "image/png"}}')
    assert isinstance(answer.response, ImageResponse)
    assert answer.response.image.data == PNG
    for body, sentence in [
        ('{"image": "@@@"}', "image is not base64"),
        ('{"image": ""}', "image holds no bytes"),
        ('{"image": 7}', "image is an int, not a base64 string"),
        ('{"image": "aGVsbG8="}', "its bytes are those of no known image type"),
        (f'{{"image": "{encoded}", "media_type": "image/jpeg"}}', "its bytes are those of image/png"),
        (f'{{"image": "{encoded}", "media_type": "../../x"}}', "is none of image/png"),
    ]:
        assert sentence in str(check.answer_from_json(IMAGE, body).error)


def test_raw_text_is_kept_but_not_all_of_it_and_always_storable() -> None:
    answer = check.answer_from_json(RANK, b"\xff" + b"x" * 5000)
    assert answer.raw is not None
    assert len(answer.raw) == check.RAW_LENGTH + 1
    answer.raw.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
keys = st.sampled_from(
    ["items", "scores", "ratings", "text", "image", "usage", "error", "logprobs", "finish_reason"]
)


@given(st.dictionaries(keys, json_values), st.sampled_from([RANK, RATE, CHAT, IMAGE]))
def test_no_json_whatever_ends_in_another_exception(payload: dict, request_: object) -> None:
    try:
        answer = check.answer_from_payload(request_, payload)
    except check.Malformed:
        return
    assert (answer.response is None) == (answer.status is Status.ERROR)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_end_in_an_exception(body: bytes) -> None:
    answer = check.answer_from_json(RANK, body)
    assert answer.response is not None or answer.error
