"""Goodbooks and Book-Crossing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.book_crossing import BookCrossingSpec
from genrec_eval.data.loaders.goodbooks import GoodbooksSpec


def goodbooks(folder: Path) -> Dataset:
    return GoodbooksSpec.model_validate({"path": str(folder)}).load(Path(), 1)


def crossing(folder: Path, **options: Any) -> Dataset:
    return BookCrossingSpec.model_validate({"path": str(folder), **options}).load(Path(), 1)


def test_goodbooks_counts(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n1,258,5\n2,4081,4\n2,260,5\n1,260,3\n")
    (tmp_path / "books.csv").write_text(
        "id,book_id,authors,original_publication_year,original_title,title,language_code\n"
        '1,258,"Ann Author, Bo Writer",2001.0,La sombra,"Shadow, The",eng\n'
        "2,260,Cy Poet,-720.0,,Epic,\n"
        "3,9999,Di Nobody,,Same,Same,eng\n"
    )
    data = goodbooks(tmp_path)
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 4, 4)
    assert data.interactions.timestamp is None
    # without times the order of the file stays
    assert data.items.decode(data.interactions.item).to_pylist() == ["258", "4081", "260", "260"]
    assert data.item_table.to_pylist()[0] == {
        "item": "258",
        "title": "Shadow, The",
        "year": 2001,
        "aliases": ["La sombra"],
        "authors": ["Ann Author", "Bo Writer"],
        "language": "eng",
    }
    assert data.item_table["year"].to_pylist() == [2001, -720, None, None]
    assert data.item_table["aliases"].to_pylist()[2] == []
    assert data.licence == "CC BY-SA 4.0"


def test_goodbooks_faults(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no ratings\.csv, which dataset 'goodbooks' reads$"):
        goodbooks(tmp_path)
    (tmp_path / "ratings.csv").write_text("user_id,book_id,rating\n1,258,five\n")
    with pytest.raises(
        UsageError, match=r"ratings\.csv line 2, column 'rating': 'five' is not a whole number"
    ):
        goodbooks(tmp_path)


RATINGS = (
    '"User-ID";"ISBN";"Book-Rating"\r\n'
    '"1";"034545104X";"0"\r\n'
    '"1";"034545104x";"5"\r\n'  # the same book, written otherwise
    '"2";" 0155061224";"10"\r\n'
    '"2";"\\"0446520802\\"";"7"\r\n'
    '"3";"a"b;c";"8"\r\n'
)
BOOKS = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";'
    '"Image-URL-L"\r\n'
    '"034545104X";"Flesh &amp; Blood: \\"A; Novel\\";";"M. J. Rose";"2002";"Ballantine";"http://a";"http://b";'
    '"http://c"\r\n'
    '"0155061224";"Judgement\xe9";"N/A";"0";"Heinle";"http://a";"http://b";"http://c"\r\n'
)
USERS = (
    '"User-ID";"Location";"Age"\r\n'
    '"1";"nyc, new york, usa";NULL\r\n'
    '"2";"m\xfcnchen, n/a, Germany";"18"\r\n'
    '"3";"x "quoted" y, n/a, ";"239"\r\n'
)


def write(folder: Path, **files: str) -> Path:
    names = {"ratings": "BX-Book-Ratings.csv", "books": "BX-Books.csv", "users": "BX-Users.csv"}
    for name, text in files.items():
        (folder / names[name]).write_bytes(text.encode("latin-1"))
    return folder


def test_book_crossing_as_dirty_as_it_comes(tmp_path: Path) -> None:
    data = crossing(write(tmp_path, ratings=RATINGS, books=BOOKS, users=USERS))
    assert (len(data.users), len(data.interactions)) == (3, 4)
    assert data.facts["implicit_ratings"] == 1
    assert data.facts["ages_not_plausible"] == 1
    assert data.interactions.rating is not None
    assert data.interactions.rating.tolist() == [5, 10, 7, 8]
    assert data.items.decode(data.interactions.item).to_pylist() == [
        "034545104X",
        "0155061224",
        "0446520802",
        "AB;C",
    ]
    assert data.item_table.to_pylist()[0] == {
        "item": "034545104X",
        "title": 'Flesh & Blood: "A; Novel";',
        "authors": "M. J. Rose",
        "provider": "Ballantine",
        "year": 2002,
    }
    assert data.item_table.to_pylist()[1]["title"] == "Judgementé"
    assert data.item_table.to_pylist()[1]["year"] is None
    assert data.user_table.to_pylist() == [
        {"user": "1", "age": None, "country": "usa"},
        {"user": "2", "age": "18-24", "country": "germany"},
        {"user": "3", "age": None, "country": None},
    ]
    assert data.groups == ("age", "country")
    assert any("1 ages of users are not between 5 and 100" in text for text in data.facts["warnings"])


def test_every_row_as_feedback(tmp_path: Path) -> None:
    data = crossing(write(tmp_path, ratings=RATINGS), keep="all")
    assert data.interactions.rating is None
    assert data.facts["duplicates_dropped"] == 1  # read, then rated
    assert len(data.interactions) == 4


def test_a_few_lines_of_another_layout_are_counted(tmp_path: Path) -> None:
    data = crossing(write(tmp_path, ratings=RATINGS + "garbage\r\n"))
    assert any(
        "1 lines of BX-Book-Ratings.csv" in t and "line 7: 'garbage'" in t for t in data.facts["warnings"]
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"BX-Book-Ratings\.csv is empty"),
        (RATINGS.split("\n")[0], r"BX-Book-Ratings\.csv holds no rows"),
        ("a,b,c\n" + "1,2,3\n" * 50, r"line 2: '1,2,3' is not of Book-Crossing's layout.* 50 of 50 lines"),
        (RATINGS + '"4";"x";"11"\r\n', r"line 7: a rating of 11 is not one of 0 to 10"),
        ('"User-ID";"ISBN";"Book-Rating"\n"1";"x";"0"\n', r"no ratings from 1 to 10; read it with keep: all"),
    ],
)
def test_book_crossing_faults(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        crossing(write(tmp_path, ratings=text))
    assert "\n" not in str(caught.value)
