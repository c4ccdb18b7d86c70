"""Completions as models write them, odd and hostile ones, read to mentions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.models.llm.entries import LONGEST, MOST_READINGS, entry
from genrec_eval.models.llm.parse import parse


def mentions(text: str, form: str = "auto", **options: bool) -> list[str]:
    return [found.mention for found in parse(text, form, **options).entries]  # type: ignore[arg-type]


HEAT_FARGO = ["Heat (1995)", "Fargo (1996)"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('["Heat (1995)", "Fargo (1996)"]', "json"),
        ('```json\n["Heat (1995)", "Fargo (1996)"]\n```', "json"),
        ('Sure, here you go:\n```\n["Heat (1995)",\n "Fargo (1996)"]\n```\nEnjoy!', "json"),
        ('{"recommendations": [{"title": "Heat", "year": 1995}, {"title": "Fargo (1996)"}]}', "json"),
        ('{"note": ["x"], "items": [{"name": "Heat", "year": "1995"}, {"movie": "Fargo (1996)"}]}', "json"),
        ('{"1": "Heat (1995)", "2": "Fargo (1996)"}', "json"),
        ('My picks: ["Heat (1995)", "Fargo (1996)"]. Enjoy', "json"),
        ("1. Heat (1995)\n2. Fargo (1996)", "numbered"),
        ("1) Heat (1995)\r\n2) Fargo (1996)", "numbered"),
        ("Here:\n\n **1. Heat (1995)** - a duel\n **2. Fargo (1996)** - snow", "numbered"),
        (
            "1. **Heat** (1995): two men\n   - Genre: crime\n2. **Fargo** (1996): snow\n   - Genre: crime",
            "numbered",
        ),
        ('1. "Heat" (1995)\n2. "Fargo" (1996) — because you liked Alien (1979)', "numbered"),
        ("#1 Heat (1995)\n#2 Fargo (1996)", "numbered"),
        ("1\\. *Heat* (1995)\n2\\. *Fargo* (1996)", "numbered"),
        (" 9. Heat (1995)\n10. Fargo (1996)", "numbered"),
        ("1. [Heat](https://example.org/a) (1995)\n2. Fargo (1996), a thriller", "numbered"),
        ("```\n1. Heat (1995)\n2. Fargo (1996)\n```", "numbered"),
        ("<think>1. Alien (1979)\n2. Jaws</think>1. Heat (1995)\n2. Fargo (1996)", "numbered"),
        ("so Alien (1979) it is</think>\n1. Heat (1995)\n2. Fargo (1996)", "numbered"),
        ('1. Heat (1995) - tags ["crime"]\n2. Fargo (1996)', "numbered"),
        ("- Heat (1995)\n  - Al Pacino\n- Fargo (1996)", "bullets"),
        ("Try these:\n* **Heat (1995)**: a duel\n* **Fargo (1996)**: snow", "bullets"),
        ("Here are my picks for you:\nHeat (1995)\n\nFargo (1996)\nEnjoy your evening with them!", "lines"),
        ("Title: Heat (1995)\nTitle: Fargo (1996)", "lines"),
    ],
)
def test_a_list_is_read_in_every_usual_form(text: str, form: str) -> None:
    parsed = parse(text)
    assert parsed.form == form
    assert [found.mention for found in parsed.entries] == HEAT_FARGO


@pytest.mark.parametrize(
    ("line", "mention"),
    [
        ("Mission: Impossible - Fallout (2018)", "Mission: Impossible - Fallout (2018)"),
        ("Mission: Impossible - Fallout (2018) - a film about trust", "Mission: Impossible - Fallout (2018)"),
        ("Mission: Impossible - Fallout", "Mission: Impossible - Fallout"),
        ("The Lord of the Rings: The Two Towers", "The Lord of the Rings: The Two Towers"),
        ("Pirates of the Caribbean: The Curse of the Black Pearl",) * 2,
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey (1968)"),
        ("1984 (1984)", "1984 (1984)"),
        ("12 Angry Men (1957)", "12 Angry Men (1957)"),
        ("Blade Runner 2049 (2017): neon and rain", "Blade Runner 2049 (2017)"),
        ("Inception - a mind-bending thriller about dreams", "Inception"),
        ("Inception: a mind-bending thriller about dreams", "Inception"),
        ("Inception (dir. Christopher Nolan)", "Inception"),
        ("The Road by Cormac McCarthy", "The Road"),
        ("Stand by Me", "Stand by Me"),
        ("Kill Bill (Vol. 2)", "Kill Bill (Vol. 2)"),
        ("M*A*S*H (1970)", "M*A*S*H (1970)"),
        ("*batteries not included (1987)", "*batteries not included (1987)"),
        ("[REC] (2007)", "[REC] (2007)"),
        ("What's Up, Doc? (1972)", "What's Up, Doc? (1972)"),
        ("ThƎ Möbius\u202e Strip\u0000 (1999)", "ThƎ Möbius Strip (1999)"),
        ("七人の侍 (1954)", "七人の侍 (1954)"),
    ],
)
def test_a_title_ends_where_it_ends(line: str, mention: str) -> None:
    assert mentions(f"1. {line}") == [mention]
    assert mentions(f"- {line}") == [mention]


def test_a_cut_before_a_year_keeps_the_year() -> None:
    readings = entry("Heat - the great film of Michael Mann (1995)").readings
    assert readings[0] == "Heat - the great film of Michael Mann (1995)"
    assert "Heat (1995)" in readings
    assert "Heat" not in readings


def test_repeats_and_more_than_asked_for_are_kept_as_written() -> None:
    assert mentions("1. Heat\n2. Heat\n3. HEAT\n3. Fargo") == ["Heat", "Heat", "HEAT", "Fargo"]


def test_a_numbered_list_on_one_line_needs_three_numbers_in_sequence() -> None:
    assert mentions("1. Heat (1995) 2. Fargo (1996), 3. Alien") == ["Heat (1995)", "Fargo (1996)", "Alien"]
    assert mentions("1. Toy Story 2. Great") == ["Toy Story 2. Great"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t",
        "<think>1. Heat (1995)\n2. Fargo (1996)",
        "<think>I wonder</think>",
        "I would watch Heat (1995), Fargo (1996) and perhaps Alien (1979), all of them on the list.",
        "You seem to like thrillers.\nThere are many of them around these days.",
        "Sure!",
        '["Heat (1995)", "Fargo',
        '{"recommendations": "none"}',
        "[]",
        "[[1, 2], [3]]",
        "[" * 100_000,
        '[{"a":' * 50_000,
        "| 1 | Heat | 1995 |\n| 2 | Fargo | 1996 |",
    ],
)
def test_what_holds_no_list_is_not_read(text: str) -> None:
    parsed = parse(text)
    assert parsed.entries == ()
    assert parsed.problem
    assert not parsed.refused


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry.\nI can’t recommend anything.",
        "As an AI language model, I cannot make recommendations about people.",
        "I am unable to provide a list.",
    ],
)
def test_a_refusal_is_told_from_an_unreadable_answer(text: str) -> None:
    assert parse(text).refused


def test_an_apology_with_a_list_is_a_list() -> None:
    assert mentions("I can't give many, I'm sorry, but:\n1. Heat (1995)\n2. Fargo (1996)") == HEAT_FARGO


def test_what_is_no_title_inside_a_json_list_stays_and_counts() -> None:
    assert mentions('["Heat", null, {"a": {"b": 1}}, ["x"], 7, ""]') == [
        "Heat",
        "null",
        '{"a": {"b": 1}}',
        '["x"]',
        "7",
        '""',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Heat (1995)\n2. Fargo (19", ["Heat (1995)"]),
        ("1. Heat (1995)\n2. Fargo (1996)\n", HEAT_FARGO),
        ('["Heat (1995)", "Fargo (1996)", "Ali', HEAT_FARGO),
        ('```json\n{"items": [{"title": "Heat (1995)"}, {"title": "Fa', ["Heat (1995)"]),
        ('Sure: ["Heat (1995)", "Fargo (1996)", "Ali', HEAT_FARGO),
        ('["Heat', []),
        ("1. Hea", []),
    ],
)
def test_of_a_truncated_answer_only_what_is_complete_is_read(text: str, expected: list[str]) -> None:
    assert mentions(text, truncated=True) == expected


def test_a_form_that_was_asked_for_is_the_only_one_read() -> None:
    assert parse("1. Heat (1995)", "json").problem == "no JSON list found in the text"
    assert parse('["Heat (1995)"]', "numbered").problem == "no numbered list found in the text"
    assert mentions("Heat\nGreat fun for all the family.", "lines") == [
        "Heat",
        "Great fun for all the family.",
    ]


PIECES = [
    "1. ",
    "- ",
    "```",
    "```json\n",
    '["',
    '"]',
    "{",
    "}",
    '"title": ',
    "Heat",
    "(1995)",
    "\n",
    "<think>",
]
PIECES += [
    "</think>",
    "**",
    "*",
    ": ",
    " - ",
    " by ",
    "[",
    "](http://",
    ")",
    "\\",
    "\ud800",
    "\x00",
    "1",
    "é",
]
LISTS = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(PIECES),
        max_size=60,
    ).map("".join),
)


@given(text=LISTS, form=st.sampled_from(["auto", "json", "numbered", "lines"]), truncated=st.booleans())
def test_any_text_is_read_without_a_fault_and_never_invents(text: str, form: str, truncated: bool) -> None:
    parsed = parse(text, form, truncated=truncated)  # type: ignore[arg-type]
    assert len(parsed.entries) <= len(text)
    assert bool(parsed.entries) != bool(parsed.problem)
    for found in parsed.entries:
        assert 1 <= len(found.readings) <= MOST_READINGS
        assert all(reading and len(reading) <= LONGEST + 10 for reading in found.readings)
        found.mention.encode()  # no lone surrogate reaches the tables


TITLES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=40).map(
    str.strip
)


@given(st.lists(TITLES.filter(bool), min_size=1, max_size=8))
def test_json_keeps_every_title_in_order(titles: list[str]) -> None:
    read = parse(json.dumps(titles), "json").entries
    assert [" ".join(found.readings[0].split()) for found in read] == [" ".join(t.split()) for t in titles]


@pytest.mark.parametrize(
    "text",
    [
        "1. " + "a " * 500_000,
        " " * 1_000_000 + "x",
        "1. a" + " " * 500_000 + "(1999)",
        "1. a," + " ," * 300_000,
        "1. a\n" * 200_000,
        '["' * 300_000,
        "```\n" * 100_000,
        "<think>" * 100_000,
    ],
)
def test_a_giant_answer_takes_no_time_that_grows_with_its_square(text: str) -> None:
    parsed = parse(text)
    assert all(len(found.mention) <= LONGEST for found in parsed.entries)
    assert parsed.oversized == (text.count("1. a\n") > 1)


def test_a_line_of_brackets_has_few_readings() -> None:
    from genrec_eval.models.llm import entries

    assert len(list(entries._SEPARATOR.finditer("Heat " + "(a " * 90))) > entries.MOST_SEPARATORS
    read = entries.entry("Heat " + "(a " * 90)
    assert read.mention.startswith("Heat")
    assert len(read.readings) <= entries.MOST_READINGS
