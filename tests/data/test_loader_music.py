"""Last.fm, both editions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.folder import FolderSpec
from genrec_eval.data.loaders.lastfm import LastFm1kSpec, LastFm2kSpec

PLAYS = "userid-timestamp-artid-artname-traid-traname.tsv"


def load(cls: type[FolderSpec], folder: Path, **options: Any) -> Dataset:
    return cls.model_validate({"path": str(folder), **options}).load(Path(), 1)


def test_2k_counts_and_tags(tmp_path: Path) -> None:
    (tmp_path / "user_artists.dat").write_text(
        "userID\tartistID\tweight\r\n2\t51\t13883\r\n2\t52\t11690\r\n3\t51\t7\r\n"
    )
    (tmp_path / "artists.dat").write_text(
        'id\tname\turl\tpictureURL\n51\t"Weird" Al\thttp://x\thttp://y\n52\tBjörk\thttp://x\t\n53\tNobody\tu\tp\n',
        encoding="utf-8",
    )
    (tmp_path / "tags.dat").write_bytes("tagID\ttagValue\n1\tpop\n2\tcaf\xe9\n3\tsad\n".encode("latin-1"))
    (tmp_path / "user_taggedartists.dat").write_text(
        "userID\tartistID\ttagID\tday\tmonth\tyear\n2\t52\t2\t1\t4\t2009\n3\t52\t2\t1\t4\t2009\n"
        "3\t52\t1\t1\t4\t2009\n3\t99\t1\t1\t4\t2009\n"
    )
    data = load(LastFm2kSpec, tmp_path)
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 3, 3)
    assert data.interactions.rating is None
    assert data.interactions.timestamp is None
    assert data.item_table["title"].to_pylist() == ['"Weird" Al', "Björk", "Nobody"]
    assert data.item_table["genres"].to_pylist() == [[], ["café", "pop"], []]
    weighted = load(LastFm2kSpec, tmp_path, rating="plays")
    assert weighted.interactions.rating is not None
    assert weighted.interactions.rating.tolist() == [13883, 11690, 7]
    assert weighted.digest != data.digest


LINES = (
    'user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep "Dish\t\tFuck Me\n'
    "user_000001\t2009-05-04T13:54:10Z\tf1b1cf71\tDeep Dish\tt-77\tOther\n"
    "user_000002\t2009-05-04T13:52:04Z\t\tNo Id\t\tFuck Me\n"
)


def test_1k_artists_and_tracks(tmp_path: Path) -> None:
    (tmp_path / PLAYS).write_text(LINES, encoding="utf-8")
    (tmp_path / "userid-profile.tsv").write_text(
        "#id\tgender\tage\tcountry\tregistered\nuser_000001\tm\t\tJapan\tAug 13, 2006\n"
        "user_000002\tf\t103\t\tFeb 24, 2006\nuser_000003\tf\t22\tPeru\t\n"
    )
    data = load(LastFm1kSpec, tmp_path)
    assert (len(data.users), len(data.items), len(data.interactions)) == (3, 2, 3)
    assert data.items.strings == ["f1b1cf71", "No Id"]
    titles = dict(zip(data.items.strings, data.item_table["title"].to_pylist(), strict=True))
    assert data.item_table.schema.field("title").type == "string"
    assert titles == {"f1b1cf71": 'Deep "Dish', "No Id": "No Id"}
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == [1241445124, 1241445250, 1241478537]
    assert data.user_table.to_pylist() == [
        {"user": "user_000001", "gender": "M", "age": None, "country": "Japan"},
        {"user": "user_000002", "gender": "F", "age": None, "country": None},
        {"user": "user_000003", "gender": "F", "age": "18-24", "country": "Peru"},
    ]
    assert data.groups == ("gender", "age", "country")
    tracks = load(LastFm1kSpec, tmp_path, item="track")
    assert set(tracks.items.strings) == {'Deep "Dish – Fuck Me', "t-77", "No Id – Fuck Me"}
    by_id = dict(zip(tracks.items.strings, tracks.item_table.to_pylist(), strict=True))
    assert by_id["t-77"]["title"] == "Deep Dish – Other"
    assert by_id["t-77"]["provider"] == "Deep Dish"


def test_1k_broken_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    (tmp_path / PLAYS).write_text(LINES + "user_000002\tbroken\n" + LINES.split("\n")[0][:-1] + "x\n")
    data = load(LastFm1kSpec, tmp_path)
    assert data.facts["rows_read"] == 4
    (warning,) = [text for text in data.facts["warnings"] if "passed over" in text]
    assert warning.startswith("1 rows with too few or too many fields are passed over, the first")
    (tmp_path / PLAYS).write_text(LINES + "user_000002\tbroken\n" * 1001)
    with pytest.raises(UsageError, match=r"traname\.tsv line 4 has 2 fields where 6 are expected"):
        load(LastFm1kSpec, tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        (
            LINES.replace("2009-05-04T13:54:10Z", "yesterday"),
            r"line 2, column 'time': 'yesterday' is neither",
        ),
        (LINES.replace("user_000002", ""), r"line 3, column 'user': the user is missing"),
        (LINES.replace("\tNo Id\t", "\t\t"), r"line 3, column 'artist': the item is missing"),
    ],
)
def test_1k_faults(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / PLAYS).write_text(text)
    with pytest.raises(UsageError, match=sentence):
        load(LastFm1kSpec, tmp_path)


def test_a_folder_of_the_other_edition_is_named(tmp_path: Path) -> None:
    (tmp_path / PLAYS).write_text(LINES)
    with pytest.raises(
        UsageError,
        match=r"user_artists\.dat, which dataset 'lastfm-2k' reads; its files look like 'dataset: lastfm-1k'",
    ):
        load(LastFm2kSpec, tmp_path)
    (tmp_path / PLAYS).rename(tmp_path / "user_artists.dat")
    with pytest.raises(UsageError, match=r"user_artists\.dat has no column 'userID'"):
        load(LastFm2kSpec, tmp_path)
