"""The ranking service, the speaking recommenders and the picture maker."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path

import httpx2
import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.data.dataset import Interactions, Training
from genrec_eval.models.llm.spec import RecommenderSpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.arrays import Vocabulary
from genrec_eval.protocol.requests import RankRequest, RateRequest
from genrec_eval.protocol.responses import Answer, ChatResponse
from genrec_eval.reference.base import REFERENCE
from genrec_eval.serving.catalogue import Catalogue
from genrec_eval.serving.persona import Persona
from genrec_eval.serving.pixels import png
from genrec_eval.serving.titles import Titles


def direct(world, name, user, history, k, candidates=None):
    """What the model itself says."""
    catalogue = Catalogue(world, [name], seed=5)
    codes = world.items.codes
    chosen = None if candidates is None else np.array([codes[item] for item in candidates])
    return catalogue.recommend(
        catalogue.models[name], user, np.array([codes[item] for item in history], np.int32), k, chosen
    )


@pytest.fixture(scope="module")
def history(world):
    return [world.items.strings[code] for code in world.histories()[3][:6]]


@pytest.mark.parametrize("name", ["popularity", "item-knn", "random"])
def test_rank_is_the_model_itself(server, world, history, name):
    request = RankRequest(user="someone", history=tuple(history), k=7).to_wire()
    answer = httpx2.post(f"{server.url}/rank?model={name}", json=request).json()
    items, scores = direct(world, name, "someone", history, 7)
    assert answer == ({"items": items} if scores is None else {"items": items, "scores": scores})
    assert len(items) == 7


def test_rank_honours_candidates_and_ignores_unknown_ids(server, world, history):
    some = [item for item in world.items.strings[:12] if item not in history]
    request = RankRequest(
        user="u", history=(*history, "nowhere"), k=5, candidates=(*some, "nobody", history[0])
    )
    answer = httpx2.post(f"{server.url}/rank", json=request.to_wire()).json()
    assert answer["items"] == direct(world, "popularity", "u", history, 5, some)[0]
    assert set(answer["items"]) <= set(some)


def test_a_profile_reaches_the_model(server, history):
    def ask(**said):
        body = {"user": "u", "history": history, "k": 10, **said}
        return httpx2.post(f"{server.url}/rank?model=unfair-value", json=body).json()["items"]

    plain = ask()
    assert ask(profile={"gender": "M"}) == ask(profile={}) == plain
    assert [a == b for a, b in zip(ask(profile={"gender": "F"}), plain, strict=True)].count(False) == 3


def test_planted_unknown_ids_come_through(server, history):
    answer = httpx2.post(f"{server.url}/rank?model=unknown-ids", json={"history": history, "k": 10}).json()
    assert [item for item in answer["items"] if item.startswith("invented-")] == [
        "invented-0", "invented-1", "invented-2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"k": 0}, 400, "k"),
        ({"k": "3"}, 400, "k"),
        ({"user": 3}, 400, "user"),
        ({"history": "abc"}, 400, "history"),
        ({"history": [1]}, 400, "history"),
        ({"candidates": {}}, 400, "candidates"),
        ({"profile": ["F"]}, 400, "profile"),
        ({"profile": {"age": 18}}, 400, "profile"),
    ],
)
def test_rank_refuses_wrong_fields(server, body, status, param):
    answer = httpx2.post(f"{server.url}/rank", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_rank_of_an_unknown_model(server):
    answer = httpx2.post(f"{server.url}/rank?model=popularty", json={})
    assert answer.status_code == 404
    assert "did you mean 'popularity'" in answer.json()["error"]["message"]


def test_rate_gives_damped_means(server, world):
    events = world.interactions
    code = int(events.item[0])
    own = events.rating[events.item == code]
    expected = (own.sum() + 5 * events.rating.mean()) / (len(own) + 5)
    items = [world.items.strings[code], "nowhere"]
    ratings = httpx2.post(f"{server.url}/rate", json={"user": "u", "items": items}).json()["ratings"]
    assert ratings[0] == pytest.approx(expected, rel=1e-6)
    assert ratings[1] is None
    wire = RateRequest(user="u", items=tuple(items)).to_wire()
    assert httpx2.post(f"{server.url}/rank", json=wire).json() == {"ratings": ratings}


@pytest.mark.parametrize("prompt", ["rank-list", "rank-json"])
@pytest.mark.parametrize("name", ["popularity", "item-knn"])
def test_shipped_prompts_get_the_models_own_list(client, world, history, prompt, name):
    spec = RecommenderSpec(prompt=prompt)
    translator = spec.build(BuildContext(name="m", folder=Path(), training=world, seed=1))
    request = RankRequest(user="u", history=tuple(history), k=8)
    answer = ask(client, translator, request, name)
    assert list(answer.response.items) == direct(world, name, "u", history, 8)[0]
    assert set(answer.response.grounding) == {"exact"}


def test_prompt_with_candidates_is_answered_from_them(client, world, history):
    spec = RecommenderSpec(prompt="rank-candidates")
    translator = spec.build(BuildContext(name="m", folder=Path(), training=world, seed=1))
    some = [item for item in world.items.strings[20:50] if item not in history]
    request = RankRequest(user="u", history=tuple(history), k=6, candidates=tuple(some))
    answer = ask(client, translator, request, "item-knn")
    assert list(answer.response.items) == direct(world, "item-knn", "u", history, 6, some)[0]


def ask(client, translator, request, name):
    asked = translator.translate(request)
    messages = [{"role": message.role, "content": message.content} for message in asked.messages]
    done = client.chat.completions.create(model=name, messages=messages)
    said = ChatResponse(text=done.choices[0].message.content)
    return translator.interpret(request, Answer(response=said))


def say(client, text, **more):
    done = client.chat.completions.create(
        model="popularity", messages=[{"role": "user", "content": text}], **more
    )
    return done.choices[0].message.content


def test_lists_are_numbered_or_json(client, world):
    lines = say(client, "Please recommend 4 films.").splitlines()
    titles = [line.partition(". ")[2] for line in lines]
    assert [line.partition(". ")[0] for line in lines] == ["1", "2", "3", "4"]
    assert all(title.endswith(")") for title in titles)
    assert json.loads(say(client, "Recommend 4 films as JSON.")) == titles
    made = say(client, "Recommend 4 films as JSON.", response_format={"type": "json_object"})
    assert json.loads(made) == {"recommendations": titles}
    assert len(say(client, "What should I watch?").splitlines()) == 10


def test_only_the_last_user_message_is_history(client, world):
    best = say(client, "recommend 1").partition(". ")[2]
    assert say(client, f"I saw {best}. recommend 1").partition(". ")[2] != best
    done = client.chat.completions.create(
        model="popularity",
        messages=[
            {"role": "user", "content": f"I saw {best}."},
            {"role": "assistant", "content": "Noted."},
            {"role": "user", "content": "recommend 1"},
        ],
    )
    assert done.choices[0].message.content.partition(". ")[2] == best


def films(*rows):
    ids, titles, years = zip(*rows, strict=True)
    return Titles(pa.table({"item": ids, "title": titles, "year": pa.array(years, pa.int32())}))


def codes(titles, text):
    return [code for _, code in titles.find(text)]


def test_titles_with_years_tell_remakes_apart():
    titles = films(("a", "Dune (1984)", 1984), ("b", "Dune (2021)", 2021), ("c", "Heat", 1995))
    assert titles.labels == ["Dune (1984)", "Dune (2021)", "Heat (1995)"]
    assert codes(titles, "I saw Dune (2021), then HEAT (1995) and dune, 1984. Dune (2021) again") == [1, 2, 0]
    assert codes(titles, "I saw Dune") == [0]
    assert codes(titles, "I saw Dune (1999)") == [0]


def test_the_longest_title_wins_and_small_words_are_no_titles():
    titles = films(("a", "It", 2017), ("b", "It Follows", 2014), ("c", "Up", 2009))
    assert codes(titles, "it was late when we got up") == []
    assert codes(titles, "We saw It Follows and Up") == [1, 2]
    assert codes(titles, "It Follows (2014); what else is like it?") == [1]


def test_titles_escaped_as_json_and_without_years():
    titles = Titles(pa.table({"item": ["a", "b", "c"], "title": ["Schindler's List", None, "Amélie"]}))
    assert titles.labels == ["Schindler's List", "b", "Amélie"]
    assert codes(titles, '["Schindler\\u0027s List", "Am\\u00e9lie"]') == [0, 2]
    assert codes(Titles(pa.table({"item": ["x1", "???"]})), "I know X1 and ???") == [0]


def test_aliases_are_read():
    table = pa.table(
        {"item": ["a"], "title": ["The Matrix"], "year": [1999], "aliases": [["Matrix, The (1999)"]]}
    )
    assert codes(Titles(table), "Matrix, The (1999)") == [0]


def test_every_label_of_a_catalogue_is_found_in_a_list(world):
    titles = Titles(world.item_table)
    order = np.random.default_rng(3).permutation(len(titles.labels))
    text = "\n".join(f"- {titles.labels[code]}" for code in order)
    assert codes(titles, text) == order.tolist()


def read_png(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and raw rows; every check sum must fit."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + content)
        chunks[name] = content
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    return width, height, zlib.decompress(chunks[b"IDAT"])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (64, 64), (7, 50), (1024, 3)])
def test_pictures_are_valid(width, height):
    read = read_png(png(bytes(range(32)), width, height))
    assert read[:2] == (width, height)
    rows = np.frombuffer(read[2], np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    assert rows.max() < 4


def test_image_endpoint(client, server):
    def make(prompt, **more):
        made = client.images.generate(model="pixels", prompt=prompt, **more)
        return base64.b64decode(made.data[0].b64_json)

    assert make("a poster") == make("a poster")
    assert make("a poster") != make("another poster")
    assert read_png(make("a poster", size="32x48"))[:2] == (32, 48)
    for wrong in ({"n": 2}, {"size": "9999x1"}, {"response_format": "url"}, {"prompt": 3}):
        answer = httpx2.post(f"{server.url}/v1/images/generations", json={"prompt": "x", **wrong})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(wrong)))
    assert (
        httpx2.post(f"{server.url}/v1/images/generations", json={"prompt": "x", "model": "z"}).status_code
        == 404
    )


def test_every_reference_model_can_be_served(world):
    pytest.importorskip("torch")
    # what peeks needs a held-out part, and serving has none
    made = {name: REFERENCE.get(name) for name in REFERENCE.names()}
    sound = [name for name, one in made.items() if not one.peeks and "chat" not in one.kinds]
    assert set(Catalogue(world, sound).models) == set(sound)


SPEAKING = (
    "Zulu (1964)", "The Candidate: Choose From (1972)", "Top 3 (1990)", "$ (1971)", "Wreck-It 5 (2001)",
    "JSON (2000)", "Heat (1986)", "It (1990)", "Candidates, The: A Story (1999)", "Give 7 Movies (2003)",
    "<b>Bold</b> (1990)", "Ünïted (1990)", "Recommend 2 (1992)", f"Long {'y' * 250} (1990)", "Heat (1995)",
)  # fmt: skip


@pytest.mark.parametrize("prompt", ["rank-list", "rank-json", "rank-candidates"])
def test_titles_that_read_like_instructions_are_titles(prompt):
    n = len(SPEAKING)
    ids = [f"i{place}" for place in range(n)]
    random = np.random.default_rng(0)
    events = Interactions(
        user=random.integers(0, 30, 400).astype(np.int32), item=random.integers(0, n, 400).astype(np.int32)
    )
    people = [f"u{place}" for place in range(30)]
    training = Training(
        dataset="d", users=Vocabulary(people), items=Vocabulary(ids), interactions=events, seed=0, digest="x",
        item_table=pa.table({"item": ids, "title": SPEAKING}), user_table=pa.table({"user": people}),
    )  # fmt: skip
    catalogue = Catalogue(training, ["item-knn"])
    model = catalogue.models["item-knn"]
    persona = Persona(catalogue, Titles(training.item_table), model)
    context = BuildContext(name="m", folder=Path(), training=training, seed=0)
    translator = RecommenderSpec(prompt=prompt).build(context)
    for seen in range(1, n):
        offered = [code for code in range(1, n) if code != seen] if prompt == "rank-candidates" else None
        request = RankRequest(
            user="u",
            history=(ids[seen], ids[0]),
            k=4,
            candidates=None if offered is None else tuple(ids[code] for code in offered),
        )
        said = persona(translator.translate(request).messages[-1].content, {})
        answer = translator.interpret(request, Answer(response=ChatResponse(text=said)))
        given = None if offered is None else np.array(offered)
        expected, _ = catalogue.recommend(model, "u", np.array([seen, 0]), 4, given)
        assert list(answer.response.items) == expected, SPEAKING[seen]


def test_candidates_after_escaped_titles_stand_where_they_stand():
    titles = films(("a", "Ünïtéd Ärtïsts", 1990), ("b", "Heat", 1995))
    found, rest = titles.read(json.dumps(["Ünïtéd Ärtïsts (1990)"]) + " choose from Heat (1995)")
    assert [code for place, code in found if place < rest.index("choose from")] == [0]
    assert [code for place, code in found if place > rest.index("choose from")] == [1]
