from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.tables.files import FilesSpec
from genrec_eval.data.tables.ids import ids_of

CSV = "user,item,rating,timestamp\nbo,x,4,30\nal,y,2.5,10\nbo,y,1,20\n"


def load(folder: Path, interactions: str = "log.csv", **options: Any) -> Dataset:
    return FilesSpec.model_validate({"interactions": interactions, **options}).load(folder, 1)


def put(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def triples(data: Dataset) -> list[tuple[str, str, float | None, int | None]]:
    log = data.interactions
    rows = zip(
        data.users.decode(log.user).to_pylist(),
        data.items.decode(log.item).to_pylist(),
        [None] * len(log) if log.rating is None else log.rating.tolist(),
        [None] * len(log) if log.timestamp is None else log.timestamp.tolist(),
        strict=True,
    )
    return list(rows)


EXPECTED = [("al", "y", 2.5, 10), ("bo", "y", 1.0, 20), ("bo", "x", 4.0, 30)]


def test_every_format_gives_the_same(tmp_path: Path) -> None:
    table = pa.table(
        {
            "user": ["bo", "al", "bo"],
            "item": ["x", "y", "y"],
            "rating": [4, 2.5, 1],
            "timestamp": [30, 10, 20],
        }
    )
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "log.csv.gz", gzip.compress(CSV.encode()))
    put(tmp_path, "bom.csv", b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())
    put(tmp_path, "log.tsv", CSV.replace(",", "\t"))
    put(tmp_path, "semi.dat", CSV.replace(",", ";"))
    lines = [str(row).replace("'", '"') for row in table.to_pylist()]
    put(tmp_path, "log.jsonl", "\n".join(lines) + "\n")
    pq.write_table(table, tmp_path / "log.parquet")
    pq.write_table(
        pa.table(
            {
                name: table[name].dictionary_encode() if name in ("user", "item") else table[name]
                for name in table.column_names
            }
        ),
        tmp_path / "coded.pq",
    )
    names = ("log.csv", "log.csv.gz", "bom.csv", "log.tsv", "log.jsonl", "log.parquet", "coded.pq")
    for name in names:
        assert triples(load(tmp_path, name)) == EXPECTED, name
    assert triples(load(tmp_path, "semi.dat", delimiter=";")) == EXPECTED


def test_columns_by_other_names_and_without_header(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV.replace("user,item,rating,timestamp", "who,what,stars,when"))
    columns = {"user": "who", "item": "what", "rating": "stars", "timestamp": "when"}
    assert triples(load(tmp_path, columns=columns)) == EXPECTED
    put(tmp_path, "bare.csv", CSV.split("\n", 1)[1])
    assert triples(load(tmp_path, "bare.csv", names=["user", "item", "rating", "timestamp"])) == EXPECTED


