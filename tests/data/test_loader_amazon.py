from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.amazon import AmazonSpec

USERS = ("A1AAAAAAAAAAA", "A2BBBBBBBBBBB", "A3CCCCCCCCCCC")
ITEMS = ("B000000001", "B000000002", "0123456789")
OLD = [(0, 0, 5.0, 1252800000), (0, 1, 3.0, 1252900000), (1, 0, 4.0, 1262800000), (2, 2, 1.0, 1272800000)]


def load(path: Path, **options: Any) -> Dataset:
    return AmazonSpec.model_validate({"path": str(path), **options}).load(Path(), 1)


def gz(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def reviews(**extra: Any) -> str:
    rows = (
        {
            "reviewerID": USERS[u],
            "asin": ITEMS[i],
            "overall": r,
            "unixReviewTime": t,
            "reviewText": 'It\'s "fine"',
            **extra,
        }
        for u, i, r, t in OLD
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def rows(data: Dataset) -> list[tuple[str, str, float, int]]:
    log = data.interactions
    assert log.rating is not None
    assert log.timestamp is not None
    user, item = data.users.decode(log.user).to_pylist(), data.items.decode(log.item).to_pylist()
    return list(zip(user, item, log.rating.tolist(), log.timestamp.tolist(), strict=True))


EXPECTED = [(USERS[u], ITEMS[i], r, t) for u, i, r, t in OLD]


def test_reviews_of_2014_with_python_metadata(tmp_path: Path) -> None:
    path = gz(tmp_path / "reviews_Office_5.json.gz", reviews())
    meta = [
        {
            "asin": ITEMS[0],
            "title": "Pen's \u00e9",
            "brand": "Inky",
            "categories": [["Office", "Pens"], ["Office"]],
        },
        {"asin": ITEMS[0], "title": "again"},
        {"asin": "B00000000X", "title": "Never reviewed"},
        {"asin": ITEMS[1], "description": "Paper"},
    ]
    gz(tmp_path / "meta_Office.json.gz", "".join(f"{row!r}\n" for row in meta))
    data = load(path)
    assert data.name == "amazon-2014 reviews_Office_5"
    assert rows(data) == EXPECTED
    assert data.items.strings == [ITEMS[0], ITEMS[1], ITEMS[2]]
    first = data.item_table.to_pylist()[0]
    assert first["title"] == "Pen's é"
    assert first["provider"] == "Inky"
    assert first["genres"] == ["Office", "Pens"]
    assert data.item_table["description"].to_pylist()[1] == "Paper"
    warned = " ".join(data.facts["warnings"])
    assert "1 items of meta_Office.json.gz without reviews are left out" in warned
    assert "1 further descriptions of items" in warned
    assert data.facts["items_added_from_interactions"] == 1
    whole = load(path, catalogue="described")
    assert "B00000000X" in whole.items.strings
    assert whole.digest != data.digest
    assert load(tmp_path).digest == data.digest


def test_reviews_of_2018_are_told_by_their_fields(tmp_path: Path) -> None:
    path = gz(tmp_path / "Office.json.gz", reviews(verified=True))
    meta = {"asin": ITEMS[0], "title": "Pen", "category": ["Office", "Pens"], "description": ["One.", "Two."]}
    gz(tmp_path / "meta_Office.json.gz", json.dumps(meta) + "\n")
    data = load(path)
    assert data.name == "amazon-2018 Office"
    assert data.item_table.to_pylist()[0]["description"] == "One. Two."
    assert data.item_table.to_pylist()[0]["genres"] == ["Office", "Pens"]
    assert rows(data) == EXPECTED


def test_the_order_of_a_bare_csv_is_told_by_its_ids(tmp_path: Path) -> None:
    old = tmp_path / "ratings_Office.csv"
    old.write_text("".join(f"{USERS[u]},{ITEMS[i]},{r},{t}\n" for u, i, r, t in OLD))
    new = tmp_path / "Office.csv"
    new.write_text("".join(f"{ITEMS[i]},{USERS[u]},{r},{t}\n" for u, i, r, t in OLD))
    assert load(old).name == "amazon-2014 ratings_Office"
    assert load(new).name == "amazon-2018 Office"
    assert rows(load(old)) == rows(load(new)) == EXPECTED
    plain = tmp_path / "plain.csv"
    plain.write_text("7,8,4.0,1252800000\n")
    with pytest.raises(UsageError, match="say order: user-item"):
        load(plain)
    assert load(plain, order="item-user").items.strings == ["7"]


def test_2023_in_milliseconds(tmp_path: Path) -> None:
    lines = [
        {"user_id": "AE", "asin": "B1", "parent_asin": "P1", "rating": 5.0, "timestamp": 1588687728923},
        {"user_id": "AF", "asin": "B2", "parent_asin": "P2", "rating": 2.0, "timestamp": 1588615855070},
    ]
    path = tmp_path / "All_Beauty.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "meta_All_Beauty.jsonl").write_text(
        json.dumps({"parent_asin": "P2", "title": "Soap", "store": "Suds", "categories": [], "price": None})
        + "\n"
    )
    data = load(path)
    assert rows(data) == [("AF", "P2", 2.0, 1588615855), ("AE", "P1", 5.0, 1588687728)]
    assert data.item_table.to_pylist()[0]["provider"] == "Suds"
    bare = tmp_path / "csv" / "All_Beauty.csv"
    bare.parent.mkdir()
    bare.write_text("user_id,parent_asin,rating,timestamp\nAE,P1,5.0,1588687728923\n")
    assert load(bare).name == "amazon-2023 All_Beauty"
    assert "milliseconds" not in " ".join(data.facts["warnings"])


def split(folder: Path, head: str, **parts: str) -> Path:
    for name, text in parts.items():
        gz(folder / f"Toys.{name}.csv.gz", head + text)
    return folder


def test_the_published_split_brings_its_cases(tmp_path: Path) -> None:
    folder = split(
        tmp_path,
        "user_id,parent_asin,rating,timestamp,history\n",
        train="u,a,5.0,1500000000000,\nu,b,5.0,1500000001000,a\nv,a,1.0,1500000002000,\n",
        valid="u,c,5.0,1500000003000,a b\n",
        test="u,d,4.0,1500000004000,a b c\nw,a,4.0,1500000005000,\n",
    )
    data = load(folder)
    given = data.given
    assert given is not None
    assert len(data.interactions) == 4
    assert [data.items.decode(given.history[i]).to_pylist() for i in range(2)] == [["a", "b", "c"], []]
    assert [data.items.decode(given.truth[i]).to_pylist() for i in range(2)] == [["d"], ["a"]]
    assert given.timestamp is not None
    assert given.timestamp.tolist() == [1500000004, 1500000005]
    assert data.users.decode(given.user).to_pylist() == ["u", "w"]
    assert data.facts["given_cases"] == 2
    valid = load(folder, part="valid")
    assert len(valid.interactions) == 3
    assert valid.given is not None
    assert len(valid.given) == 1
    assert valid.digest != data.digest


def test_a_split_without_histories_takes_those_of_the_training(tmp_path: Path) -> None:
    folder = split(
        tmp_path,
        "user_id,parent_asin,rating,timestamp\n",
        train="u,b,5.0,1500000001000\nu,a,5.0,1500000000000\n",
        valid="u,c,5.0,1500000003000\n",
        test="u,d,4.0,1500000004000\nw,a,4.0,1500000005000\n",
    )
    data = load(folder)
    assert data.given is not None
    assert data.items.decode(data.given.history[0]).to_pylist() == ["a", "b", "c"]
    assert data.given.history[1].tolist() == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.json", b"", r"x\.json is empty"),
        ("x.json", b'{"reviewerID": "A", "asin": "B", "ove\n', r"x\.json line 1 is not JSON"),
        (
            "x.json",
            b'{"reviewerID": "A", "asin": "B", "overall": 1, "unixReviewTime": 5}\n{"reviewerID": "A"\n',
            r"x\.json line 2 is not JSON",
        ),
        (
            "x.json",
            b'{"stars": 5}\n',
            r"line 1 holds neither 'reviewerID', as the reviews of 2014 and 2018 do",
        ),
        (
            "x.json",
            b'{"reviewerID": "A", "asin": "B", "overall": "good", "unixReviewTime": 5}\n',
            r"x\.json line 1, column 'overall': 'good' is not a number",
        ),
        (
            "x.json",
            b'{"reviewerID": "A", "overall": 1, "unixReviewTime": 5}\n',
            r"x\.json has no column 'asin'",
        ),
        ("x.csv", b"A1AAAAAAAAAAA,B000000001,5.0\n", r"x\.csv line 1 has 3 fields where a user, an item"),
        (
            "x.csv",
            b"A1AAAAAAAAAAA,B000000001,5.0,7\nA1AAAAAAAAAAA,B000000001\n",
            r"x\.csv line 2 has 2 fields where 4 are expected",
        ),
        (
            "x.csv",
            b"A1AAAAAAAAAAA,B000000001,5.0,soon\n",
            r"line 1, column 'timestamp': 'soon' is not a whole",
        ),
        ("x.csv", b"A1AAAAAAAAAAA,B00000000\xff,5.0,7\n", r"x\.csv line 1: byte 0xFF is not utf-8 text"),
        ("x.json.gz", gzip.compress(reviews().encode() * 200)[:-60], r"x\.json\.gz"),
        ("x.txt", b"hello", r"x\.txt"),
    ],
)
def test_damage_is_one_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{'asin': 'B000000001', 'title': }\n", r"meta_x\.json line 2 is no Python literal"),
        ("{'asin': __import__('os')}\n", r"meta_x\.json line 2 is no Python literal"),
        ("['a']\n", r"meta_x\.json line 2 is a list where a record is expected"),
        ("{'a': " + "[" * 5000 + "\n", r"meta_x\.json line 2 is no Python literal"),
    ],
)
def test_metadata_is_never_run(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "x.json").write_text(reviews())
    (tmp_path / "meta_x.json").write_text("{'asin': 'B000000001'}\n" + line)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(tmp_path / "x.json")
    assert len(str(caught.value)) < 400


def test_folders_that_hold_something_else(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no reviews .* which dataset 'amazon' reads"):
        load(tmp_path)
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "b.csv").write_text("x")
    with pytest.raises(UsageError, match=r"several files of reviews \(a\.csv, b\.csv\)"):
        load(tmp_path)
