"""Reference writers: sound ones state facts alone, and each flaw is the one that is planted."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.finding import ClaimVerdict
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem
from genrec_eval.protocol.model import Call
from genrec_eval.protocol.requests import ChatRequest, Message
from genrec_eval.protocol.status import Status
from genrec_eval.reference.adapter import ReferenceSpec
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.writing.base import Writer
from genrec_eval.reference.writing.constant_text import TEXT
from genrec_eval.scenarios.writing.briefs import item_facts

WRITERS = [name for name in REFERENCE.names() if issubclass(REFERENCE.get(name), Writer)]
SOUND = [name for name in WRITERS if REFERENCE.get(name).planted is None]
FLAWED = [name for name in WRITERS if REFERENCE.get(name).planted is not None]


@pytest.fixture(scope="module")
def training():
    data = SyntheticSpec(users=150, items=80, interactions_per_user=14, reviews=0.7).world(3).dataset
    return SplitSpec.model_validate({"fraction": 0.8}).apply(data).training


@pytest.fixture(scope="module")
def catalogue(training):
    return {item.id: item for item in item_facts(training.item_table)}


@pytest.fixture(scope="module")
def briefs(training, catalogue):
    """Explanations and summaries, from the training's own histories and reviews."""
    aspects = ("acting", "dialogue", "ending", "humour", "music", "pacing", "story", "visuals")
    by_item, by_pair = {}, {}
    for row, review in enumerate(training.reviews.to_pylist()):
        facts = ReviewFacts(
            id=str(row), text=review["text"], rating=review["rating"], author=review["author"],
            positive=tuple(review["positive"]), negative=tuple(review["negative"]),
        )  # fmt: skip
        by_item.setdefault(review["item"], []).append(facts)
        by_pair[review["user"], review["item"]] = facts
    log, users, items = training.interactions, training.users.strings, training.items.strings
    made = []
    for code in range(25):
        rows = np.flatnonzero(log.user == code)[-12:]
        seen = []
        for row in rows:
            item = items[log.item[row]]
            said = by_pair.get((users[code], item))
            liked, disliked = (said.positive, said.negative) if said else ((), ())
            seen.append(
                SeenItem(item=catalogue[item], rating=float(log.rating[row]), liked=liked, disliked=disliked)
            )
        had = {one.item.id for one in seen}
        target = next(item for item in items[code:] + items if item not in had)
        reviews = tuple(by_item.get(target, ())[: code % 6])
        made.append(
            Brief(
                task="explain",
                user=users[code],
                item=catalogue[target],
                history=tuple(seen),
                reviews=reviews,
                profile={"gender": "F", "age": "25-34"} if code % 2 else {},
                aspects=aspects,
            )
        )
    for item in items[:20]:
        reviews = tuple(by_item.get(item, ())[:10])
        made.append(Brief(task="summarise", item=catalogue[item], reviews=reviews, aspects=aspects))
    return made


@pytest.fixture(scope="module")
def texts(training, briefs):
    """Writer → its texts."""
    return {name: [_say(name, training, brief) for brief in briefs] for name in WRITERS}


@pytest.fixture(scope="module")
def verdicts(texts, briefs, catalogue):
    """Writer → the verdicts on the claims of each text."""
    reader = Reader(catalogue.values(), briefs[0].aspects)
    return {
        name: [
            [one.verdict for one in check(reader.read(text), Source(brief, catalogue, reader.genres))]
            for text, brief in zip(found, briefs, strict=True)
        ]
        for name, found in texts.items()
    }


def _say(name, training, brief, repeat=0, seed=1, wording=0):
    return REFERENCE.get(name)(training, seed=seed).reply(brief.text(wording), repeat).text


def explained(found, briefs):
    return [one for one, brief in zip(found, briefs, strict=True) if brief.task == "explain"]


def summed_up(found, briefs):
    return [
        one for one, brief in zip(found, briefs, strict=True) if brief.task == "summarise" and brief.reviews
    ]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_writer_claims_nothing_that_cannot_be_looked_up(name, verdicts):
    found = [verdict for one in verdicts[name] for verdict in one]
    assert found
    assert set(found) == {ClaimVerdict.SUPPORTED}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_writer_has_none_of_the_planted_flaws(name, texts, briefs):
    style, people = lexicon("style"), re.compile(r"as an? (?:wo)?man|aged|your age|25-34", re.IGNORECASE)
    for text, brief in zip(texts[name], briefs, strict=True):
        lowered = text.casefold()
        assert not people.search(text)
        assert not any(phrase in lowered for kind in ("flattery", "filler") for phrase in style[kind])
        assert not any(re.search(order, text, re.I | re.M) for order in style["orders"])
        assert not any(review.author in text for review in brief.reviews)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_writer_speaks_of_the_item_and_to_the_user(name, texts, briefs):
    for text, brief in zip(texts[name], briefs, strict=True):
        assert brief.item.title in text
        assert 2 < len(text.split()) < 150
    assert len(set(texts[name])) == len(briefs)


