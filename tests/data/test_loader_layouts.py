"""RecBole's atomic files, semantic-id files, own files with both, folders that suit another loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.folder import LAYOUTS, FolderSpec, recognise
from genrec_eval.data.loaders.movielens import MovieLensSpec
from genrec_eval.data.loaders.recbole import RecBoleSpec
from genrec_eval.data.loaders.semantic_ids import SemanticIdsSpec
from genrec_eval.data.registry import DATASETS
from genrec_eval.data.tables.files import FilesSpec
from genrec_eval.protocol.arrays import Ragged


def load(cls: type[FolderSpec], folder: Path, **options: Any) -> Dataset:
    return cls.model_validate({"path": str(folder), **options}).load(Path(), 1)


def lists(data: Dataset, ragged: Ragged) -> list[list[str]]:
    return [data.items.decode(ragged[row]).to_pylist() for row in range(len(ragged))]


INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n0\t242\t3\t881250949\n186\t0\t2.5\t8.9e8\n"
)
ITEM = (
    "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    '242\tKolya "x"\t1996\tComedy\n0\tToy Story\t\tAnimation Comedy\n'
)
USER = "user_id:token\tage:token\tgender:token\tzip:token\n0\t24\tM\t1\n186\t\tF\t2\n"


def atomic(folder: Path, inter: str = INTER) -> Path:
    (folder / "ml.inter").write_text(inter)
    (folder / "ml.item").write_text(ITEM)
    (folder / "ml.user").write_text(USER)
    return folder


def test_atomic_counts_and_the_padding_that_recbole_adds(tmp_path: Path) -> None:
    data = load(RecBoleSpec, atomic(tmp_path))
    assert data.name == "ml"
    # '0' is an id like any other in the files; only RecBole's own counts have one more
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 2, 2)
    assert (data.facts["recbole_user_num"], data.facts["recbole_item_num"]) == (3, 3)
    assert data.interactions.rating is not None
    assert data.interactions.rating.tolist() == [3, 2.5]
    assert data.item_table.to_pylist() == [
        {"item": "242", "title": 'Kolya "x"', "genres": ["Comedy"], "year": 1996},
        {"item": "0", "title": "Toy Story", "genres": ["Animation", "Comedy"], "year": None},
    ]
    assert data.user_table.to_pylist()[1] == {"user": "186", "age": None, "gender": "F", "zip": "2"}
    assert data.groups == ("gender", "age")


def test_atomic_padding_rows_are_refused(tmp_path: Path) -> None:
    padded = INTER + "[PAD]\t242\t1\t5\n0\t[PAD]\t1\t5\n"
    data = load(RecBoleSpec, atomic(tmp_path, padded))
    assert len(data.interactions) == 2
    assert "2 rows of ml.inter with the padding id [PAD] are dropped" in data.facts["warnings"]


def test_atomic_choices(tmp_path: Path) -> None:
    (tmp_path / "a.inter").write_text("uid:token\tartist:token\tweight:float\n1\t2\t3\n")
    (tmp_path / "b.inter").write_text(INTER)
    with pytest.raises(
        UsageError, match=r"several files \*\.inter \(a\.inter, b\.inter\); say which .* option name"
    ):
        load(RecBoleSpec, tmp_path)
    data = load(RecBoleSpec, tmp_path, name="a", user="uid", item="artist", rating="weight")
    assert data.interactions.rating is not None
    assert data.interactions.timestamp is None
    assert len(load(RecBoleSpec, tmp_path, name="b").interactions) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("user_id\titem_id\n1\t2\n", r"ml\.inter line 1: 'user_id' is not a column of an atomic file"),
        ("user:token\titem_id:token\n1\t2\n", r"no column 'user_id'; did you mean 'user'\?"),
        (INTER + "1\t2\n", r"ml\.inter line 4 has 2 fields where 4 are expected"),
        (
            INTER.replace("881250949", "soon"),
            r"ml\.inter line 2, column 'timestamp:float': 'soon' is not a number",
        ),
        (INTER.replace("186", ""), r"ml\.inter line 3, column 'user_id:token': the user is missing"),
        ("", r"ml\.inter is empty"),
    ],
)
def test_atomic_faults(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        load(RecBoleSpec, atomic(tmp_path, text))


INDEX = {"0": ["<a_1>", "<b_2>"], "1": ["<a_1>", "<b_3>"], "2": ["<a_1>", "<b_2>"], "3": ["<a_9>", "<b_9>"]}
ROWS = "user_id,history_item_title,item_title,history_item_id,item_id,history_item_sid,item_sid\n"
TEST = ROWS + (
    'U1,"[\'A, ""x""\']",B,"[0, 0, 1]",2,"[\'<a_1><b_2>\']",<a_1><b_2>\n'
    'U1,"[\'A\']",B,"[0, 0, 1, 2]",3,"[\'<a_1><b_2>\']",<a_9><b_9>\n'
    "U2,[],B,[],1,[],<a_1><b_4>\n"
)
TRAIN = ROWS + 'U1,[],B,[0],0,[],x\nU1,[],B,"[0, 0]",1,[],x\nU3,[],B,[3],0,[],x\n'


def semantic(folder: Path, **files: str) -> Path:
    items = {
        "0": {"title": "Nought", "description": "['One.', 'Two.']", "brand": "B", "categories": "C,D"},
        "1": {},
    }
    (folder / "Office.index.json").write_text(json.dumps(INDEX))
    (folder / "Office.item.json").write_text(json.dumps(items))
    (folder / "Office.test.csv").write_text(TEST)
    for name, text in files.items():
        (folder / f"Office.{name.replace('_', '.')}").write_text(text)
    return folder


def test_semantic_ids_counts_and_collisions(tmp_path: Path) -> None:
    data = load(SemanticIdsSpec, semantic(tmp_path))
    assert data.name == "amazon-18 Office"
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 4, 0)
    assert data.given is not None
    assert lists(data, data.given.history) == [["0", "0", "1"], ["0", "0", "1", "2"], []]
    assert lists(data, data.given.truth) == [["2"], ["3"], ["1"]]
    assert data.item_table["semantic_id"].to_pylist() == list(INDEX.values())
    assert data.item_table.to_pylist()[0]["description"] == "One. Two."
    assert data.item_table.to_pylist()[0]["genres"] == ["C", "D"]
    facts = data.facts
    assert (facts["semantic_ids"], facts["semantic_ids_distinct"]) == (4, 3)
    assert facts["semantic_id_collision_rate"] == pytest.approx(0.25)
    assert facts["items_with_shared_semantic_id"] == 2
    assert facts["ambiguous_targets"] == 1
    assert facts["ambiguous_target_share"] == pytest.approx(1 / 3)
    assert "1 of 3 cases spell the semantic id of their item otherwise" in facts["warnings"]


def test_training_rows_become_sequences_once(tmp_path: Path) -> None:
    folder = semantic(tmp_path, train_csv=TRAIN, valid_csv=ROWS + 'U1,[],B,"[0, 0, 1]",3,[],x\n')
    data = load(SemanticIdsSpec, folder)
    log = data.interactions
    pairs = list(
        zip(data.users.decode(log.user).to_pylist(), data.items.decode(log.item).to_pylist(), strict=True)
    )
    # U1 had 0, 0, 1, then 3 of the valid part; the second 0 is a duplicate without a time of its own
    assert pairs == [("U1", "0"), ("U1", "1"), ("U3", "3"), ("U3", "0"), ("U1", "3")]
    assert data.facts["duplicates_dropped"] == 1
    valid = load(SemanticIdsSpec, folder, part="valid")
    assert valid.given is not None
    assert len(valid.given) == 1
    assert len(valid.interactions) == 4


def test_without_given_cases_the_test_rows_are_sequences_too(tmp_path: Path) -> None:
    data = load(SemanticIdsSpec, semantic(tmp_path), part="none")
    assert data.given is None
    log = data.interactions
    pairs = list(
        zip(data.users.decode(log.user).to_pylist(), data.items.decode(log.item).to_pylist(), strict=True)
    )
    assert sorted(pairs) == [("U1", "0"), ("U1", "1"), ("U1", "2"), ("U1", "3"), ("U2", "1")]
    assert [item for user, item in pairs if user == "U1"] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("index_json", "{", r"Office\.index\.json is not JSON"),
        ("index_json", "[]", r"Office\.index\.json holds no JSON object with a key per item"),
        ("index_json", '{"0": "<a_1>"}', r"item '0' has '<a_1>' where a list of id tokens is expected"),
        ("test_csv", ROWS, r"Office\.test\.csv holds no rows"),
        ("test_csv", TEST + "U1,x\n", r"line 5 has 2 fields where 7 are expected"),
        (
            "test_csv",
            ROWS + "U1,[],B,os.system,1,[],x\n",
            r"line 2, column 'history_item_id': 'os.system' is no list",
        ),
        ("test_csv", ROWS + "U1,[],B,[],,[],x\n", r"line 2, column 'item_id': the truth is missing"),
        ("test_csv", "user_id,item_id\n1,2\n", r"no column 'history_item_id'"),
    ],
)
def test_semantic_ids_faults(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        load(SemanticIdsSpec, semantic(tmp_path, **{name: text}))
    assert "\n" not in str(caught.value)


def test_the_published_office_files(real_data: Path) -> None:
    if not (real_data / "amazon18-office").is_dir():
        pytest.skip("amazon18-office is not there")
    data = load(SemanticIdsSpec, real_data / "amazon18-office")
    assert data.name == "amazon-18 Office_Products"
    assert data.given is not None
    assert (len(data.items), len(data.given), len(data.users)) == (3459, 4866, 2024)
    assert data.facts["semantic_ids_distinct"] == 3444
    assert data.facts["semantic_id_collision_rate"] == pytest.approx(15 / 3459)
    # 7.0 % for the category Industrial of the same release, by the same count; Office is cleaner
    assert data.facts["ambiguous_targets"] == 84
    assert data.facts["ambiguous_target_share"] == pytest.approx(0.0173, abs=5e-5)
    assert not any("spell" in text for text in data.facts["warnings"])
    assert {len(tokens) for tokens in data.item_table["semantic_id"].to_pylist()} == {3}


def own(folder: Path, text: str, **options: Any) -> Dataset:
    (folder / "log.csv").write_text("user,item\n1,x\n1,y\n")
    (folder / "items.csv").write_text(text)
    spec = FilesSpec.model_validate({"interactions": "log.csv", "items": "items.csv", **options})
    return spec.load(folder, 1)


def test_own_semantic_ids_and_embeddings(tmp_path: Path) -> None:
    data = own(
        tmp_path,
        "item,semantic_id,vector\nx,<a_1><b_2>,0.5|1\ny,a|b,\n",
        item_columns={"embedding": "vector"},
    )
    assert data.item_table["semantic_id"].to_pylist() == [["<a_1>", "<b_2>"], ["a", "b"]]
    assert data.item_table["embedding"].to_pylist() == [[0.5, 1.0], None]
    assert data.item_table["embedding"].type == pa.list_(pa.float32())
    table = pa.table(
        {"item": ["x", "y"], "embedding": [[1.0, 2.0], [3.0, 4.0]], "semantic_id": [["t"], None]}
    )
    pq.write_table(table, tmp_path / "items.parquet")
    data = own(tmp_path, "", items="items.parquet")
    assert data.item_table["embedding"].to_pylist() == [[1, 2], [3, 4]]
    assert data.item_table["semantic_id"].to_pylist() == [["t"], None]
    rows = '{"item": "x", "embedding": [1, 2.5]}\n{"item": "y", "embedding": [0, 1]}\n'
    (tmp_path / "items.jsonl").write_text(rows)
    assert own(tmp_path, "", items="items.jsonl").item_table["embedding"].to_pylist() == [[1, 2.5], [0, 1]]


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        (
            "item,embedding\nx,1|2\ny,1\n",
            r"items\.csv line 3, column 'embedding' has 1 numbers where others have 2",
        ),
        ("item,embedding\nx,1|2\ny,1|nan\n", r"items\.csv line 3, column 'embedding' holds a number that is"),
        ("item,embedding\nx,1|two\n", r"column 'embedding' is no list of numbers"),
    ],
)
def test_own_embeddings_that_do_not_fit(tmp_path: Path, items: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        own(tmp_path, items)


def test_the_unit_of_time_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text('1\t"x\t5000\n1\ty"\t20240131\n')
    spec = {
        "interactions": "log.tsv",
        "names": ["user", "item", "timestamp"],
        "quoted": False,
        "time_unit": "ms",
    }
    data = FilesSpec.model_validate(spec).load(tmp_path, 1)
    assert data.interactions.timestamp is not None
    assert data.interactions.timestamp.tolist() == [5, 20240]
    assert data.items.strings == ['"x', 'y"']
    assert data.facts["warnings"] == []


def test_a_folder_says_which_loader_would_fit(tmp_path: Path) -> None:
    atomic(tmp_path)
    with pytest.raises(
        UsageError, match=r"holds no .*index\.json, .*; its files look like 'dataset: recbole'"
    ):
        load(SemanticIdsSpec, tmp_path)
    with pytest.raises(UsageError, match=r"holds no MovieLens release.*'dataset: recbole'"):
        load(MovieLensSpec, tmp_path)
    with pytest.raises(UsageError, match=r"ml\.inter is a file; give the folder"):
        load(RecBoleSpec, tmp_path / "ml.inter")
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"holds no \*\.inter, which dataset 'recbole' reads$"):
        load(RecBoleSpec, outer)
    (outer / "data.zip").write_bytes(b"PK")
    with pytest.raises(UsageError, match=r"; unpack data\.zip first$"):
        load(RecBoleSpec, outer)
    atomic(outer / "inner")
    with pytest.raises(UsageError, match=r"; did you mean '.*inner'\?$"):
        load(RecBoleSpec, outer)


def test_every_layout_has_a_loader_of_that_name(tmp_path: Path) -> None:
    for loader, layouts in LAYOUTS.items():
        spec = DATASETS.get(loader)
        assert spec.summary
        assert getattr(spec, "loader", loader) == loader
        assert issubclass(spec, FolderSpec)
        for number, layout in enumerate(layouts):
            folder = tmp_path / f"{loader}-{number}"
            folder.mkdir()
            for name in layout:
                (folder / name.replace("*", "X")).write_text("x")
            assert recognise(folder) == loader
