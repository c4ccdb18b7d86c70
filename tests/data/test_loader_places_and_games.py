"""Yelp and Steam."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.folder import FolderSpec
from genrec_eval.data.loaders.steam import SteamSpec
from genrec_eval.data.loaders.yelp import YelpSpec


def load(cls: type[FolderSpec], folder: Path, **options: Any) -> Dataset:
    return cls.model_validate({"path": str(folder), **options}).load(Path(), 1)


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


REVIEWS = lines(
    {
        "review_id": "r1",
        "user_id": "u1",
        "business_id": "b1",
        "stars": 5,
        "text": "a\nb",
        "date": "2016-03-09",
    },
    {"review_id": "r2", "user_id": "u2", "business_id": "b1", "stars": 1.0, "date": "2015-01-01 01:08:31"},
    {"review_id": "r3", "user_id": "u1", "business_id": "b2", "stars": 3, "date": "2017-01-01"},
)


def yelp(folder: Path) -> Path:
    (folder / "yelp_academic_dataset_review.json").write_text(REVIEWS)
    (folder / "yelp_academic_dataset_business.json").write_text(
        lines(
            {
                "business_id": "b1",
                "name": "Café",
                "city": "Linz",
                "state": None,
                "categories": "Food, Coffee & Tea",
            },
            {"business_id": "b2", "name": "Bar", "categories": ["Bars", "Food"]},
            {"business_id": "b3", "name": "Shut", "categories": None},
        )
    )
    (folder / "yelp_academic_dataset_user.json").write_text(
        lines({"user_id": "u1", "elite": "2012,2013", "friends": "x" * 50}, {"user_id": "u2", "elite": []})
    )
    return folder


def test_yelp_counts(tmp_path: Path) -> None:
    data = load(YelpSpec, yelp(tmp_path))
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 3, 3)
    assert data.interactions.rating is not None
    assert data.interactions.rating.tolist() == [1, 5, 3]
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == [1420074511, 1457481600, 1483228800]
    assert data.item_table.to_pylist()[0] == {
        "item": "b1",
        "title": "Café",
        "city": "Linz",
        "state": None,
        "genres": ["Food", "Coffee & Tea"],
    }
    assert data.item_table["genres"].to_pylist()[1:] == [["Bars", "Food"], []]
    assert data.user_table.to_pylist() == [{"user": "u1", "elite": "yes"}, {"user": "u2", "elite": "no"}]
    assert data.groups == ("elite",)
    without = load(YelpSpec, tmp_path, users=False)
    assert without.groups == ()
    assert without.digest != data.digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (REVIEWS[:-30], r"review\.json line 3 is not JSON"),
        (REVIEWS.replace('"user_id"', '"usr"'), r"review\.json has no column 'user_id'"),
        (REVIEWS.replace('"u2"', "null"), r"review\.json line 2, column 'user_id': the user is missing"),
        (REVIEWS.replace("2017-01-01", "then"), r"line 3, column 'date': 'then' is neither Unix seconds"),
        (
            REVIEWS.replace('"stars": 3', '"stars": "3 of 5"'),
            r"line 3, column 'stars': '3 of 5' is not a number",
        ),
        ("[1]\n", r"line 1 is not a JSON object"),
    ],
)
def test_yelp_faults(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "review.json").write_text(text)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(YelpSpec, tmp_path)
    assert "\n" not in str(caught.value)


STEAM = (
    "{u'username': u'Chaos \\u00e9', u'hours': 0.1, u'product_id': u'725280', u'date': u'2017-12-17',"
    " u'text': u\"it's\\n\", u'early_access': False}\n"
    "{u'username': u'Ariman', u'hours': 13.2, u'product_id': u'328100', u'date': u'2017-08-02'}\n"
    "{u'username': u'Ariman', u'product_id': u'725280', u'date': u'2017-08-03'}\n"
    "{u'product_id': u'725280', u'date': u'2017-08-03'}\n"
)
GAMES = (
    "{u'app_name': u'Lost', u'id': u'725280', u'genres': [u'Action', u'Indie'], "
    " u'release_date': u'2018-01-04', u'publisher': u'Kotoshiro', u'price': 4.99}\n"
    "{u'title': u'Half \\ud800', u'id': 328100, u'release_date': u'Soon..'}\n"
    "{u'title': u'No id'}\n"
)


def test_steam_counts(tmp_path: Path) -> None:
    (tmp_path / "steam_reviews.json.gz").write_bytes(gzip.compress(STEAM.encode()))
    (tmp_path / "steam_games.json").write_text(GAMES)
    data = load(SteamSpec, tmp_path)
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 2, 3)
    assert data.users.strings == ["Chaos é", "Ariman"]
    assert data.facts["reviews_dropped"] == 1
    assert data.interactions.rating is None
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == [1501632000, 1501718400, 1513468800]
    assert data.item_table.to_pylist()[0] == {
        "item": "725280",
        "title": "Lost",
        "year": 2018,
        "genres": ["Action", "Indie"],
        "tags": [],
        "provider": "Kotoshiro",
        "developer": None,
    }
    assert data.item_table["title"].to_pylist()[1] == "Half ?"
    assert "1 descriptions without an id of the item are dropped" in data.facts["warnings"]
    hours = load(SteamSpec, tmp_path, rating="hours")
    assert hours.facts["reviews_dropped"] == 2
    assert hours.interactions.rating is not None
    assert hours.interactions.rating.tolist() == pytest.approx([13.2, 0.1])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"steam_reviews\.json is empty"),
        (b"\n\n", r"steam_reviews\.json holds no rows"),
        (STEAM.encode()[:-9], r"line 4 is no Python literal: \"\{u'product_id'"),
        (b"{'username': 'a\xff'}\n", r"line 1: byte 0xFF is not utf-8 text"),
        (b"{'username': 'a'}\n", r"holds no review with user, item, timestamp"),
        (
            STEAM.replace("2017-08-02", "last week").encode(),
            r"record 2, column 'date': 'last week' is neither",
        ),
        (b"{'a': " + b"9" * 9_000_000 + b"}\n", r"line 1 is longer than 8,388,608 bytes"),
        (b"{'a': (" * 500 + b"\n", r"line 1 is no Python literal"),
    ],
)
def test_steam_faults(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "steam_reviews.json").write_bytes(content)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(SteamSpec, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
