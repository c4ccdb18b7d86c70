"""Label files: strict, and every fault is one sentence with its place."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.audit.audit import audit_judge, audit_judges
from genrec_eval.judging.audit.labels import NothingJoined, join, labels_of, load_labels
from genrec_eval.judging.audit.verdicts import verdicts_of
from genrec_eval.judging.rows import judgement_table

PAIR = {"scenario": "s", "judge": "j", "rubric": "r", "task": "pairwise", "order": "given", "status": "ok"}


def judged(*cases: tuple[str, str, str]) -> pa.Table:
    return judgement_table(
        [
            {**PAIR, "case": c, "unit": c, "model": m, "other": o, "value": 1.0, "sample": 0}
            for c, m, o in cases
        ]
    )


def test_csv_jsonl_and_parquet_read_the_same(tmp_path: Path) -> None:
    rows = {"case": ["a", "b"], "annotator": ["p", "p"], "label": ["first", "tie"]}
    (tmp_path / "l.csv").write_text("case,annotator,label\na,p,first\nb,p,tie\n")
    (tmp_path / "l.jsonl").write_text(
        '{"case": "a", "annotator": "p", "label": "first"}\n{"case": "b", "annotator": "p", "label": "tie"}\n'
    )
    pq.write_table(pa.table(rows), tmp_path / "l.parquet")
    for name in ("l.csv", "l.jsonl", "l.parquet"):
        found = load_labels(tmp_path / name)
        assert (found.case, found.value.tolist(), found.pairwise) == (("a", "b"), [1.0, 0.5], True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case,anotator,label\na,p,first\n", "unknown column 'anotator'; did you mean 'annotator'?"),
        ("case,label\na,first\n", "has no column 'annotator'"),
        ("case,annotator\na,p\n", "neither a column 'label'"),
        ("case,annotator,label\na,p,frist\n", "line 2, column 'label': 'frist' is none of"),
        ("case,annotator,label\na,p,first\nb,p,\n", "line 3, column 'label': there is no value"),
        ("case,annotator,score\na,p,high\n", "line 2, column 'score': 'high' is not a finite number"),
        ("case,annotator,score\na,p,inf\n", "is not a finite number"),
        ("case,annotator,label\n,p,first\n", "line 2, column 'case': there is no value"),
    ],
)
def test_a_label_file_at_fault_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_labels(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_has_a_near_name(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("case,annotator,label\na,p,first\n")
    with pytest.raises(UsageError, match=r"no such label file.*did you mean 'labels\.csv'"):
        load_labels(tmp_path / "label.csv")


def test_labels_of_nothing_judged_of_another_kind_or_said_twice() -> None:
    verdicts = verdicts_of(judged(("a", "m", "o")))
    none = labels_of(pa.table({"case": ["x"], "annotator": ["p"], "label": ["first"]}))
    with pytest.raises(
        NothingJoined, match="none of its 1 labels, such as that of 'x', is about anything judged"
    ):
        join(none, verdicts)
    scores = labels_of(pa.table({"case": ["a"], "annotator": ["p"], "score": [3.0]}))
    with pytest.raises(NothingJoined, match="holds scores, and judge 'j' needs labels of pairs"):
        join(scores, verdicts)
    twice = labels_of(pa.table({"case": ["a", "a"], "annotator": ["p", "p"], "label": ["first", "tie"]}))
    with pytest.raises(UsageError, match="labels case 'a' twice, and differently"):
        join(twice, verdicts)


def test_a_label_that_could_be_about_several_models_is_refused() -> None:
    verdicts = verdicts_of(judged(("a", "m", "o"), ("a", "n", "o")))
    vague = labels_of(pa.table({"case": ["a"], "annotator": ["p"], "label": ["first"]}))
    with pytest.raises(UsageError, match="could be about 2 models; add the columns model and other"):
        join(vague, verdicts)
    exact = labels_of(pa.table({"case": ["a"], "model": ["n"], "annotator": ["p"], "label": ["n"]}))
    assert join(exact, verdicts).votes[1].tolist() == [1.0]


def test_several_judges_may_use_one_label_file_but_one_must() -> None:
    both = pa.concat_tables(
        [judged(("a", "m", "o")), judgement_table([{**PAIR, "task": "pointwise", "order": None, "case": "a",
                                                    "unit": "a", "model": "m", "value": 3.0, "sample": 0}])]
    )  # fmt: skip
    labels = labels_of(pa.table({"case": ["a"], "annotator": ["p"], "label": ["first"]}))
    pairs, scores = audit_judges(both, labels, seed=1)
    assert pairs.human is not None
    assert "holds labels of pairs" in scores.missing["human"]
    other = labels_of(pa.table({"case": ["x"], "annotator": ["p"], "label": ["first"]}))
    with pytest.raises(UsageError, match="none of its 1 labels"):
        audit_judges(both, other, seed=1)


def test_unknown_ids_are_a_remark_of_the_audit() -> None:
    said = {"case": ["a", "x", "y", "x"], "annotator": list("ppqq"), "label": ["first"] * 4}
    found = audit_judge(judged(("a", "m", "o")), labels_of(pa.table(said), "people.csv"), seed=1)
    assert found.remarks == ("people.csv: 3 of 4 labels are about ids that were not judged ('x', 'y')",)
