from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.movielens import MovieLensSpec

FLAGS = {"none": "0|" * 18 + "0", "unknown": "1|" + "0|" * 17 + "0", "Action|War": "0|1|" + "0|" * 15 + "1|0"}


def write(folder: Path, files: dict[str, str], encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode(encoding))
    return folder


def load(folder: Path, **options: Any) -> Dataset:
    return MovieLensSpec.model_validate({"path": str(folder), **options}).load(Path(), 1)


def layout_100k() -> dict[str, str]:
    return {
        "u.data": "2\t3\t4\t900\n1\t3\t5\t800\n2\t1\t1\t850\n1\t2\t3\t800\n",
        "u.item": f"1|Wandererß, The (1995)|01-Jan-1995||http://x|{FLAGS['Action|War']}\n"
        f"2|Étude (Study) (1996)|02-Feb-1996||http://x|{FLAGS['none']}\n"
        f"3|No Year At All|17-Mar-1997||http://x|{FLAGS['unknown']}\n",
        "u.user": "1|17|m|writer|00000\n2|49|F|other|00000\n3|80|F|artist|00000\n",
    }


def layout_1m() -> dict[str, str]:
    return {
        "ratings.dat": "1::10::5::978300760\n2::20::3::978300750\n1::20::4::978300770\n",
        "movies.dat": "10::Star Tale: Part II (1980)::Action|War\n20::Café (1999)::Drama\n"
        "30::Unseen (2000)::Drama\n",
        "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
    }


def layout_csv() -> dict[str, str]:
    return {
        "ratings.csv": "userid,movieid,rating,timestamp\r\n1,10,4.5,964982703\r\n2,20,0.5,964981247\r\n",
        "movies.csv": 'movieId,title,genres\r\n10,"Wanderer, The (1995)",Action|War\r\n'
        "20,Quiet,(no genres listed)\r\n",
    }


def test_100k_layout(tmp_path: Path) -> None:
    data = load(write(tmp_path / "ml", layout_100k(), "latin-1"))
    log = data.interactions
    assert data.name == "movielens-100k"
    assert data.users.strings == ["1", "2", "3"]
    assert data.items.strings == ["1", "2", "3"]
    # by time, then by position in the file
    assert list(zip(log.user.tolist(), log.item.tolist(), strict=True)) == [(0, 2), (0, 1), (1, 0), (1, 2)]
    assert log.rating is not None
    assert log.rating.tolist() == [5, 3, 1, 4]
    assert data.item_table.column("title").to_pylist()[0] == "Wandererß, The (1995)"
    assert data.item_table.column("year").to_pylist() == [1995, 1996, 1997]
    assert data.item_table.column("genres").to_pylist() == [["Action", "War"], [], []]
    assert data.item_table.column("aliases").to_pylist()[:2] == [
        ["The Wandererß (1995)"],
        ["Étude (1996)", "Study (1996)"],
    ]
    assert data.user_table.to_pylist() == [
        {"user": "1", "gender": "M", "age": "under 18", "occupation": "writer"},
        {"user": "2", "gender": "F", "age": "45-49", "occupation": "other"},
        {"user": "3", "gender": "F", "age": "56+", "occupation": "artist"},
    ]
    assert data.groups == ("gender", "age", "occupation")
    assert data.facts["rows_read"] == 4


def test_1m_layout(tmp_path: Path) -> None:
    data = load(write(tmp_path / "ml", layout_1m(), "latin-1"))
    assert data.name == "movielens-1m"
    assert len(data.interactions) == 3
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == [978300750, 978300760, 978300770]
    assert data.item_table.column("title").to_pylist() == [
        "Star Tale: Part II (1980)",
        "Café (1999)",
        "Unseen (2000)",
    ]
    assert data.facts["items_without_interactions"] == 1
    assert data.user_table.to_pylist() == [
        {"user": "1", "gender": "F", "age": "under 18", "occupation": "K-12 student"},
        {"user": "2", "gender": "M", "age": "56+", "occupation": "self-employed"},
    ]


def test_10m_is_the_1m_layout_without_users_and_with_half_stars(tmp_path: Path) -> None:
    files = layout_1m()
    del files["users.dat"]
    files["ratings.dat"] = files["ratings.dat"].replace("::5::", "::4.5::").replace("\n", "\r\n")
    data = load(write(tmp_path / "ml", files))
    assert data.name == "movielens-10m"
    assert data.groups == ()
    assert data.interactions.rating is not None
    assert 4.5 in data.interactions.rating


def test_csv_layout_with_any_case_and_line_ending(tmp_path: Path) -> None:
    data = load(write(tmp_path / "ml", layout_csv()))
    assert data.name == "movielens"
    assert data.items.strings == ["10", "20"]
    assert data.interactions.rating is not None
    assert data.interactions.rating.tolist() == [0.5, 4.5]
    assert data.item_table.column("aliases").to_pylist() == [["The Wanderer (1995)"], []]
    assert data.item_table.column("genres").to_pylist() == [["Action", "War"], []]
    assert data.item_table.column("year").to_pylist() == [1995, None]
    assert data.licence is not None
    assert "redistribution under the same terms" in data.licence
    files = {name: text.replace("\r\n", "\n") for name, text in layout_csv().items()}
    files["ratings.csv"] = files["ratings.csv"].replace("userid,movieid", "userId,movieId")
    assert len(load(write(tmp_path / "unix", files)).interactions) == 2


