"""What a text says for and against aspects: sentences as people and models write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.opinions import OpinionReader
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.protocol.brief import ItemFacts

ASPECTS = ("acting", "dialogue", "ending", "humour", "music", "pacing", "story", "visuals")
FILM = ItemFacts(id="i1", title="The Music of Superb Stories", year=1999)
READER, OPINIONS = Reader([FILM], ASPECTS), OpinionReader(ASPECTS)


def said(text: str) -> set[str]:
    """``+acting`` for praise, ``-acting`` for blame, with a ``?`` where it is told of some alone."""
    found = OPINIONS.read(READER.read(text)).said
    return {f"{'+' if one.glad else '-'}{one.aspect}{'?' if one.few else ''}" for one in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reviewers find the acting, the music and the visuals strong.", "+acting +music +visuals"),
        ("Viewers praise the acting and the visuals. They find the pacing weak.", "+acting +visuals -pacing"),
        ("The acting, the story, and the music are superb.", "+acting +story +music"),
        ("The acting is superb, despite dull pacing.", "+acting -pacing"),
        ("There is no way around it: the acting is superb.", "+acting"),
        ("Nobody told me how lazy the story would be.", "-story"),
        ("Great acting, weak pacing.", "+acting -pacing"),
        ("The acting is not good, the music isn't bad.", "-acting +music"),
        ("Not only superb acting but also a dull plot.", "+acting -story"),
        ("It lacks humour.", "-humour"),
        ("No complaints about the acting.", "+acting"),
        ("The performances drew praise, though the pace was criticised.", "+acting -pacing"),
        ("The acting of this film and its music are superb.", "+acting +music"),
        ("Reviewers criticise the pacing and praise the story.", "-pacing +story"),
        ("The acting is strong but uneven.", "+acting -acting"),
        ("The acting is both praised and criticised.", "+acting -acting"),
        ("Opinions on the music are divided.", "+music -music"),
        ("Most love the acting, but a few find it dull.", "+acting -acting?"),
        ("Most praise the acting; a few disagree.", "+acting -acting?"),
        ("While most praised the acting, some found the pacing dull.", "+acting -pacing?"),
        ("A minority disagrees and finds the acting and the story weak, and finds the music strong.",
         "-acting? -story? +music?"),
        ("3 of 12 reviewers find the acting weak.", "-acting?"),
        ("9 of 12 reviewers find the acting weak.", "-acting"),
        ("Only 10% of viewers liked the film, and they praised the music.", "+music?"),
        ("Some reviewers criticised the ending, others loved it.", "-ending? +ending?"),
        ("- **Acting**: widely praised\n- **Pacing**: criticised by some", "+acting -pacing?"),
        ("The visuals are stunning yet the story is thin.", "+visuals -story"),
    ],
)  # fmt: skip
def test_sentences(text: str, expected: str) -> None:
    assert said(text) == set(expected.split())


@pytest.mark.parametrize(
    "text",
    [
        "The film is great.",  # of no aspect
        "It is about acting.",  # neither praise nor blame
        "The Music of Superb Stories (1999) is a film.",  # a title
        "You praised the music of it.",  # the reader's past, not the item
        "",
    ],
)
def test_what_is_no_opinion(text: str) -> None:
    assert said(text) == set()


def test_named_is_more_than_judged() -> None:
    assert OPINIONS.read(READER.read("It is about acting, and the music is dull.")).named == {
        "acting",
        "music",
    }


def test_an_aspect_of_the_data_keeps_its_own_word() -> None:
    reader = OpinionReader(("story", "plot"))
    assert {one.aspect for one in reader.read(READER.read("The plot is dull.")).said} == {"plot"}


def test_places_are_those_of_the_text() -> None:
    text = "All agree. The pacing is dull."
    (one,) = OPINIONS.read(READER.read(text)).said
    assert (text[one.start : one.end], one.sentence) == ("pacing", 1)


@given(st.lists(st.sampled_from(ASPECTS), min_size=1, max_size=8, unique=True), st.booleans())
def test_lists_of_any_length_share_their_verdict(aspects: list[str], glad: bool) -> None:
    names = " and ".join(filter(None, [", ".join(f"the {a}" for a in aspects[:-1]), f"the {aspects[-1]}"]))
    sign, word = ("+", "strong") if glad else ("-", "weak")
    assert said(f"Reviewers find {names} {word}.") == {f"{sign}{aspect}" for aspect in aspects}


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    opinions = OPINIONS.read(READER.read(f"{text} acting superb"))
    assert {aspect for aspect, _ in opinions.held} <= opinions.named <= set(ASPECTS)
