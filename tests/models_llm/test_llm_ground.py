"""Titles grounded to a catalogue: every tier, and everything that must not match."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.models.llm.entries import entry
from genrec_eval.models.llm.ground import Grounder
from genrec_eval.models.llm.parse import parse
from genrec_eval.models.llm.similar import Block
from genrec_eval.models.llm.text import as_data, normalise, spell_numbers

ROWS = [
    ("m1", "Alien (1979)", 1979, None),
    ("m2", "Aliens (1986)", 1986, None),
    ("m3", "Toy Story 3", 2010, None),
    ("m4", "Cinderella (1950)", 1950, None),
    ("m5", "Cinderella (2015)", 2015, None),
    ("m6", "2001: A Space Odyssey", 1968, None),
    ("m7", "1984", 1984, ["Nineteen Eighty-Four"]),
    ("m8", "Mission: Impossible (1996)", 1996, None),
    ("m9", "Matrix, The (1999)", 1999, None),
    ("m10", "Terminator 2: Judgment Day", 1991, ["T2"]),
    ("m11", "Seven (a.k.a. Se7en)", 1995, None),
    ("m12", "Twin (2000)", 2000, None),
    ("m13", "Twin (2000)", 2000, None),
    ("m14", "Amélie (Fabuleux destin d'Amélie Poulain, Le) (2001)", 2001, None),
    ("m15", "Crouching Tiger, Hidden Dragon", None, None),
    ("m16", None, None, None),
    ("m17", "Ten (2002)", 2002, None),
    ("m18", "Wedding Singer, The (1998)", 1998, None),
    ("m19", "Look Who's Talking (1989)", 1989, None),
    ("m20", "Colour Purple, The", 1985, None),
    ("300", "Air Force One", 1997, None),
    ("m22", "Blade Runner 2049", 2017, None),
    ("m23", "Romeo & Juliet", 1968, None),
    ("m24", "Rocky II", 1979, None),
]


def table(rows: list[tuple]) -> pa.Table:
    return pa.table(
        {
            "item": [row[0] for row in rows],
            "title": pa.array([row[1] for row in rows], pa.string()),
            "year": pa.array([row[2] for row in rows], pa.int32()),
            "aliases": pa.array([row[3] for row in rows], pa.list_(pa.string())),
        }
    )


@pytest.fixture(scope="module")
def grounder() -> Grounder:
    return Grounder(table(ROWS))


@pytest.mark.parametrize(
    ("mention", "item", "tier"),
    [
        ("Alien (1979)", "m1", "exact"),
        ("Alien", "m1", "exact"),
        ("m16", "m16", "exact"),
        ("m1", "m1", "exact"),
        ("1984 (1984)", "m7", "exact"),
        ("2001: A Space Odyssey (1968)", "m6", "exact"),
        ("Blade Runner 2049", "m22", "exact"),
        ("Cinderella (2015)", "m5", "exact"),
        ("Matrix, The (1999)", "m9", "exact"),
        ("the matrix", "m9", "normalised"),
        ("The Matrix [1999]", "m9", "normalised"),
        ("The Matrix, 1999", "m9", "normalised"),
        ("2001 - a space odyssey", "m6", "normalised"),
        ("ROMEO AND JULIET (1968)", "m23", "normalised"),
        ("Crouching Tiger Hidden Dragon (2000)", "m15", "normalised"),  # the catalogue knows no year
        ("Nineteen Eighty Four (1984)", "m7", "alias"),
        ("T2", "m10", "alias"),
        ("Se7en (1995)", "m11", "alias"),
        ("Seven", "m11", "alias"),
        ("Amelie (2001)", "m14", "alias"),
        ("Le fabuleux destin d’Amelie Poulain", "m14", "alias"),
        ("Terminator 2: Judgement Day (1991)", "m10", "fuzzy"),
        ("Terminator II: Judgment Day", "m10", "fuzzy"),
        ("Rocky 2 (1979)", "m24", "fuzzy"),
        ("The Color Purple (1985)", "m20", "fuzzy"),  # a short word: the year confirms it
    ],
)
def test_a_mention_is_matched_and_its_tier_recorded(
    grounder: Grounder, mention: str, item: str, tier: str
) -> None:
    match = grounder.match([mention])
    assert (match.item, match.tier) == (item, tier)


@pytest.mark.parametrize(
    "mention",
    [
        "Alien (1992)",  # another year
        "Alienz",  # a short word without a year
        "Toy Story 2",
        "Toy Story",
        "Toy Story III: The Return",
        "Terminator 3: Judgment Day",
        "Terminator: Judgment Day",
        "Rocky",
        "Rocky III",
        "10",
        "The Wedding Ringer",
        "Look Who's Talking Too",
        "The Color Purple",
        "Cinderella (1997)",
        "Blade Runner 2048",
        "Matrix Reloaded",
        "",
        "???",
        "x" * 300,
        "{0.__class__}",
        "../../etc/passwd",
    ],
)
def test_what_is_not_in_the_catalogue_is_not_matched(grounder: Grounder, mention: str) -> None:
    match = grounder.match([mention])
    assert (match.item, match.mention, match.tier) == (mention, mention, "none")


@pytest.mark.parametrize("mention", ["Cinderella", "cinderella", "Twin (2000)", "Twin", "TWIN (2000)"])
def test_what_fits_several_items_is_ambiguous_and_nothing_is_picked(grounder: Grounder, mention: str) -> None:
    match = grounder.match([mention])
    assert (match.item, match.tier) == (mention, "ambiguous")


def test_singular_is_not_plural() -> None:
    only = Grounder(table([("a", "Aliens (1986)", 1986, None), ("b", "Bad Boys (1995)", 1995, None)]))
    for mention in ("Alien", "Alien (1986)", "Bad Boy", "Bad Boy (1995)"):
        assert only.match([mention]).tier == "none"


def test_a_bare_number_is_never_an_item_that_has_a_title(grounder: Grounder) -> None:
    match = grounder.match(["300"])
    assert (match.item, match.mention, match.tier) == ("unmatched:300", "300", "none")
    untitled = Grounder(pa.table({"item": ["300", "301"]}))
    assert untitled.match(["300"]).tier == "exact"


def test_the_longest_reading_in_the_catalogue_wins_and_a_written_year_binds_the_shorter(
    grounder: Grounder,
) -> None:
    both = Grounder(table([*ROWS, ("m99", "Mission: Impossible – Fallout", 2018, None)]))
    line = entry("Mission: Impossible - Fallout (2018) - the stunts are real")
    assert both.match(line.readings, line.mention).item == "m99"
    missing = grounder.match(line.readings, line.mention)
    assert (missing.item, missing.tier) == ("Mission: Impossible - Fallout (2018)", "none")
    no_year = entry("Mission: Impossible - Fallout")
    assert grounder.match(no_year.readings, no_year.mention).tier == "none"


def test_a_tolerated_year_takes_the_nearest_and_is_not_exact() -> None:
    loose = Grounder(table(ROWS), year_tolerance=2)
    assert (loose.match(["Alien (1980)"]).item, loose.match(["Alien (1980)"]).tier) == ("m1", "normalised")
    assert loose.match(["Cinderella (1951)"]).item == "m4"
    assert loose.match(["Alien (1982)"]).tier == "none"
    between = Grounder(table([("a", "Emma", 1995, None), ("b", "Emma", 1997, None)]), year_tolerance=1)
    assert between.match(["Emma (1996)"]).tier == "ambiguous"


def test_only_the_tiers_that_are_allowed_are_used() -> None:
    strict = Grounder(table(ROWS), tiers=("exact",))
    assert strict.match(["the matrix"]).tier == "none"
    assert Grounder(table(ROWS), tiers=("normalised",)).match(["Alien (1979)"]).tier == "normalised"
    assert Grounder(table(ROWS), tiers=("exact", "normalised")).match(["T2"]).tier == "none"
    assert Grounder(table(ROWS), fuzzy_cutoff=99).match(["Terminator 2: Judgement Day"]).tier == "none"


def test_an_unmatched_mention_never_equals_an_id() -> None:
    odd = Grounder(table([("7", "Seven", 1995, None), ("unmatched:7", "Eight", 1996, None)]))
    assert odd.match(["7"]).item == "unmatched:unmatched:7"


WORDS = [
    "Night",
    "of",
    "the",
    "Living",
    "Dead",
    "II",
    "3",
    "Part",
    "Two",
    "A",
    "Bug's",
    "Life",
    "-",
    "Return:",
    "(Redux)",
]


@given(
    titles=st.lists(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), min_size=1, max_size=20
    ),
    years=st.lists(st.integers(1900, 2025), min_size=20, max_size=20),
)
def test_every_shown_title_comes_back_to_its_item_or_is_ambiguous(
    titles: list[str], years: list[int]
) -> None:
    rows = [(f"i{n}", title, year, None) for n, (title, year) in enumerate(zip(titles, years, strict=False))]
    grounder = Grounder(table(rows))
    shown = [grounder.shown(row[0]) for row in rows]
    numbered = "\n".join(f"{n}. {title}" for n, title in enumerate(shown, 1))
    for text in (numbered, json.dumps(shown)):
        entries = parse(text).entries
        assert len(entries) == len(rows)
        for row, title, found in zip(rows, shown, entries, strict=True):
            match = grounder.match(found.readings, found.mention)
            twins = shown.count(title) > 1
            assert match.item == row[0] if not twins else match.tier == "ambiguous"


@given(st.text(max_size=120))
def test_any_text_is_grounded_without_a_fault(grounder: Grounder, text: str) -> None:
    match = grounder.match([text])
    assert (match.item in grounder.codes) == (match.tier not in ("none", "ambiguous"))


KEYS = st.text(alphabet="abcde é1", min_size=1, max_size=24)


@given(text=KEYS, keys=st.lists(KEYS, min_size=1, max_size=30), share=st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_the_cheap_filter_loses_no_similar_title(text: str, keys: list[str], share: float) -> None:
    kept = Block(sorted(keys, key=len)).candidates(text, share)
    similar = [key for key in keys if fuzz.ratio(text, key) >= 100 * share]
    assert set(similar) <= set(kept)


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_case_and_spacing_make_no_difference(title: str) -> None:
    assert normalise(f"  {title.upper()} ") == normalise(title)
    assert spell_numbers(normalise(title.upper())) == spell_numbers(normalise(title.lower()))


def test_the_synthetic_world_comes_back_whole_and_its_remakes_need_their_year() -> None:
    catalogue = SyntheticSpec(users=200, items=500).load(Path(), 7).item_table
    grounder = Grounder(catalogue)
    shown = [grounder.shown(item) for item in grounder.ids]
    read = parse("\n".join(f"{n}. **{title}**: a film people liked" for n, title in enumerate(shown, 1)))
    matches = [grounder.match(found.readings, found.mention) for found in read.entries]
    assert [match.item for match in matches] == grounder.ids
    assert {match.tier for match in matches} == {"exact"}
    times = Counter(grounder.titles)
    assert max(times.values()) > 1
    for title in grounder.titles:
        assert grounder.match([title]).tier == ("exact" if times[title] == 1 else "ambiguous")
    for item, aliases in zip(grounder.ids, catalogue["aliases"].to_pylist(), strict=True):
        assert all(grounder.match([alias]).item == item for alias in aliases)


def _movielens_100k(folder: Path) -> list[tuple]:
    lines = (folder / "movielens-100k" / "u.item").read_text("latin-1").splitlines()
    return [(line.split("|")[0], line.split("|")[1], None, None) for line in lines]


def _movielens_latest(folder: Path) -> list[tuple]:
    with (folder / "movielens-latest-small" / "movies.csv").open(encoding="utf-8", newline="") as stream:
        return [(row[0], row[1], None, None) for row in list(csv.reader(stream))[1:]]


@pytest.mark.parametrize(("read", "twins"), [(_movielens_100k, 36), (_movielens_latest, 10)])
def test_every_real_title_grounds_to_its_own_item(real_data: Path, read: object, twins: int) -> None:
    rows = read(real_data)  # type: ignore[operator]
    grounder = Grounder(table(rows))
    shown = [grounder.shown(row[0]) for row in rows]
    times = Counter(shown)
    ambiguous = 0
    for row, title in zip(rows, shown, strict=True):
        line = (
            entry(f"{title} - a gripping story that many people love") if title[-1] == ")" else entry(title)
        )
        match = grounder.match(line.readings, line.mention)
        if times[title] > 1:
            ambiguous += match.tier == "ambiguous"
        else:
            assert (match.item, match.tier) == (row[0], "exact"), title
    assert ambiguous == twins


def test_real_titles_that_are_absent_match_nothing(real_data: Path) -> None:
    rows = _movielens_latest(real_data)
    here, absent = rows[::2], {row[1].strip() for row in rows[1::2]}
    absent -= {row[1].strip() for row in here}
    grounder = Grounder(table(here))
    assert [title for title in absent if grounder.match([title]).tier not in ("none", "ambiguous")] == []


def test_a_title_too_long_for_a_prompt_is_known_as_the_prompt_shows_it() -> None:
    words = " ".join(f"word{n}" for n in range(60))
    rows = [("p1", f"Kettle {words}"), ("p2", f"Toaster {words} blue"), ("p3", f"Toaster {words} red")]
    grounder = Grounder(pa.table({"item": [row[0] for row in rows], "title": [row[1] for row in rows]}))
    shown = as_data(grounder.shown("p1"))
    assert len(shown) == 200
    (written,) = parse(f"1. {shown}").entries
    assert grounder.match(written.readings).item == "p1"
    assert grounder.match(written.readings).tier == "exact"
    assert grounder.match([shown.rstrip("…")]).tier == "normalised"
    assert grounder.match([as_data(grounder.shown("p2"))]).tier == "ambiguous"
    assert grounder.match([shown[:150]]).tier == "none"
