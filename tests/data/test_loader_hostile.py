"""Whatever bytes a file of a public data set holds, a loader ends in data or in one sentence."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.data.registry import DATASETS

FILES: dict[str, dict[str, str]] = {
    "amazon": {
        "x.json": '{"reviewerID": "A", "asin": "B", "overall": 5.0, "unixReviewTime": 1252800000}\n' * 2,
        "meta_x.json": "{'asin': 'B', 'title': 'T', 'categories': [['a', 'b']]}\n",
    },
    "book-crossing": {
        "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n"1";"034545104X";"5"\n"2";"x";"0"\n',
        "BX-Books.csv": '"ISBN";"Book-Title"\n"034545104X";"T";"A";"2002";"P";"http://a"\n',
        "BX-Users.csv": '"User-ID";"Location";"Age"\n"1";"nyc, new york, usa";NULL\n',
    },
    "goodbooks": {
        "ratings.csv": "user_id,book_id,rating\n1,258,5\n2,4081,4\n",
        "books.csv": 'book_id,title,authors,original_publication_year\n258,"A, b",C,1999.0\n',
    },
    "kuairec": {
        "big_matrix.csv": "user_id,video_id,timestamp,watch_ratio\n0,3,1593878903.4,1.2\n",
        "small_matrix.csv": "user_id,video_id,timestamp,watch_ratio\n0,4,,2.2\n",
        "item_categories.csv": 'video_id,feat\n3,"[27, 9]"\n',
    },
    "lastfm-1k": {
        "userid-timestamp-artid-artname-traid-traname.tsv": "u1\t2009-05-04T23:08:57Z\tf1\tDeep\t\tName\n",
        "userid-profile.tsv": "#id\tgender\tage\tcountry\tregistered\nu1\tm\t22\tPeru\tx\n",
    },
    "lastfm-2k": {
        "user_artists.dat": "userID\tartistID\tweight\n2\t51\t13883\n",
        "artists.dat": "id\tname\n51\tAl\n",
        "tags.dat": "tagID\ttagValue\n1\tpop\n",
        "user_taggedartists.dat": "userID\tartistID\ttagID\n2\t51\t1\n",
    },
    "mind": {
        "behaviors.tsv": "1\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN3-0 N4-1\n",
        "news.tsv": "N1\tsports\tfootball\tTitle\tText\thttps://x\t[]\t[]\n",
    },
    "movielens": {
        "ratings.dat": "1::10::5::978300760\n",
        "movies.dat": "10::Star Tale (1980)::Action|War\n",
        "users.dat": "1::F::1::10::48067\n",
    },
    "ninerec": {"X_pair.csv": "u1,v1,1600000000\nu2,v1,1600000005\n", "X_item.csv": 'v1,二,"Two ""2"""\n'},
    "recbole": {
        "x.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t881250949\n",
        "x.item": "item_id:token\ttitle:token_seq\tyear:token\n2\tA b\t1999\n",
        "x.user": "user_id:token\tage:token\n1\t24\n",
    },
    "semantic-ids": {
        "x.index.json": '{"0": ["<a_1>"], "1": ["<a_2>"]}',
        "x.item.json": '{"0": {"title": "T", "description": "[\'a\', \'b\']"}}',
        "x.test.csv": 'user_id,history_item_id,item_id,item_sid\nA,"[0, 1]",1,<a_2>\n',
        "x.train.csv": "user_id,history_item_id,item_id\nA,[0],1\n",
    },
    "steam": {
        "steam_reviews.json": "{u'username': u'a', u'product_id': u'7', u'date': u'2017-12-17', 'x': 1.5}\n",
        "steam_games.json": "{u'id': u'7', u'app_name': u'Lost', u'genres': [u'x']}\n",
    },
    "yelp": {
        "review.json": '{"user_id": "u", "business_id": "b", "stars": 5.0, "date": "2016-03-09 01:08:31"}\n',
        "business.json": '{"business_id": "b", "name": "N", "categories": "A, B"}\n',
        "user.json": '{"user_id": "u", "elite": "2012"}\n',
    },
}

CASES = [(loader, name) for loader, files in FILES.items() for name in files]


def load(loader: str, folder: Path) -> int:
    data = DATASETS.get(loader)(path=str(folder)).load(Path(), 1)
    return len(data.interactions) + (len(data.given) if data.given is not None else 0)


def write(folder: Path, loader: str) -> None:
    for name, text in FILES[loader].items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("loader", sorted(FILES))
def test_every_loader_is_tried_here_and_reads_its_files(loader: str, tmp_path: Path) -> None:
    interactions = {name for name in DATASETS.builtin if DATASETS.get(name).holds == "interactions"}
    assert set(FILES) == interactions - {"files", "synthetic"}  # logs of judgements have a test of their own
    write(tmp_path, loader)
    assert load(loader, tmp_path) > 0


@pytest.mark.parametrize(("loader", "name"), CASES)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cut=0, byte=0, insert=b"", junk=b"\x00\xff\xfe")
@example(cut=0, byte=0, insert=b"\n\n", junk=b"")
@given(
    cut=st.integers(0, 60),
    byte=st.integers(0, 10_000),
    insert=st.binary(max_size=3)
    | st.sampled_from([b'"', b"\t", b",", b"\r", b"\n", b"'", b"\xff", b"[", b"{"]),
    junk=st.none() | st.binary(max_size=30),
)
def test_damaged_bytes_end_in_data_or_a_sentence(
    tmp_path: Path, loader: str, name: str, cut: int, byte: int, insert: bytes, junk: bytes | None
) -> None:
    write(tmp_path, loader)
    whole = FILES[loader][name].encode()
    at = byte % (len(whole) + 1)
    damaged = whole[:at] + insert + whole[at:]
    (tmp_path / name).write_bytes(damaged[: len(damaged) - cut] if junk is None else junk)
    sentence = ""
    try:
        assert load(loader, tmp_path) > 0
    except UsageError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert len(sentence) < 600 + 3 * len(str(tmp_path))


@pytest.mark.parametrize("loader", ["amazon", "goodbooks", "kuairec", "recbole", "mind", "steam", "yelp"])
def test_a_download_that_broke_off_is_refused(loader: str, tmp_path: Path) -> None:
    write(tmp_path, loader)
    name, text = next(iter(FILES[loader].items()))
    head, _, row = text.rstrip("\n").rpartition("\n")
    long = (head + "\n" if head else "") + (row + "\n") * 3000
    packed = gzip.compress(long.encode())
    (tmp_path / name).unlink()
    (tmp_path / f"{name}.gz").write_bytes(packed)
    assert load(loader, tmp_path) > 0
    (tmp_path / f"{name}.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(UsageError, match=r"\.gz"):
        load(loader, tmp_path)


def test_every_kind_of_line_ending_is_read(tmp_path: Path) -> None:
    for loader in FILES:
        counts = set()
        for ending in ("\n", "\r\n"):
            folder = tmp_path / f"{loader}{len(ending)}"
            folder.mkdir()
            for name, text in FILES[loader].items():
                (folder / name).write_bytes(text.replace("\n", ending).encode())
            data = DATASETS.get(loader)(path=str(folder)).load(Path(), 1)
            counts.add(json.dumps([data.users.strings, data.items.strings, data.item_table.to_pylist()]))
        assert len(counts) == 1, loader
