"""NineRec, KuaiRec and MIND."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.loaders.folder import FolderSpec
from genrec_eval.data.loaders.kuairec import KuaiRecSpec
from genrec_eval.data.loaders.mind import MindSpec
from genrec_eval.data.loaders.ninerec import NineRecSpec
from genrec_eval.protocol.arrays import Ragged


def load(cls: type[FolderSpec], folder: Path, **options: Any) -> Dataset:
    return cls.model_validate({"path": str(folder), **options}).load(Path(), 1)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        (folder / f"{stem}.{ending}").write_text(text, encoding="utf-8")
    return folder


def lists(data: Dataset, ragged: Ragged | None) -> list[list[str]]:
    assert ragged is not None
    return [data.items.decode(ragged[row]).to_pylist() for row in range(len(ragged))]


ITEM = 'v1,韩国电影，《女教师》,"Korean Movie, The ""Governess"""\nv2,二,Two\nv3,,\n'


def test_ninerec_pairs(tmp_path: Path) -> None:
    write(tmp_path, DY_pair_csv="u1,v1,1600000000\nu2,v1,1600000005\nu1,v2,1599999999\n", DY_item_csv=ITEM)
    data = load(NineRecSpec, tmp_path)
    assert data.name == "ninerec DY"
    assert (len(data.users), len(data.items), len(data.interactions)) == (2, 3, 3)
    assert data.items.decode(data.interactions.item).to_pylist() == ["v2", "v1", "v1"]
    assert data.item_table.to_pylist()[0] == {
        "item": "v1",
        "title": 'Korean Movie, The "Governess"',
        "aliases": ["韩国电影，《女教师》"],
    }
    chinese = load(NineRecSpec, tmp_path, language="zh")
    assert chinese.item_table["title"].to_pylist()[1] == "二"


def test_ninerec_pairs_with_the_item_first(tmp_path: Path) -> None:
    write(tmp_path, BL_pair_csv="7,1,1600000000\n8,1,1600000001\n", BL_item_csv="7,a,A\n8,b,B\n")
    assert load(NineRecSpec, tmp_path).users.strings == ["1"]
    (tmp_path / "BL_item.csv").unlink()
    with pytest.raises(UsageError, match="say order: user-item or item-user"):
        load(NineRecSpec, tmp_path)
    assert load(NineRecSpec, tmp_path, order="user-item").users.strings == ["7", "8"]


def test_ninerec_sequences_and_several_domains(tmp_path: Path) -> None:
    write(tmp_path, QB_behaviour_tsv="u1\tv3 v1 v2\nu2\tv1\n", QB_item_csv=ITEM, QB_pair_csv="u9,v1\n")
    data = load(NineRecSpec, tmp_path, interactions="behaviour")
    assert data.interactions.timestamp is None
    assert data.items.decode(data.interactions.item).to_pylist() == ["v3", "v1", "v2", "v1"]
    assert load(NineRecSpec, tmp_path).users.strings == ["u9"]
    write(tmp_path, TN_pair_csv="u1,v1\n", TN_item_csv=ITEM)
    with pytest.raises(
        UsageError, match=r"several files \*_item\.csv \(QB_item\.csv, TN_item\.csv\); say which"
    ):
        load(NineRecSpec, tmp_path)
    assert load(NineRecSpec, tmp_path, domain="TN").name == "ninerec TN"


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("u1\n", r"X_pair\.csv line 1 has 1 fields where a user, an item and maybe a time"),
        ("u1,v1,1\nu2\n", r"X_pair\.csv line 2 has 1 fields where 3 are expected"),
        ("u1,v1,1\nu2,,2\n", r"X_pair\.csv line 2, column 'item': the item is missing"),
    ],
)
def test_ninerec_faults(tmp_path: Path, pair: str, sentence: str) -> None:
    write(tmp_path, X_pair_csv=pair, X_item_csv=ITEM)
    with pytest.raises(UsageError, match=sentence):
        load(NineRecSpec, tmp_path)