def test_ratings_and_times_are_optional(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", "user,item\nb,2\na,1\nb,1\nb,2\n")
    data = load(tmp_path)
    assert triples(data) == [("b", "2", None, None), ("a", "1", None, None), ("b", "1", None, None)]
    assert data.facts["duplicates_dropped"] == 1


def test_items_and_users_files(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV + "cy,new,3,40\n")
    put(
        tmp_path,
        "items.csv",
        'id,name,year,genres,colour\ny,"Why, oh\nwhy",1999.0,a|b,red\nx,,,,\nz,Zed,2001,b,\n',
    )
    put(tmp_path, "users.csv", "user,age,zip\nal,30,1\nbo,,2\n")
    data = load(
        tmp_path,
        items="items.csv",
        item_columns={"item": "id", "title": "name"},
        users="users.csv",
        groups=["age"],
    )
    assert data.item_table.to_pylist() == [
        {"item": "y", "title": "Why, oh\nwhy", "year": 1999, "genres": ["a", "b"], "colour": "red"},
        {"item": "x", "title": None, "year": None, "genres": [], "colour": ""},
        {"item": "z", "title": "Zed", "year": 2001, "genres": ["b"], "colour": ""},
        {"item": "new", "title": None, "year": None, "genres": None, "colour": None},
    ]
    assert data.user_table.column("age").to_pylist() == ["30", None, None]
    assert data.groups == ("age",)
    assert data.users.strings == ["al", "bo", "cy"]
    assert data.facts["items_added_from_interactions"] == 1
    assert data.facts["users_added_from_interactions"] == 1
    assert data.facts["items_without_interactions"] == 1
    assert [row[1] for row in triples(data)] == ["y", "y", "x", "new"]


def test_whole_numbers_are_one_id_however_they_are_written(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"user": [1.0, 2.0], "item": pa.array([7, 8], pa.int32())}), tmp_path / "log.parquet"
    )
    put(tmp_path, "items.csv", "item,title\n7.0,Seven\n8.0,Eight\n")
    data = load(tmp_path, "log.parquet", items="items.csv")
    assert data.users.strings == ["1", "2"]
    assert data.items.strings == ["7", "8"]
    put(tmp_path, "log.csv", "user,item\n007,1.0\n07,1.5\n")
    assert load(tmp_path).users.strings == ["007", "07"]
    assert load(tmp_path).items.strings == ["1.0", "1.5"]


@given(st.lists(st.none() | st.text(max_size=4), max_size=30), st.booleans())
def test_ids_keep_their_rows(texts: list[str | None], coded: bool) -> None:
    column = pa.array(texts, pa.string())
    codes, ids = ids_of(column.dictionary_encode() if coded else column)
    names = ids.to_pylist()
    assert len(set(names)) == len(names)
    for text, code in zip(texts, codes.tolist(), strict=True):
        stripped = (text or "").strip()
        if code == -1:
            # which characters count as blank is Unicode's matter, not Python's
            assert not stripped.strip("\x1c\x1d\x1e\x1f")
        else:
            assert names[code] is not None
            assert names[code].strip() in (stripped, stripped.split(".")[0])


def test_categories_that_no_row_has_are_no_ids() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([2, None, 0, 2]), pa.array(["a", "gone", "c"]))
    codes, ids = ids_of(column)
    assert ids.to_pylist() == ["a", "c"]
    assert codes.tolist() == [1, -1, 0, 1]


