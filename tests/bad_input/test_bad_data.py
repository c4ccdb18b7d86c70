"""Bad data files and splits that leave nothing: file, line and column, exit code 2; duplicates are told."""

from __future__ import annotations

from typing import Any

import pytest
from workshop import Said, Workshop

HEAD = "user,item,rating,timestamp\n"
ROWS = [
    f"u{u},i{(u * 7 + j * 3) % 25},{1 + (u + j) % 5},{1000 + j * 100 + u}"
    for u in range(12)
    for j in range(10)
]
LOG = HEAD + "\n".join(ROWS) + "\n"


def play(
    shop: Workshop,
    log: str | bytes | None = LOG,
    options: dict[str, Any] | None = None,
    scenario: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    **files: str,
) -> Said:
    """Play popularity on a log; ``files`` are further csv files."""
    if log is not None:
        (shop.folder / "log.csv").write_bytes(log.encode() if isinstance(log, str) else log)
    for name, content in files.items():
        (shop.folder / f"{name}.csv").write_text(content)
    data = {"own": {"dataset": "files", "options": {"interactions": "log.csv", **(options or {})}}}
    play = {
        "scenario": "top-k",
        "data": "own",
        "options": {"k": 3, "metrics": ["recall"], **(scenario or {})},
    }
    return shop.run(model and {"mine": model}, data=data, scenarios={"top-k": play})


def test_the_log_itself_is_good(shop: Workshop) -> None:
    assert play(shop).code == 0


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("", "log.csv is empty"),
        (HEAD, "log.csv holds no rows"),
        (LOG.replace("user,item", "user,itm", 1), "log.csv has no column 'item'; did you mean 'itm'?"),
        (
            LOG.replace("u3,i21,4,", "u3,i21,good,"),
            "log.csv line 32, column 'rating': 'good' is not a number",
        ),
        (LOG.replace("u3,i21,4,", "u3,i21,nan,"), "log.csv line 32, column 'rating': a rating of nan is not"),
        (LOG + "u3,i1,4,yesterday\n", "log.csv line 122, column 'timestamp': 'yesterday' is neither"),
        (LOG + ",i2,3,1500\n", "log.csv line 122, column 'user': the user is missing"),
        (LOG + "u1,i2\n", "log.csv line 122 has 2 fields where 4 are expected"),
        (LOG.replace("u3,", "ué,").encode("latin-1"), "log.csv line 32: byte 0xE9 is not utf-8 text"),
        (None, "/log.csv (from option interactions)"),
        ("user,item\nu1,i1\nu2,i2\n", "has no timestamps, so it cannot be split"),
    ],
)
def test_a_broken_log(shop: Workshop, log: str | bytes | None, sentence: str) -> None:
    said = play(shop, log)
    assert said.code == 2
    assert sentence in said.sentence()


def test_a_missing_file_has_a_neighbour_of_almost_that_name(shop: Workshop) -> None:
    said = play(shop, None, logs=LOG)
    assert said.code == 2
    assert said.sentence().endswith("/log.csv (from option interactions); did you mean 'logs.csv'?")


def test_a_folder_where_a_file_should_be(shop: Workshop) -> None:
    said = play(shop, options={"interactions": "."})
    assert said.code == 2
    assert "is a folder where a file is expected (from option interactions)" in said.sentence()


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ({"split": {"time": 99999999}}, "the test side of the split of dataset 'files' at 1973-03-03"),
        (
            {"split": {"time": 1}},
            "the training side of the split of dataset 'files' at 1970-01-01T00:00:01Z is empty",
        ),
        (
            {"min_rating": 9},
            "no user of dataset 'files' has a new item rated at least 9 after the cut; lower",
        ),
        ({"groups": ["gender"]}, "the users of data set 'files' have no column 'gender'"),
    ],
)
def test_a_split_or_a_group_that_is_empty(shop: Workshop, scenario: dict[str, Any], sentence: str) -> None:
    said = play(shop, scenario=scenario)
    assert said.code == 2
    assert sentence in said.sentence()


def test_duplicate_rows_are_dropped_and_told(shop: Workshop) -> None:
    once = play(shop)
    said = play(shop, LOG + "\n".join(ROWS[:50]) + "\n", options={"label": "twice"})
    assert (once.code, said.code) == (0, 0)
    assert (
        "data set 'own': 50 duplicate rows are dropped, the first of each kept; rows 1 and 121: " in said.err
    )
    assert "50 duplicate rows are dropped" in shop.report
    assert said.out.splitlines()[:3] == once.out.splitlines()[:3]  # the same figures


@pytest.mark.parametrize(
    ("option", "content", "sentence"),
    [
        ("items", "item,title\ni1,A\ni1,B\n", "items.csv line 3, column 'item': item 'i1' is there already"),
        ("users", "user,gender\nu1,f\nu1,m\n", "users.csv line 3, column 'user': user 'u1' is there already"),
    ],
)
def test_an_item_or_a_user_described_twice(shop: Workshop, option: str, content: str, sentence: str) -> None:
    said = play(shop, options={option: f"{option}.csv"}, **{option: content})
    assert said.code == 2
    assert sentence in said.sentence()


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ("", "lists.csv is not a readable csv file: Empty CSV file"),
        ("usr,item,rank\nu1,i1,1\n", "lists.csv has no column 'user'; did you mean 'usr'?"),
        ("user,item,rank\nu1,i1,first\n", "lists.csv, column 'rank': 'first' is not a number"),
    ],
)
def test_broken_recorded_answers(shop: Workshop, lists: str, sentence: str) -> None:
    said = play(shop, model={"adapter": "replay", "path": "lists.csv"}, lists=lists)
    assert said.code == 2
    assert "model 'mine': " in said.sentence()
    assert sentence in said.err


def test_recorded_answers_that_lack_most_users_exceed_the_error_budget(shop: Workshop) -> None:
    lists = "user,item,score\nu1,i1,1\nu1,i2,0\nu2,i3,nan\n"
    said = play(shop, model={"adapter": "replay", "path": "lists.csv"}, lists=lists)
    assert said.code == 3
    reason = shop.coverage()["reason"]
    assert "error budget of 0.05 exceeded" in reason
    assert (
        "missing: nothing is recorded for the case (10); invalid: scores holds nan at position 0 (1)"
        in reason
    )
