"""The finder of claims, on a table of hard cases by hand."""

from __future__ import annotations

import numpy as np
import pytest
from films import BRIEF, OTHER, explained, findings
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.finding import ClaimVerdict
from genrec_eval.metrics.explanations.found import findings_of
from genrec_eval.metrics.registry import metric

S, C, N, F = map(str, ClaimVerdict)

TABLE: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    (
        "sound",
        "Because you liked Alien (1979), you will love Heat (1995), a crime drama directed by Michela Manno.",
        [
            ("Alien", "history", S),
            ("1979", "year", S),
            ("Heat", "title", S),
            ("1995", "year", S),
            ("crime", "genre", S),
            ("drama", "genre", S),
            ("Michela Manno", "person", S),
        ],
    ),
    ("rated low, said to be liked", "Since you enjoyed Toy Story, try it.", [("Toy Story", "history", C)]),
    ("rated high, said to be disliked", "You did not like Alien.", [("Alien", "history", C)]),
    ("disliked, as it was", "You disliked Toy Story.", [("Toy Story", "history", S)]),
    ("never seen", "You watched Aliens last week.", [("Aliens", "history", F)]),
    ("never seen, no such film", 'You loved "The Silent Sea".', [("The Silent Sea", "history", F)]),
    (
        "never seen, without quotes",
        "You enjoyed A Quiet Corner and Alien.",
        [("A Quiet Corner", "history", F), ("Alien", "history", S)],
    ),
    ("relative clause", "It is like Aliens, which you rated highly.", [("Aliens", "history", F)]),
    ("noun", "Your love of Alien tells.", [("Alien", "history", S)]),
    ("conditional", "If you liked Aliens, this may suit you.", [("Aliens", "title", S)]),
    ("future", "You will enjoy Aliens.", [("Aliens", "title", S)]),
    (
        "another subject",
        "You liked Alien, and Aliens is its sequel.",
        [("Alien", "history", S), ("Aliens", "title", S)],
    ),
    ("comparison", "Unlike Toy Story, this is grim.", [("Toy Story", "title", S)]),
    ("third person", "The user enjoyed Aliens.", [("Aliens", "history", F)]),
    ("common words", "It will cheer you up, and the heat never drops.", []),
    ("common word opens a sentence", "Heat rises slowly. Up to a point. It works.", []),
    ("common word opens a sentence as a title", "Heat is near.", [("Heat", "title", S)]),
    ("common word as a title", "You may like Heat.", [("Heat", "title", S)]),
    ("common word with its year", "It (2017) is near.", [("It", "title", S), ("2017", "year", S)]),
    ("common word in quotes", "So is “Up”.", [("Up", "title", S)]),
    ("part of a name", "The Miami Heat play well.", []),
    ("longer title", "The Bridge of Silent Stars is near.", [("The Bridge of Silent Stars", "title", S)]),
    ("longer title in quotes", '"Toy Story Forever" is near.', [("Toy Story Forever", "title", N)]),
    ("sequel", "Toy Story 2 is near.", [("Toy Story 2", "title", N)]),
    ("remake", "Heat (1986) is another one.", [("Heat", "title", S), ("1986", "year", S)]),
    ("wrong year", "Alien (1981) is near.", [("Alien", "title", S), ("1981", "year", C)]),
    ("unknown title with a year", "See The Lost Ferry (2003).", [("The Lost Ferry", "title", N)]),
    ("title of digits", "“1984” is near.", [("1984", "title", S)]),
    ("another script", "七人の侍は名作です。", [("七人の侍", "title", S)]),
    ("another script, past", "You watched 七人の侍.", [("七人の侍", "history", F)]),
    ("negated genre", "This is not a comedy.", [("comedy", "genre", S)]),
    ("negated genre that it has", "It is not a drama.", [("drama", "genre", C)]),
    ("wrong genre", "It is a horror film.", [("horror", "genre", C)]),
    (
        "genre of the past",
        "You enjoyed Alien, a horror film.",
        [("Alien", "history", S), ("horror", "genre", S)],
    ),
    ("genre of taste", "You love horror.", [("horror", "genre", S)]),
    ("genre of no taste", "You love westerns.", [("westerns", "genre", F)]),
    ("genre of a low rating", "You enjoy animated films.", [("animated", "genre", C)]),
    ("war, no genre", "The generals go to war for no family.", []),
    ("wrong director", "It is directed by Rita Scotti.", [("Rita Scotti", "person", C)]),
    ("unknown director", "It was directed by Nobody Inparticular.", [("Nobody Inparticular", "person", C)]),
    ("wrong role", "It is directed by Alba Pacini.", [("Alba Pacini", "person", C)]),
    (
        "cast",
        "It stars Alba Pacini and Roberta Nero.",
        [("Alba Pacini", "person", S), ("Roberta Nero", "person", S)],
    ),
    ("unknown writer", "It was written by Ada Mori.", [("Ada Mori", "person", N)]),
    (
        "person of the past",
        "You liked Alien by Rita Scotti.",
        [("Alien", "history", S), ("Rita Scotti", "person", S)],
    ),
    ("price", "It costs $9.99.", [("$9.99", "price", S)]),
    ("wrong price", "It costs 4.50.", [("costs 4.50", "price", C)]),
    ("bound", "It is under $15.", [("$15", "price", S)]),
    ("minutes", "It runs 170 minutes.", [("170 minutes", "runtime", S)]),
    ("wrong minutes", "A brisk 95-minute ride.", [("95-minute", "runtime", C)]),
    ("round hours", "It takes about three hours.", [("three hours", "runtime", S)]),
    ("released", "It was released in 1999.", [("1999", "year", C)]),
    ("decade", "A gem of the 1990s.", [("1990s", "year", S)]),
    ("setting", "It is set in 1942.", [("1942", "year", N)]),
    ("rating", "You rated Alien 5 stars.", [("Alien", "history", S), ("5 stars", "rating", S)]),
    ("rating of another scale", "You gave Alien 10/10.", [("Alien", "history", S), ("10/10", "rating", S)]),
    (
        "wrong rating",
        "You rated The Bridge (2001) 5.",
        [("The Bridge", "history", S), ("2001", "year", S), ("5", "rating", C)],
    ),
    ("number", "It won 11 awards.", [("11", "number", N)]),
    ("list", "1. Alien\n2. The Bridge", [("Alien", "title", S), ("The Bridge", "title", S)]),
    ("aspect", "You praised the pacing of Alien.", [("pacing", "aspect", S), ("Alien", "history", S)]),
    ("aspect the other way", "You love good music.", [("music", "aspect", C)]),
    ("aspect of nothing", "You love special effects.", [("special effects", "aspect", F)]),
    ("opinion", "Its acting is superb.", []),
    ("empty", "", []),
]