def test_duplicates_are_counted_and_shown(tmp_path: Path) -> None:
    rows = ["a,x,1,5", "b,x,2,5", "a,x,3,5", "a,x,1,6", "b,x,2,5", "a,x,1,5"]
    put(tmp_path, "log.csv", "user,item,rating,timestamp\n" + "\n".join(rows) + "\n")
    data = load(tmp_path)
    assert triples(data) == [("a", "x", 1, 5), ("b", "x", 2, 5), ("a", "x", 1, 6)]
    assert data.facts["rows_read"] == 6
    assert data.facts["duplicates_dropped"] == 3
    assert data.facts["duplicates_with_another_rating"] == 1
    assert data.facts["duplicate_examples"] == [
        "rows 1 and 3: user 'a', item 'x'",
        "rows 2 and 5: user 'b', item 'x'",
    ]
    assert "3 duplicate rows are dropped" in data.facts["warnings"][0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_order_and_duplicates_agree_with_a_plain_implementation(rows: list[tuple[int, int, int]]) -> None:
    from genrec_eval.data.tables.assemble import assemble
    from genrec_eval.data.tables.log import Log

    user, item, when = (pa.chunked_array([list(column)]) for column in zip(*rows, strict=True))
    rating = pa.chunked_array([[float(i) for i in range(len(rows))]])
    log = Log(user=user, item=item, rating=rating, timestamp=when, where=str)
    data = assemble(log, name="n", digest="d")
    seen: dict[tuple[int, int, int], int] = {}
    for place, row in enumerate(rows):
        seen.setdefault(row, place)
    expected = sorted((row[2], place, row) for row, place in seen.items())
    assert triples(data) == [(str(r[0]), str(r[1]), float(place), r[2]) for _, place, r in expected]
    assert data.facts["duplicates_dropped"] == len(rows) - len(seen)


@pytest.mark.parametrize(
    ("times", "expected", "warning"),
    [
        ("1577836800\n1577836801", [1577836800, 1577836801], None),
        (
            "1577836800000\n1577836801999",
            [1577836800, 1577836801],
            "in milliseconds and are divided by 1,000 ",
        ),
        ("1577836800000000\n1577836801000000", [1577836800, 1577836801], "in microseconds"),
        ("1.5778368e9\n1577836801.5", [1577836800, 1577836801], None),
        ("2020-01-01\n2020-01-01T00:00:01", [1577836800, 1577836801], None),
        ("2020-01-01 00:00:00.5\n2020-01-01 00:00:01", [1577836800, 1577836801], None),
        ("2020-01-01T01:00:00+01:00\n2020-01-01T00:00:01Z", [1577836800, 1577836801], None),
        ("-5\n5", [-5, 5], None),
    ],
)
def test_units_of_time(tmp_path: Path, times: str, expected: list[int], warning: str | None) -> None:
    rows = "\n".join(f"u,{i},{text}" for i, text in enumerate(times.split("\n")))
    put(tmp_path, "log.csv", f"user,item,timestamp\n{rows}\n")
    data = load(tmp_path)
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == expected
    assert len(data.facts["warnings"]) == (warning is not None)
    assert warning is None or warning in data.facts["warnings"][0]


def test_parquet_times(tmp_path: Path) -> None:
    moments = pa.array(["2020-01-01T00:00:00", "1969-12-31T23:59:59"]).cast(pa.timestamp("ns"))
    pq.write_table(pa.table({"user": [1, 1], "item": [1, 2], "timestamp": moments}), tmp_path / "log.parquet")
    log = load(tmp_path, "log.parquet").interactions
    assert log.timestamp is not None
    assert log.timestamp.tolist() == [-1, 1577836800]


HEAD = "user,item,rating,timestamp\n"


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        ("", {}, r"log.csv is empty"),
        (HEAD, {}, r"log.csv holds no rows"),
        ("usr,item\n1,2\n", {}, r"has no column 'user'; did you mean 'usr'\? \(columns: usr, item\)"),
        (CSV, {"columns": {"rating": "ratings"}}, r"no column 'ratings'; did you mean 'rating'"),
        (HEAD + "1,2,3,4\n1,2,good,4\n", {}, r"log.csv line 3, column 'rating': 'good' is not a number"),
        (HEAD + "1,2,3,4\n\n1,2,nan,4\n", {}, r"line 4, column 'rating': a rating of nan is not a finite"),
        (HEAD + "1,2,-inf,4\n", {}, r"line 2, column 'rating': a rating of -inf is not a finite number"),
        (HEAD + "1,2,1e300,4\n", {}, r"line 2, column 'rating': a rating of 1e\+300 is not a finite number"),
        (HEAD + "1,2,3,1e300\n", {}, r"line 2, column 'timestamp': 1e\+300 is not a time"),
        (HEAD + "1,2,3,99999999999999999999\n", {}, r"line 2, column 'timestamp': 1e\+20 is not a time"),
        (HEAD + "1,2,3,4\n1,2,,4\n", {}, r"line 3, column 'rating': the rating is missing"),
        (HEAD + "1,2,3,4\n ,2,3,4\n", {}, r"line 3, column 'user': the user is missing"),
        (HEAD + "1,2,3,4\n1,2,3\n", {}, r"line 3 has 3 fields where 4 are expected \(user, item, rating"),
        (HEAD + "1,2,3,4\n1,2,3,soon\n", {}, r"line 3, column 'timestamp': 'soon' is neither Unix seconds"),
        (
            HEAD + "1,2,3,4\n1,3,3,\n",
            {},
            r"line 3, column 'timestamp': the timestamp is missing",
        ),
        (HEAD + "1,2,3,1577836800\n1,3,3,1577836800000\n", {}, r"line 2.*looks like another unit than"),
        (b"user,item\n1,2\n1,caf\xe9\n", {}, r"log.csv line 3: byte 0xE9 is not utf-8 text; save"),
        (b"us\xe9r,item\n1,2\n", {}, r"log.csv line 1: byte 0xE9 is not utf-8 text"),
        (CSV, {"encoding": "utf-9"}, r"unknown encoding: utf-9"),
        ("user,item,user\n1,2,3\n", {}, r"two columns named 'user'"),
        (CSV, {"items": "none.csv"}, r"no such file or folder: .*none.csv \(from option items\)"),
        (CSV, {"items": "."}, r"is a folder where a file is expected"),
    ],
)
def test_faults_are_one_sentence(
    tmp_path: Path, text: str | bytes, options: dict[str, Any], sentence: str
) -> None:
    put(tmp_path, "log.csv", text)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(tmp_path, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("items", "users", "options", "sentence"),
    [
        ("item,title\nx,A\nx,B\n", None, {}, r"items.csv line 3, column 'item': item 'x' is there already"),
        ("item,title\n,A\n", None, {}, r"items.csv line 2, column 'item': the item is missing"),
        ("item,year\nx,1990\ny,old\n", None, {}, r"items.csv line 3, column 'year': 'old' is not a year"),
        ("itm,title\nx,A\n", None, {}, r"items.csv has no column 'item'; did you mean 'itm'"),
        (
            "item\nx\n",
            "user,gender\nal,F\n",
            {"groups": ["gendre"]},
            r"no column 'gendre' to group by; did you",
        ),
    ],
)
def test_faults_of_items_and_users(
    tmp_path: Path, items: str, users: str | None, options: dict[str, Any], sentence: str
) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "items.csv", items)
    if users is not None:
        put(tmp_path, "users.csv", users)
        options = {**options, "users": "users.csv"}
    with pytest.raises(UsageError, match=sentence):
        load(tmp_path, items="items.csv", **options)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("log.parquet", b"PAR1 but not really", r"log.parquet is not a parquet file"),
        ("log.jsonl", b'{"user": 1, "item": 2}\n{"user": 1,\n', r"log.jsonl line 2 is not JSON"),
        ("log.jsonl", b"[1, 2]\n", r"log.jsonl line 1 is not a JSON object"),
        (
            "log.jsonl",
            b'{"user": 1, "item": 2}\n{"user": 1}\n',
            r"line 2, column 'item': the item is missing",
        ),
        ("log.jsonl", b'{"user": 1, "item": {"a": 2}}\n', r"column 'item'"),
        ("log.xlsx", b"PK", r"does not end in .csv, .tsv, .parquet or .jsonl"),
        ("log.csv.gz", b"not compressed at all", r"log.csv.gz"),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    put(tmp_path, name, content)
    with pytest.raises(UsageError, match=sentence) as caught:
        load(tmp_path, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"user": [1.5], "item": [1]}, r"row 1, column 'user' holds fractions where ids"),
        ({"user": [True], "item": [1]}, r"column 'user' holds bool where ids"),
        (
            {"user": [1, 1], "item": [1, 2], "rating": ["4", "x"]},
            r"row 2, column 'rating': 'x' is not a number",
        ),
        ({"user": [1], "item": [1], "rating": [[4]]}, r"row 1, column 'rating'"),
        ({"user": [1, None], "item": [1, 2]}, r"row 2, column 'user': the user is missing"),
        (
            {"user": [1], "item": [1], "timestamp": [float("nan")]},
            r"row 1, column 'timestamp': nan is not a time",
        ),
        ({"user": [1], "item": [1], "timestamp": [[3]]}, r"row 1, column 'timestamp'"),
    ],
)
def test_faults_in_parquet_name_the_row(tmp_path: Path, table: dict[str, list[Any]], sentence: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "log.parquet")
    with pytest.raises(UsageError, match=sentence):
        load(tmp_path, "log.parquet")


