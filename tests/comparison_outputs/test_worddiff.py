"""Changed words: both texts come back whole, and no text takes long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.reporting.worddiff import LONGEST, differing


@given(st.text(max_size=200), st.text(max_size=200))
def test_both_texts_come_back_whole(before: str, after: str) -> None:
    old, new = differing(before, after)
    assert "".join(text for text, _ in old) == before
    assert "".join(text for text, _ in new) == after
    if before.split() == after.split():
        assert not any(changed for _, changed in [*old, *new])


@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_what_is_not_marked_is_in_both_in_order(before: list[str], after: list[str]) -> None:
    old, new = differing(" ".join(before), " ".join(after))

    def kept(parts: list[tuple[str, bool]]) -> list[str]:
        return " ".join(text for text, changed in parts if not changed).split()

    assert kept(old) == kept(new)


def test_one_sign_of_a_script_without_spaces_is_one_change() -> None:
    old, new = differing("我喜欢这部电影", "我讨厌这部电影")
    assert [text for text, changed in old if changed] == ["喜欢"]
    assert [text for text, changed in new if changed] == ["讨厌"]


def test_a_text_of_few_words_repeated_is_one_change_and_not_a_search() -> None:
    before, after = "a " + "b c " * 700 + "z", "a " + "c b " * 700 + "z"
    for parts in differing(before[:2900], after[:2900]):
        assert sum(changed for _, changed in parts) == 1


def test_what_is_too_long_is_cut() -> None:
    assert differing("a" * 1_000_000, "b" * 1_000_000) == (
        [("a" * LONGEST, True)],
        [("b" * LONGEST, True)],
    )