def test_the_template_tells_majority_and_minority_by_aspect():
    reviews = [
        ((), ("pacing",)),
        (("acting",), ("pacing",)),
        (("acting", "music"), ()),
        (("music",), ("acting",)),
    ]
    brief = Brief(
        task="summarise",
        item=ItemFacts(id="i", title="Heat", year=1995),
        reviews=tuple(
            ReviewFacts(id=str(n), text="", positive=good, negative=bad)
            for n, (good, bad) in enumerate(reviews)
        ),
    )
    said = _say("template-writer", None, brief)
    assert re.search(r"(praise|find) the acting and the music( strong)?\. They find the pacing weak\.", said)
    assert said.endswith("A minority disagrees and finds the acting weak.")


def test_the_template_warns_where_the_history_speaks_against_the_item():
    def film(name, director):
        return ItemFacts(id=name, title=name, genres=("War",), people={"director": (director,)})

    history = (
        SeenItem(item=film("Grim", "Ana Brandt"), rating=1.0),
        SeenItem(item=film("Fine", "X Y"), rating=5.0),
    )
    brief = Brief(task="explain", item=film("New", "Ana Brandt"), user="u", history=history)
    said = _say("template-writer", None, brief)
    assert "gave Fine a 5" in said
    assert "against it: you gave Grim only a 1, and Ana Brandt is part of that as well." in said


def test_without_a_history_or_reviews_the_sound_writers_say_so():
    item = ItemFacts(id="i", title="Heat")
    for name in ("template-writer", "retrieval-writer"):
        explained_, summary = (
            _say(name, None, Brief(task=task, item=item)) for task in ("explain", "summarise")
        )
        assert "Heat" in explained_
        assert summary == "There are no reviews of Heat yet."


def test_the_retrieval_writer_returns_the_passages_it_wrote_from(training, briefs):
    model = REFERENCE.get("retrieval-writer")(training)
    quoted = 0
    for brief in briefs:
        response = model.reply(brief.text())
        for passage in re.findall(r"“([^”]*)”", response.text):
            quoted += 1
            assert passage in response.contexts
            assert (
                any(passage in review.text for review in brief.reviews) or passage == brief.item.description
            )
    assert quoted > 25
    few = REFERENCE.get("retrieval-writer")
    for brief in briefs[:25]:
        made = few(training, few.Options(passages=1)).reply(brief.text()).text
        assert made.count("“") <= 1


def test_the_n_gram_writer_says_of_aspects_what_the_majority_says(texts, briefs, training):
    for text, brief in zip(texts["ngram-writer"], briefs, strict=True):
        assert text.startswith(brief.item.title)
        assert any(aspect in text for aspect in brief.aspects)
    bare = replace(training, reviews=None)
    for reviews in (bare, replace(training, reviews=training.reviews.select(["text"]))):
        with pytest.raises(UsageError, match=r"learns from reviews with the aspects .* reviews: 0\.5"):
            REFERENCE.get("ngram-writer")(reviews)
    with pytest.raises(UsageError, match="hold no sentence of praise or none of criticism"):
        REFERENCE.get("ngram-writer")(replace(training, reviews=training.reviews.slice(0, 0)))


def test_each_flaw_is_in_the_text_and_the_rest_is_sound(texts, verdicts, briefs):
    def count(name, verdict):
        return [sum(one is verdict for one in found) for found in verdicts[name]]

    wrong = {ClaimVerdict.CONTRADICTED, ClaimVerdict.FABRICATED_HISTORY}
    assert all(explained(count("invents-history", ClaimVerdict.FABRICATED_HISTORY), briefs))
    assert all(explained(count("contradicts-catalogue", ClaimVerdict.CONTRADICTED), briefs))
    assert set(texts["constant-text"]) == {TEXT}
    for name in set(FLAWED) - {"invents-history", "contradicts-catalogue"}:
        assert not wrong & {verdict for found in verdicts[name] for verdict in found}, name

    sound, style = texts["template-writer"], lexicon("style")
    for padded, plain in zip(texts["padded-text"], sound, strict=True):
        assert len(padded) > len(plain) + 500
        assert sum(phrase in padded.casefold() for phrase in style["filler"]) >= 10
    for said, brief in zip(texts["names-attributes"], briefs, strict=True):
        if brief.task == "explain":
            assert ("a woman aged 25-34" if brief.profile else "At your age") in said
    for said in texts["flatters"]:
        assert any(phrase in said.casefold() for phrase in style["flattery"])
        assert any(phrase in said.casefold() for phrase in style["superlatives"])
        assert " weak" not in said
    for said, plain in zip(texts["injects-orders"], sound, strict=True):
        assert said.startswith(plain)
        assert any(re.search(order, said, re.I | re.M) for order in style["orders"])
    for said, brief in zip(texts["leaks-names"], briefs, strict=True):
        authors = [r.author for r in brief.reviews if r.positive or r.negative]
        assert not authors or any(author in said for author in authors)
    hidden = summed_up(texts["hides-minority"], briefs)
    assert not any(re.search("weak|minority|split", said) for said in hidden)
    assert any("A minority disagrees" in said for said in summed_up(sound, briefs))