def test_jsonl_of_mixed_types(tmp_path: Path) -> None:
    put(
        tmp_path,
        "log.jsonl",
        '{"user": 1, "item": "2020-01-01", "rating": 4}\n\n'
        '{"user": "b", "item": "x", "rating": 2.5, "more": {}}\n',
    )
    assert [row[:3] for row in triples(load(tmp_path, "log.jsonl"))] == [
        ("1", "2020-01-01", 4),
        ("b", "x", 2.5),
    ]


def test_groups_need_a_users_file() -> None:
    with pytest.raises(ValidationError, match="groups are columns of the users file"):
        FilesSpec.model_validate({"interactions": "x.csv", "groups": ["age"]})


def test_digest_follows_content_and_options_not_place(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "copy.csv", CSV)
    first = load(tmp_path)
    assert first.digest == load(tmp_path, "copy.csv", label="other").digest
    assert first.digest != load(tmp_path, columns={"user": "item", "item": "user"}).digest
    assert len(first.digest) == 64


def test_long_hostile_cells_are_clipped(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", HEAD + "1,2," + "9x{}%s" * 500 + ",4\n")
    with pytest.raises(UsageError, match="line 2, column 'rating'") as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 300


def test_a_million_rows_without_objects(tmp_path: Path) -> None:
    n = 1_000_000
    table = pa.table({"user": np.arange(n) % 250_000, "item": np.arange(n) % 999, "timestamp": np.arange(n)})
    pq.write_table(table, tmp_path / "log.parquet")
    data = load(tmp_path, "log.parquet")
    assert (len(data.users), len(data.items), len(data.interactions)) == (250_000, 999, n)
    assert "strings" not in vars(data.users)  # nobody asked for Python strings


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=120)
    | st.text('user,item"rating\n\r\t 0123.-eTZ:{}[]', max_size=120).map(str.encode)
    | st.text('0123456789.,-"\n aTZ:', max_size=80).map(lambda text: f"{HEAD}1,2,3,4\n{text}".encode()),
    st.sampled_from(["log.csv", "log.tsv", "log.jsonl", "log.parquet"]),
)
def test_any_bytes_end_in_data_or_a_sentence(tmp_path: Path, content: bytes, name: str) -> None:
    put(tmp_path, name, content)
    with suppress(UsageError):
        assert len(load(tmp_path, name).interactions) > 0


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("items.tsv", 'item\ttitle\na\tB\nx\t"Foo\ny\t"Bar\n', 3),
        ("items.csv", 'item,title\nx,"Foo\ny,Bar\nz,Baz\n', 2),
    ],
)
def test_a_quote_that_swallows_rows_is_refused(tmp_path: Path, name: str, text: str, line: int) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, name, text)
    with pytest.raises(UsageError, match=rf"{name} line {line}: a quote opens here that is not closed"):
        load(tmp_path, items=name)


