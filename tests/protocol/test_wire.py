"""Responses survive the journal unchanged."""

from __future__ import annotations

import hashlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.protocol.requests import Image
from genrec_eval.protocol.responses import (
    ChatResponse,
    ImageResponse,
    RankResponse,
    RateResponse,
    Response,
    TokenLogprob,
)
from genrec_eval.protocol.wire import response_from_wire, response_to_wire

text = st.text(max_size=20)
number = st.floats(allow_nan=False, allow_infinity=False)


def optional_tuple(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | st.lists(values, max_size=5).map(tuple)


ranks = st.builds(
    RankResponse,
    items=st.lists(text, max_size=5).map(tuple),
    scores=optional_tuple(number),
    mentions=optional_tuple(text),
    grounding=optional_tuple(st.sampled_from(["exact", "normalised", "alias", "fuzzy", "none"])),
)
rates = st.builds(RateResponse, ratings=st.lists(st.none() | number, max_size=5).map(tuple))
tokens = st.builds(TokenLogprob, text, number, st.lists(st.tuples(text, number), max_size=3).map(tuple))
chats = st.builds(ChatResponse, text=text, finish_reason=st.none() | text, logprobs=optional_tuple(tokens))
media = st.sampled_from(["image/png", "image/webp"])
images = st.builds(
    ImageResponse,
    image=st.builds(Image, st.binary(max_size=50), media),
)


@given(
    st.tuples(st.just("rank"), ranks)
    | st.tuples(st.just("rate"), rates)
    | st.tuples(st.just("chat"), chats)
    | st.tuples(st.just("image"), images)
)
def test_a_response_comes_back_equal_through_json(pair: tuple[str, Response]) -> None:
    kind, response = pair
    wire, image = response_to_wire(response)
    assert response_from_wire(kind, orjson.loads(orjson.dumps(wire)), image) == response


def test_an_image_is_kept_out_of_the_json_but_named_by_its_digest() -> None:
    wire, image = response_to_wire(ImageResponse(image=Image(b"pixels", "image/webp")))
    assert image == Image(b"pixels", "image/webp")
    assert wire == {"media_type": "image/webp", "sha256": hashlib.sha256(b"pixels").hexdigest(), "bytes": 6}


def test_an_image_response_cannot_be_read_without_its_image() -> None:
    with pytest.raises(ValueError, match="must be given"):
        response_from_wire("image", {"media_type": "image/png"})