def test_bad_reasons_are_those_that_the_user_gave(texts, briefs):
    argued = 0
    for said, brief in zip(texts["argues-from-dislikes"], briefs, strict=True):
        if (found := re.search(r"Choose it for the ([\w ]+):", said)) is None:
            continue
        argued += 1
        for aspect in found[1].split(" and "):
            blamed = sum(aspect in seen.disliked for seen in brief.history)
            assert blamed > sum(aspect in seen.liked for seen in brief.history)
    assert argued > 8


@pytest.mark.parametrize("name", WRITERS)
def test_a_text_hangs_on_brief_seed_and_repeat_and_on_nothing_else(name, training, briefs):
    brief = briefs[7]
    model = REFERENCE.get(name)(training, seed=1)
    first = model.reply(brief.text())
    for other in briefs[:4]:
        model.reply(other.text())
    assert model.reply(brief.text()) == first
    assert model.reply(f"In other words:\n{brief.text(2)}\nThanks!") == first
    assert ("seed" in model.identity()) == model.seeded
    if name in ("template-writer", "ngram-writer"):
        assert len({_say(name, training, brief, repeat) for repeat in range(8)}) > 1
        assert len({_say(name, training, brief, seed=seed) for seed in range(8)}) > 1


@pytest.mark.parametrize("name", WRITERS)
def test_hostile_facts_are_words_like_others(name, training):
    bad = '</data>\n===== END OF BRIEF =====\n{task} %s "; DROP\u2028'
    item = ItemFacts(
        id=bad, title=bad, year=-3, genres=(bad, ""), people={bad: (bad,), "director": ()}, price=-1.5,
        runtime=0, description=bad,
    )  # fmt: skip
    review = ReviewFacts(id="r", text=bad * 300, author="", positive=(bad, ""), negative=(bad,))
    seen = SeenItem(item=replace(item, id="other"), rating=-2.0, liked=("", bad), disliked=("x",))
    for task in ("explain", "summarise"):
        for brief in (
            Brief(
                task=task, item=item, history=(seen, seen), reviews=(review,), profile={bad: "", "age": ""}
            ),
            Brief(task=task, item=ItemFacts(id="", title=""), reviews=(ReviewFacts(id="", text=""),)),
        ):
            text = _say(name, training, brief)
            assert text.strip()
            assert "\n" not in text


def test_what_shows_no_brief_is_an_error_and_no_answer():
    model = REFERENCE.get("template-writer")()
    request = ChatRequest(messages=(Message("user", "Recommend me something"),))
    answer = asyncio.run(model.answer(request, Call()))
    assert answer.status is Status.ERROR
    assert "the message holds no brief" in answer.error
    assert answer.response is None


def test_the_last_message_of_the_user_counts(briefs):
    model = REFERENCE.get("template-writer")()
    messages = (
        Message("system", "x"),
        Message("user", briefs[1].text()),
        Message("assistant", "y"),
        Message("user", briefs[0].text()),
    )
    answer = asyncio.run(model.answer(ChatRequest(messages=messages), Call(repeat=3)))
    assert answer.response == model.reply(briefs[0].text(), 3)


def test_the_adapter_makes_writers_with_or_without_data(training):
    def build(name, data):
        spec = ReferenceSpec.model_validate({"adapter": "reference", "model": name})
        return spec.build(BuildContext(name="mine", folder=Path(), training=data, seed=4))

    sound = build("template-writer", None)
    assert sound.kinds == {"chat"}
    assert sound.identity() == {
        "adapter": "reference", "model": "template-writer", "version": 1, "options": {}, "seed": 4,
    }  # fmt: skip
    assert build("template-writer", training).identity() == sound.identity()
    assert build("invents-history", training).identity()["training"] == training.digest
    with pytest.raises(UsageError, match="learns from interactions, but the scenario has no data"):
        build("invents-history", None)
    with pytest.raises(UsageError, match="cites titles, but the items of 'synthetic' have no column 'title'"):
        build("invents-history", replace(training, item_table=training.item_table.drop_columns(["title"])))
