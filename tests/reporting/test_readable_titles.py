"""Every metric of a run has a name that people can read, and no two have the same."""

from __future__ import annotations

from typing import Any

from genrec_eval.reporting.results import Results
from genrec_eval.reporting.titles import inside, readable, renamed, title_of


def _run(*metrics: str, **titles: str) -> Results:
    definitions: dict[str, Any] = {
        metric: {"title": titles.get(metric.partition("(")[0].partition("@")[0], "Group gap")}
        for metric in metrics
    }
    return Results.read({"definitions": definitions})


def test_what_a_gap_is_of_comes_first_and_what_is_minor_only_where_it_tells_apart() -> None:
    alone = _run("group_gap(by=gender,of=recall,least=300)@10")
    assert alone.title("group_gap(by=gender,of=recall,least=300)@10") == "Recall@10, gap by gender"
    two = _run("group_gap(by=sex,of=recall,least=9)@10", "group_gap(by=sex,of=recall)@10", "other@5")
    assert two.title("group_gap(by=sex,of=recall,least=9)@10") == "Recall@10, gap by sex, groups of 9 or more"
    assert two.title("group_gap(by=sex,of=recall)@10") == "Recall@10, gap by sex"
    assert two.title("unknown@5") == "unknown@5"


def test_no_two_metrics_have_one_title() -> None:
    same = _run("a@5", "b@5", a="Same", b="Same")
    assert {same.title("a@5"), same.title("b@5")} == {"a@5", "b@5"}


def test_a_base_with_parameters_and_hostile_ids_keep_their_words() -> None:
    assert title_of("group_ratio(by=a*b,of=ndcg(ideal=all))@10") == "NDCG@10, ideal=all, ratio by a and b"
    assert readable("group_gap(by=x,of=mine.py:own)@3", "Group gap", {}) == "mine.py:own@3, gap by x"
    assert readable("((@", "Title", {}) == "Title"
    assert renamed("x's m(a=1)@5 is 1", "x", "m(a=1)@5", "M@5, by a") == "x's M@5, by a, is 1"
    assert renamed("something else", "x", "m", "M") == "something else"
    assert inside("M@5") == "M@5"
