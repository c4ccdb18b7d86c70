"""The tone of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.brief import Brief, ItemFacts

KILL = ItemFacts(id="k", title="Kill Bill", year=2003)
WORST = ItemFacts(id="w", title="The Worst Person", year=2021, people={"director": ("Joy Good",)})


def tones(*texts: str | None) -> list[float | None]:
    found = metric("tone")(
        Explanations(
            texts=texts,
            briefs=[Brief(task="explain", item=KILL, user="u")] * len(texts),
            catalogue={item.id: item for item in (KILL, WORST)},
        )
    )
    return [value if kept else None for value, kept in zip(found.values.tolist(), found.scored, strict=True)]


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("It is a film of 2003.", 0),
        ("A superb, moving film.", 2 / 3),
        ("A dull and tedious film.", -2 / 3),
        ("Superb acting, dull story.", 0),
        ("Not good.", -1 / 2),
        ("It is never dull.", -1 / 2),  # a negation turns praise alone: what is not bad need not be good
        ("Kill Bill is a film.", 0),
        ("The Worst Person is a superb film.", 1 / 2),
        ("The Worst Person is by Joy Good.", 0),
        ("The worst film.", -1 / 2),
    ],
)
def test_by_hand(text: str, tone: float) -> None:
    assert tones(text) == [pytest.approx(tone)]


def test_without_a_text_there_is_none() -> None:
    assert tones(None, "Superb.", "", " \n", "…") == [None, 0.5, None, None, None]


@given(st.lists(st.sampled_from(["superb", "dull", "not", "film", "Kill Bill", "2003", "!"]), max_size=12))
def test_it_lies_within_its_bounds_and_more_praise_never_cools(words: list[str]) -> None:
    text = " ".join(words)
    one, more = tones(f"So {text}", f"So {text}. Then, after all of that, it is lovely.")
    assert one is not None
    assert more is not None
    assert -1 < one <= more < 1