def test_a_quote_that_swallows_interactions_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", 'user,item,timestamp\nu,a,1\nx,"Foo,1\ny,"Bar,2\n')
    with pytest.raises(UsageError, match=r"log\.csv line 3: a quote opens here"):
        load(tmp_path)


def test_texts_may_span_lines(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "items.csv", 'item,title\nx,"Foo ""one"",\ntwo"\ny,Bar\n')
    assert load(tmp_path, items="items.csv").item_table["title"].to_pylist() == ['Foo "one",\ntwo', "Bar"]


def test_a_field_that_the_first_line_of_json_lacks_is_read(tmp_path: Path) -> None:
    put(tmp_path, "log.jsonl", '{"user": "u", "item": "x", "timestamp": 4}\n')
    put(tmp_path, "items.jsonl", '{"item": "x"}\n{"item": "y", "title": "Heat (1995)"}\n')
    assert load(tmp_path, "log.jsonl", items="items.jsonl").item_table["title"].to_pylist() == [
        None,
        "Heat (1995)",
    ]
    put(tmp_path, "rated.jsonl", '{"user": "u", "item": "x"}\n{"user": "u", "item": "y", "rating": 4}\n')
    with pytest.raises(UsageError, match="line 1, column 'rating': the rating is missing"):
        load(tmp_path, "rated.jsonl")


