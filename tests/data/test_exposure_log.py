"""Exposure logs: the same from every format, and a sentence with its place for whatever is wrong."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.data.experiments.exposures import Exposures
from genrec_eval.data.experiments.spec import ExposureLogSpec

HEAD = "user,arm,day,clicks,was,country"
ROWS = [
    "u2,B,2024-03-02,1,4,DE",
    "u1,A,2024-03-01,2,3,FR",
    "u1,A,2024-03-03,,3,",
    "u3,B,2024-03-05,0,,DE",
]
OPTIONS: dict[str, Any] = {"outcomes": ["clicks"], "before": {"clicks": "was"}, "groups": ["country"]}


def write(folder: Path, rows: list[str], head: str = HEAD, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def load(folder: Path, rows: list[str], head: str = HEAD, **options: Any) -> Exposures:
    path = write(folder, rows, head)
    return ExposureLogSpec.model_validate({"path": str(path), **OPTIONS, **options}).load(folder, 0)


def check(log: Exposures) -> None:
    assert log.users.to_pylist() == ["u1", "u2", "u3"]
    assert (log.arms, log.arm.tolist()) == (("A", "B"), [0, 1, 1])
    placed = sorted(zip(log.user.tolist(), log.day.tolist(), log.outcomes["clicks"].tolist(), strict=True))
    assert placed[0] == (0, 0, 2.0)
    assert placed[1][:2] == (0, 2)
    assert np.isnan(placed[1][2])
    assert placed[2:] == [(1, 1, 1.0), (2, 4, 0.0)]
    np.testing.assert_array_equal(log.before["clicks"], [3, 4, np.nan])
    assert log.groups["country"].to_pylist() == ["FR", "DE", "DE"]
    assert (log.start, log.days, log.label(4)) == (datetime.date(2024, 3, 1), 5, "2024-03-05")
    assert log.facts["arms"] == {"A": 1, "B": 2}
    assert log.facts["rows_without_outcome"] == {"clicks": 1}


def test_the_same_from_csv_parquet_and_json_lines(tmp_path: Path) -> None:
    check(load(tmp_path, ROWS))
    names = HEAD.split(",")
    cells = [dict(zip(names, row.split(","), strict=True)) for row in ROWS]
    rows = [
        {k: None if v == "" else float(v) if k in ("clicks", "was") else v for k, v in row.items()}
        for row in cells
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    for name in ("log.parquet", "log.jsonl"):
        check(ExposureLogSpec.model_validate({"path": name, **OPTIONS}).load(tmp_path, 0))


@pytest.mark.parametrize("column", ["day", "timestamp"])
def test_days_may_be_numbers_or_moments(tmp_path: Path, column: str) -> None:
    days = ["7", "8", "9"] if column == "day" else ["1709251200", "1709337600", "1709510399"]
    rows = [f"u{i},{'AB'[i % 2]},{day},1" for i, day in enumerate(days)]
    log = load(tmp_path, rows, f"user,arm,{column},clicks", before={}, groups=[])
    assert log.day.tolist() == [0, 1, 2]
    assert log.label(2) == ("day 9" if column == "day" else "2024-03-03")


def test_users_in_several_arms_follow_the_rule(tmp_path: Path) -> None:
    rows = [*ROWS, "u1,B,2024-03-04,5,3,FR"]
    log = load(tmp_path, rows)
    assert log.users.to_pylist() == ["u2", "u3"]
    assert log.facts["users_in_several_arms"] == {"rule": "exclude", "users": 1}
    assert log.groups["country"].to_pylist() == ["DE", "DE"]
    assert log.facts["arms"] == {"A": 0, "B": 2}
    first = load(tmp_path, rows, crossed="first")
    assert first.arm.tolist() == [0, 1, 1]
    assert first.outcomes["clicks"][first.user == 0].tolist()[::2] == [2.0, 5.0]
    with pytest.raises(
        UsageError, match=r"line 6: user 'u1' is in arm 'B' here and was first in 'A'; crossed"
    ):
        load(tmp_path, rows, crossed="refuse")


def test_equal_rows_are_exposures_by_day_and_duplicates_by_moment(tmp_path: Path) -> None:
    kept = load(tmp_path, [*ROWS, ROWS[0]])
    assert len(kept.user) == 5
    assert kept.facts["duplicate_rows"] == {"rule": "keep", "rows": 1}
    assert len(load(tmp_path, [*ROWS, ROWS[0]], duplicates="drop").user) == 4
    with pytest.raises(UsageError, match="line 6 is equal to an earlier row"):
        load(tmp_path, [*ROWS, ROWS[0]], duplicates="refuse")
    moments = [row.replace("2024-03-0", "2024-03-01T10:00:0") for row in ROWS]
    log = load(tmp_path, [*moments, moments[2]], HEAD.replace("day", "timestamp"))
    assert len(log.user) == 4  # two rows without an outcome are equal too
    assert "there twice" in log.facts["warnings"][0]


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        (["u1,A,2024-03-01,1,,"], {}, "holds one arm, 'A'; a comparison needs two"),
        ([*ROWS, ",A,2024-03-01,1,,"], {}, "line 6, column 'user': the user is missing"),
        ([*ROWS, "u4,,2024-03-01,1,,"], {}, "line 6, column 'arm': the arm is missing"),
        ([*ROWS, "u4,A,,1,,"], {}, "line 6, column 'day': the timestamp is missing"),
        ([*ROWS, "u4,A,soon,1,,"], {}, "line 6, column 'day': 'soon' is neither"),
        ([*ROWS, "u4,A,2024-03-01,many,,"], {}, "line 6.*clicks.*many"),
        ([*ROWS, "u4,A,2024-03-01,inf,,"], {}, "line 6, column 'clicks': inf is not a finite number"),
        ([*ROWS, "u4,A,2024-03-01,1e200,,"], {}, "1e.200 is not a finite number of reasonable size"),
        ([*ROWS, "u1,A,2024-03-01,1,5,"], {}, "line 6, column 'was': user 'u1' has another value here"),
        ([*ROWS, "u1,A,2024-03-01,1,3,UK"], {}, "line 6, column 'country': user 'u1' has another value"),
        ([*ROWS, "u4,A,1990-03-01,1,,"], {}, "spans 12,424 days"),
        (ROWS, {"outcomes": ["click"], "before": {}}, "no column 'click'; did you mean 'clicks'"),
        (ROWS, {"columns": {"arm": "am"}}, "no column 'am'; did you mean 'arm'"),
        (ROWS, {"columns": {"arm": "user"}}, None),
        (ROWS, {"shares": {"A": 0.5, "C": 0.5}}, "shares names the arm 'C', which .* does not hold"),
        (ROWS, {"shares": {"A": 0.5}}, "shares says nothing of the arm 'B'"),
        ([f"u{i},a{i},2024-03-01,1,," for i in range(30)], {}, "holds 30 different values, such as 'a0'"),
        (["u1,A,2024-03-01,1,,", "u1,B,2024-03-01,1,,"], {}, "every user is in several arms"),
    ],
)  # fmt: skip
def test_faults_are_named_by_place(
    tmp_path: Path, rows: list[str], options: dict[str, Any], sentence: str | None
) -> None:
    if sentence is None:
        load(tmp_path, rows, **options)  # odd, but every user has an arm
        return
    with pytest.raises(UsageError, match=sentence):
        load(tmp_path, rows, **options)


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("arm", [["A"], ["B"]], "row 1, column 'arm' holds list<.*> where ids"),
        ("day", [1.0, 2.5], "row 2, column 'day': 2.5 is no number of a day"),
        ("day", [True, False], "bool where a date or the number of a day is expected"),
        ("day", [1, None], "row 2, column 'day': the timestamp is missing"),
        ("day", [20240101, 20240102], "reads like a date written YYYYMMDD"),
        ("day", [2**33, 2**33], "is no time of this or a near century"),
        ("clicks", [[1], [2]], "row 1, column 'clicks': '.1.' is not a number"),
        ("clicks", [True, None], None),
    ],
)
def test_cells_of_odd_types(tmp_path: Path, column: str, values: list[Any], sentence: str | None) -> None:
    cells = {"user": ["u1", "u2"], "arm": ["A", "B"], "day": [1, 2], "clicks": [1.0, 2.0], column: values}
    pq.write_table(pa.table(cells), tmp_path / "log.parquet")
    spec = ExposureLogSpec.model_validate({"path": "log.parquet", "outcomes": ["clicks"]})
    if sentence is None:
        np.testing.assert_array_equal(spec.load(tmp_path, 0).outcomes["clicks"], [1.0, np.nan])
        return
    with pytest.raises(UsageError, match=sentence):
        spec.load(tmp_path, 0)


def test_a_log_needs_days(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a column 'day' nor 'timestamp'"):
        load(tmp_path, ["u1,A,1", "u2,B,1"], "user,arm,clicks", before={}, groups=[])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"outcomes": ["a(b)"]}, "cannot be named in a metric"),
        ({"outcomes": []}, "at least 1"),
        ({"outcomes": ["x", "x"]}, "named twice"),
        ({"before": {"views": "was"}}, "'views' is none of the outcomes"),
        ({"columns": {"day": "d", "timestamp": "t"}}, "not both"),
        ({"shares": {"A": 0}}, "greater than 0"),
        ({"crossed": "drop"}, "'exclude', 'first' or 'refuse'"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ExposureLogSpec.model_validate({"path": "log.csv", **options})


def test_what_was_read_decides_the_digest(tmp_path: Path) -> None:
    one = load(tmp_path, ROWS)
    assert one.digest == load(tmp_path, ROWS).digest
    assert one.digest != load(tmp_path, ROWS, crossed="first").digest
    assert one.digest != load(tmp_path, ROWS[:-1]).digest