HEAD = "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
BIG = HEAD + (
    "0,3649,13838,10867,2020-07-05 00:08:23.438,20200705,1593878903.438,1.27\n"
    "0,9598,13665,10984,2020-07-05 00:13:41.297,20200705,1593879221.297,1.24\n"
    "14,3649,851,7908,2020-07-05 00:16:06.687,20200705,1593879366.687,0.1\n"
    "0,3649,13838,10867,2020-07-05 01:08:23.438,20200705,1593882503.438,0.5\n"
)
SMALL = HEAD + (
    "14,148,4381,6067,2020-07-05 05:27:48.378,20200705,1593898068.378,2.5\n"
    "14,183,11635,6100,,,,1.9\n"
    "14,3649,22422,10867,2020-07-05 05:29:09.479,20200705,1593898149.479,3.1\n"
    "19,148,4479,6067,2020-07-05 05:30:43.285,20200705,1593898243.285,0.73\n"
)


def kuairec(folder: Path) -> Path:
    (folder / "big_matrix.csv").write_text(BIG)
    (folder / "small_matrix.csv").write_text(SMALL)
    (folder / "item_categories.csv").write_text('video_id,feat\n148,"[27, 9]"\n183,[8]\n')
    (folder / "user_features.csv").write_text(
        "user_id,user_active_degree,is_video_author\n0,high_active,0\n14,,1\n"
    )
    return folder


def test_kuairec_tests_on_the_observed_matrix(tmp_path: Path) -> None:
    data = load(KuaiRecSpec, kuairec(tmp_path))
    assert (len(data.users), len(data.items), len(data.interactions)) == (3, 4, 4)
    given = data.given
    assert given is not None
    assert data.users.decode(given.user).to_pylist() == ["14", "19"]
    assert lists(data, given.candidates) == [["148", "183", "3649"], ["148"]]
    assert lists(data, given.truth) == [["148", "3649"], []]
    assert lists(data, given.history) == [["3649"], []]
    assert data.facts["candidates_in_training"] == 1
    assert data.item_table.to_pylist()[0] == {"item": "148", "genres": ["27", "9"]}
    assert data.user_table["activity"].to_pylist() == ["high_active", None, None]
    assert data.interactions.rating is not None
    assert data.interactions.rating.tolist() == pytest.approx([1.27, 1.24, 0.1, 0.5])
    easier = load(KuaiRecSpec, tmp_path, relevant=0.7).given
    assert easier is not None
    assert lists(data, easier.truth) == [["148", "183", "3649"], ["148"]]


def test_kuairec_one_matrix(tmp_path: Path) -> None:
    small = load(KuaiRecSpec, kuairec(tmp_path), matrix="small")
    assert small.given is None
    assert len(small.interactions) == 3
    assert "1 rows of small_matrix.csv without a timestamp are dropped" in small.facts["warnings"]
    whole = load(KuaiRecSpec, tmp_path, matrix="small", untimed="forget")
    assert (len(whole.interactions), whole.interactions.timestamp) == (4, None)
    assert len(load(KuaiRecSpec, tmp_path, matrix="big").interactions) == 4


def test_kuairec_captions(tmp_path: Path) -> None:
    levels = ",".join(f"{level}_level_category_name" for level in ("first", "second", "third"))
    (kuairec(tmp_path) / "kuairec_caption_category.csv").write_text(
        f"video_id,manual_cover_text,caption,{levels}\n"
        "148,UNKNOWN,A caption,Food,Noodles,UNKNOWN\n183,x\n broken,y,b,c,d,e\nbroken,y,b,c,d,e\n",
        encoding="utf-8",
    )
    data = load(KuaiRecSpec, tmp_path)
    assert data.item_table.to_pylist()[0] == {
        "item": "148",
        "title": "A caption",
        "genres": ["Food", "Noodles"],
    }
    told = " ".join(data.facts["warnings"])
    assert "rows with too few or too many fields" in told
    assert "2 rows of kuairec_caption_category.csv whose video_id is no number" in told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            BIG.replace(",1.27", ",much"),
            r"big_matrix\.csv line 2, column 'watch_ratio': 'much' is not a number",
        ),
        (BIG.replace("watch_ratio", "ratio"), r"big_matrix\.csv has no column 'watch_ratio'"),
        (
            BIG.replace("1593878903.438", ""),
            r"small_matrix\.csv line 2, column 'user_id': the user is missing",
        ),
    ],
)
def test_kuairec_faults(tmp_path: Path, text: str, sentence: str) -> None:
    (kuairec(tmp_path) / "big_matrix.csv").write_text(text)
    if "small" in sentence:
        (tmp_path / "small_matrix.csv").write_text(SMALL.replace("14,148", ",148"))
    with pytest.raises(UsageError, match=sentence):
        load(KuaiRecSpec, tmp_path)