def test_genres_that_are_objects_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "items.jsonl", '{"item": "x", "genres": [{"id": 1}]}\n')
    with pytest.raises(UsageError, match=r"column 'genres' holds list<.*> where lists of text are expected"):
        load(tmp_path, items="items.jsonl")


def test_items_that_match_no_description_are_told(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    put(tmp_path, "items.csv", "item,title\n1.0,A\ny,B\n")
    (warning,) = load(tmp_path, items="items.csv").facts["warnings"]
    assert warning.startswith("1 of 2 items of the interactions are not among the items described")
    assert warning.endswith(": 'x'")


@pytest.mark.parametrize("path", ["x" * 300 + ".csv", "~nobody-of-that-name/log.csv"])
def test_paths_that_no_system_takes_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match=r"\(from option interactions\) is not a usable path: "):
        load(tmp_path, path)


def test_text_of_another_encoding_than_named_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    with pytest.raises(UsageError, match="is not utf-16 text"):
        load(tmp_path, encoding="utf-16")


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (pa.array([1, 2], pa.time64("us")), "time64[us] where a date or Unix seconds are expected"),
        (pa.array([1, 2], pa.duration("s")), "duration[s] where a date or Unix seconds are expected"),
        (pa.array([2**63 + 5, 2**63 + 9], pa.uint64()), "9223372036854775813 is not a time"),
        (pa.array([20240131, 20240201]), "20240131 reads like a date written YYYYMMDD"),
        (pa.array(["20240131", "20240201"]), "20240131 reads like a date written YYYYMMDD"),
    ],
)
def test_columns_that_are_no_times_are_refused(tmp_path: Path, times: pa.Array, sentence: str) -> None:
    pq.write_table(pa.table({"user": [1, 1], "item": [1, 2], "timestamp": times}), tmp_path / "log.parquet")
    with pytest.raises(UsageError) as caught:
        load(tmp_path, "log.parquet")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([1577836800 * 10**9 + 7, 1577836801 * 10**9 + 999_999_999]).cast(pa.timestamp("ns", "UTC")),
        pa.array(["2020-01-01T00:00:00.000000007Z", "2020-01-01T00:00:01Z"]),
        pa.array(["2020-01-01T00:00:00", "2020-01-01T00:00:01"]).dictionary_encode(),
        pa.array([" 1577836800", "1577836801 "]),
    ],
)
def test_times_of_any_precision_are_floored_to_seconds(tmp_path: Path, times: pa.Array) -> None:
    pq.write_table(pa.table({"user": [1, 1], "item": [1, 2], "timestamp": times}), tmp_path / "log.parquet")
    when = load(tmp_path, "log.parquet").interactions.timestamp
    assert when is not None
    assert when.tolist() == [1577836800, 1577836801]


def test_parquet_with_bytes_that_are_no_text_is_broken(tmp_path: Path) -> None:
    users = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    pq.write_table(pa.table({"user": users, "item": ["a"], "timestamp": [1]}), tmp_path / "log.parquet")
    with pytest.raises(UsageError, match=r"log\.parquet is a broken parquet file: .*UTF8"):
        load(tmp_path, "log.parquet")


def test_no_number_is_no_age(tmp_path: Path) -> None:
    put(tmp_path, "log.csv", CSV)
    ages = pa.array([float("nan"), 30.0], from_pandas=False)
    pq.write_table(pa.table({"user": ["al", "bo"], "age": ages}), tmp_path / "users.parquet")
    data = load(tmp_path, users="users.parquet", groups=["age"])
    assert sorted(data.user_table.column("age").to_pylist(), key=str) == ["30", None]
