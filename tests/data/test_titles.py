from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.data.tables.titles import other_titles, split_year


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Wanderers (1995)", ("Wanderers", 1995)),
        ("Wanderers (1995) ", ("Wanderers", 1995)),
        ("Wanderers", ("Wanderers", None)),
        ("2001: An Odyssey (1968)", ("2001: An Odyssey", 1968)),
        ("The Long Series (2006–2007)", ("The Long Series", 2006)),
        ("The Long Series (2006-)", ("The Long Series", 2006)),
        ("Straight to Tape (1995) (V)", ("Straight to Tape", 1995)),
        ("Area (51) (1997)", ("Area (51)", 1997)),
    ],
)
def test_year(title: str, expected: tuple[str, int | None]) -> None:
    assert split_year(title) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Wanderers (1995)", []),
        ("Wanderer, The (1995)", ["The Wanderer (1995)"]),
        ("Wanderer, The", ["The Wanderer"]),
        ("Wanderer, Interrupted (1999)", []),
        ("Avventura, L' (Wander, The) (1960)", ["L'Avventura (1960)", "The Wander (1960)"]),
        ("One (a.k.a. Two) (Three) (1990)", ["One (1990)", "Two (1990)", "Three (1990)"]),
        ("Border(s) (2007)", []),
        ("Nested (a (b)) (2000)", []),
    ],
)
def test_other_titles(title: str, expected: list[str]) -> None:
    assert other_titles(title) == expected


@given(st.text(max_size=80))
def test_any_text_is_a_title(title: str) -> None:
    name, year = split_year(title)
    assert year is None or 0 <= year <= 9999
    assert " ".join(title.split()) not in other_titles(title)
    assert isinstance(name, str)