TRAIN = (
    "1\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN3-0 N4-1 N5-1\n"
    "2\tU2\t11/11/2019 12:05:00 PM\t\tN3-1\n"
    "3\tU1\t11/10/2019 9:05:58 PM\tN1 N2\tN6-1 N3-0\n"
)
DEV = "1\tU1\t11/15/2019 8:55:22 AM\tN1 N2 N4\tN7-0 N3-1\n2\tU3\t11/15/2019 8:55:23 AM\tN9\tN8-1 N3-0\n"
NEWS = (
    'N1\tsports\tfootball\tThe "best\tTeam wins\thttps://x\t[]\t[]\n'
    "N2\tnews\tnews\tSecond\t\thttps://x\t[]\t[]\n"
)


def mind(folder: Path) -> Path:
    write(folder / "MINDsmall_train", behaviors_tsv=TRAIN, news_tsv=NEWS)
    write(
        folder / "MINDsmall_dev",
        behaviors_tsv=DEV,
        news_tsv=NEWS + "N3\thealth\tx\tThird\tA\thttps\t[]\t[]\n",
    )
    return folder


def test_mind_impressions_are_given_cases(tmp_path: Path) -> None:
    data = load(MindSpec, mind(tmp_path))
    given = data.given
    assert given is not None
    assert data.users.decode(given.user).to_pylist() == ["U1", "U3"]
    assert lists(data, given.history) == [["N1", "N2", "N4"], ["N9"]]
    assert lists(data, given.candidates) == [["N7", "N3"], ["N8", "N3"]]
    assert lists(data, given.truth) == [["N3"], ["N8"]]
    assert given.timestamp is not None
    assert given.timestamp.tolist() == [1573808122, 1573808123]
    log = data.interactions
    assert data.items.decode(log.item).to_pylist() == ["N6", "N4", "N5", "N3"]
    assert log.timestamp is not None
    assert log.timestamp[0] == 1573419958
    assert data.item_table.to_pylist()[0] == {
        "item": "N1",
        "title": 'The "best',
        "description": "Team wins",
        "genres": ["sports", "football"],
    }
    assert data.item_table["genres"].to_pylist()[1] == ["news"]
    assert data.facts["items_added_from_interactions"] == 6
    assert len(data.facts["files"]) == 4
    assert load(MindSpec, tmp_path / "MINDsmall_dev").digest == data.digest


def test_mind_histories_as_training(tmp_path: Path) -> None:
    data = load(MindSpec, mind(tmp_path), training="histories")
    assert data.interactions.timestamp is None
    by_user: dict[str, list[str]] = {}
    for user, item in zip(
        data.users.decode(data.interactions.user).to_pylist(),
        data.items.decode(data.interactions.item).to_pylist(),
        strict=True,
    ):
        by_user.setdefault(user, []).append(item)
    assert by_user == {"U1": ["N1", "N2", "N6", "N4", "N5"], "U2": ["N3"], "U3": ["N9"]}


def test_mind_without_training(tmp_path: Path) -> None:
    write(tmp_path / "only", behaviors_tsv=DEV)
    data = load(MindSpec, tmp_path / "only")
    assert len(data.interactions) == 0
    assert data.given is not None
    assert len(data.given) == 2
    assert len(data.items) == 7
    assert any("no training part" in text for text in data.facts["warnings"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "1\tU1\t11/15/2019 8:55:22 AM\tN1\tN7 N3\n",
            r"line 1, column 'impressions': 'N7' does not end in -1",
        ),
        (DEV + "1\tU1\n", r"behaviors\.tsv line 3 has 2 fields where 5 are expected"),
        (DEV.replace("11/15/2019 8:55:23 AM", "2019"), r"line 2, column 'time': '2019' is no time like"),
        ("", r"behaviors\.tsv is empty"),
        (DEV.replace("U3", ""), r"behaviors\.tsv line 2, column 'user': the user is missing"),
    ],
)
def test_mind_faults(tmp_path: Path, text: str, sentence: str) -> None:
    write(tmp_path / "x", behaviors_tsv=text)
    with pytest.raises(UsageError, match=sentence):
        load(MindSpec, tmp_path / "x")