def test_ratings_alone_are_enough(tmp_path: Path) -> None:
    data = load(write(tmp_path / "ml", {"u.data": layout_100k()["u.data"]}))
    assert data.item_table.column_names == ["item"]
    assert data.user_table.column_names == ["user"]
    assert (len(data.users), len(data.items)) == (2, 3)


def test_path_may_refer_to_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ml", layout_csv())
    monkeypatch.setenv("SOME_FOLDER", str(tmp_path))
    assert len(load(Path("${env:SOME_FOLDER}/ml")).interactions) == 2
    spec = MovieLensSpec.model_validate({"path": "ml"})
    assert len(spec.load(tmp_path, 1).interactions) == 2


def test_digest_follows_the_bytes(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a", layout_csv()))
    second = load(write(tmp_path / "b", layout_csv()))
    changed = layout_csv()
    changed["movies.csv"] = changed["movies.csv"].replace("Quiet", "Quite")
    assert first.digest == second.digest
    assert first.digest != load(write(tmp_path / "c", changed)).digest


FAULTS: list[tuple[dict[str, str], str, str, str]] = [
    (layout_100k(), "u.data", "2\t3\tfour\t9\n", r"u.data line 1, column 'rating': 'four' is not a whole"),
    (layout_100k(), "u.data", "1\t2\t3\t4\n1\t2\t3\n", r"u.data line 2 has 3 fields where 4 are expected"),
    (layout_100k(), "u.data", "", r"u.data is empty"),
    (layout_100k(), "u.data", "1\t2\t\t4\n", r"u.data line 1, column 'rating': the rating is missing"),
    (layout_100k(), "u.user", "1|x|M|writer|0\n", r"u.user line 1, age: 'x' is not a whole number"),
    (layout_100k(), "u.item", "1|A (1995)|||x|1|0\n", r"u.item line 1 has 7 fields where 24 are expected"),
    (layout_100k(), "u.user", "1|9|M|writer|0\n1|9|M|writer|0\n", r"u.user has user '1' more than once"),
    (layout_1m(), "ratings.dat", "1:2:3:4\n", r"ratings.dat line 1 has 4 fields where 7 are expected"),
    (layout_1m(), "users.dat", "1::F::2::1::0\n", r"users.dat line 1: 2 is not an age code"),
    (layout_1m(), "users.dat", "1::F::1::21::0\n", r"users.dat line 1: 21 is not an occupation code"),
    (layout_csv(), "ratings.csv", "user,movieid,rating,timestamp\n1,2,3,4\n", r"no column 'userid'.*'user'"),
    (layout_csv(), "ratings.csv", "userid,movieid,rating,timestamp\n", r"ratings.csv holds no rows"),
    (layout_csv(), "ratings.csv", "userid,movieid,rating,timestamp\n1,2,inf,4\n", r"line 2.*not a finite"),
]


@pytest.mark.parametrize(("files", "name", "text", "sentence"), FAULTS)
def test_faults_name_file_line_and_column(
    tmp_path: Path, files: dict[str, str], name: str, text: str, sentence: str
) -> None:
    folder = write(tmp_path / "ml", {**files, name: text})
    with pytest.raises(UsageError, match=sentence) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_wrong_folders_get_a_hint(tmp_path: Path) -> None:
    write(tmp_path / "outer", {})
    write(tmp_path / "outer" / "ml-100k", layout_100k())
    with pytest.raises(UsageError, match=r"holds no MovieLens release.*did you mean '.*ml-100k'"):
        load(tmp_path / "outer")
    with pytest.raises(UsageError, match=r"no such file or folder: .*ml-100\b.*did you mean 'ml-100k'"):
        load(tmp_path / "outer" / "ml-100")
    with pytest.raises(UsageError, match="is a file; give the folder"):
        load(tmp_path / "outer" / "ml-100k" / "u.data")
    with pytest.raises(UsageError, match="environment variable NOT_THERE_1 is not set"):
        load(Path("${env:NOT_THERE_1}"))


@pytest.mark.parametrize(
    ("name", "users", "rated", "ratings"),
    [("movielens-100k", 943, 1682, 100_000), ("movielens-latest-small", 610, 9724, 100_836)],
)
def test_published_counts(real_data: Path, name: str, users: int, rated: int, ratings: int) -> None:
    if not (real_data / name).is_dir():
        pytest.skip(f"{name} is not there")
    data = load(real_data / name)
    assert data.name == name
    assert len(data.users) == users
    assert len(np.unique(data.interactions.item)) == rated
    assert len(data.interactions) == ratings
    assert data.facts["duplicates_dropped"] == 0
    titles = dict(zip(data.items.strings, data.item_table.column("title").to_pylist(), strict=True))
    assert titles["1"] == "Toy Story (1995)"
    if name == "movielens-100k":
        assert data.facts["ambiguous_titles"] == 18
        genders = data.user_table.column("gender").to_pylist()
        assert (genders.count("M"), genders.count("F")) == (670, 273)