@pytest.mark.parametrize(("text", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_hard_cases(text: str, wanted: list[tuple[str, str, str]]) -> None:
    assert findings(text) == wanted


def test_evidence_is_a_fact_in_words() -> None:
    found = findings_of(explained("You watched Aliens. It is directed by Rita Scotti."))[0]
    assert [f.evidence for f in found] == [
        "the user's history does not hold Aliens (1986)",
        "Heat (1995): director Michela Manno",
    ]
    assert [f.subject for f in found] == ["aliens", "heat"]


def test_shares_weigh_claims_or_texts() -> None:
    texts = explained(
        "Heat (1995) is a horror film.",  # two supported, one contradicted
        "You watched Aliens.",  # one fabricated
        "Nice.",
        None,
    )
    values = metric("contradicted")(texts)
    assert values.values[0] == pytest.approx(1 / 3)
    assert values.weights is not None
    assert values.weights.tolist() == [3, 1, 0, 0]
    assert {name: mask.tolist() for name, mask in values.reasons.items()} == {
        "no-text": [False, False, False, True],
        "no-claims": [False, False, True, False],
    }
    assert metric("contradicted(of=texts)")(texts).values.tolist()[:3] == [1, 0, 0]
    assert metric("fabricated_history(of=texts)")(texts).values.tolist()[:3] == [0, 1, 0]
    assert metric("claims")(texts).values.tolist()[:3] == [3, 1, 0]


def test_shares_of_the_four_verdicts_add_up() -> None:
    texts = explained(*(text for _, text, _ in TABLE))
    names = ("supported", "contradicted", "not_in_source", "fabricated_history")
    scores = [metric(name)(texts) for name in names]
    some = scores[0].scored
    assert np.allclose(sum(score.values for score in scores)[some], 1)


def test_fact_recall_counts_what_is_said_of_the_item() -> None:
    text = "Heat (1995) is a crime film directed by Michela Manno; it runs 170 minutes."
    # title, year, one of two genres, one of three people, minutes; not the price
    assert metric("fact_recall")(explained(text)).values.tolist() == [pytest.approx(5 / 9)]
    assert metric("fact_recall")(explained(text, briefs=[OTHER])).values.tolist() == [0.0]


def test_a_brief_without_facts_contradicts_nothing() -> None:
    from genrec_eval.protocol.brief import Brief, ItemFacts

    bare = Brief(task="explain", item=ItemFacts(id="x", title="Xanadu Road"))
    texts = explained("Xanadu Road (1990) is a horror film by Ada Mori for $5.", briefs=[bare], catalogue={})
    assert {str(f.verdict) for f in findings_of(texts)[0]} == {S, N}


PIECES = (
    *(
        "You liked",
        "Heat",
        "(1995)",
        "“",
        "”",
        '"',
        "*",
        "not",
        "a",
        "comedy",
        ",",
        ".",
        "5",
        "/",
        "stars",
        "$",
    ),
    *("directed by", "Rita Scotti", "You", "1990s", "七", "\n", "minutes", "and", "\x00", "’s", "\ud800"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_text_is_read(parts: list[str]) -> None:
    text = " ".join(parts)
    for found in findings_of(explained(text))[0]:
        assert 0 <= found.start < found.end <= len(text)
        assert found.evidence


LOOPS = (
    *(
        "Heat ",
        "“",
        "you liked ",
        "directed by A B and ",
        "(",
        "5",
        "not a ",
        "The Bridge of Silent ",
        "A",
        "* ",
    ),
    *("you, ", "1995, ", "七人の", "one of your ", "the the ", "!?.", '…"', ". "),
)


@pytest.mark.parametrize("piece", LOOPS)
def test_a_long_text_is_read_in_time(piece: str) -> None:
    text = (piece * (100_000 // len(piece) + 1))[:100_000]
    assert metric("claims")(explained(text)).scored.all()


def test_a_case_keeps_its_brief() -> None:
    texts = explained("Heat.", None, "Up (2009).", briefs=[BRIEF, BRIEF, OTHER])
    some = texts.where(~texts.missing)
    assert [brief.user for brief in some.briefs] == ["u1", "u2"]
    assert some.where(np.array([True, True])) is some
