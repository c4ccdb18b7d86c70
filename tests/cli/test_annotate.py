"""``genrec-eval annotate`` from a run to corrected figures; a run without annotations knows nothing of it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import genrec_eval
from genrec_eval.api import Run, score
from genrec_eval.cli.main import exit_code

HERE = Path(__file__).parent
WORKSHOP = HERE.parent / "engine" / "judging_workshop.py"
WRITERS = """
import json, re
from pathlib import Path
from genrec_eval.judging.fence import read_fences

def number(text):
    return int(re.findall(r"film-(\\d+)", text)[0])

def zanzibar(request):
    n = number(request.messages[-1].content)
    more = " Again." if Path("replayed").exists() and n < 4 else ""
    return f"=film-{n} is good {n % 5} times over.{more}"

def quokka(request):
    n = number(request.messages[-1].content)
    return f"=film-{n} is good {n % 5} times over." if n == 1 else f"film-{n} is bad {n % 3} times over."

def judge(request):
    shown = read_fences(request.messages[-1].content)
    if "answer" in shown:
        counted = int(re.findall(r"(\\d) times", shown["answer"])[0])
        return json.dumps({"reason": "counted", "score": 1 + counted})
    good = ["good" in shown[name] for name in ("answer_a", "answer_b")]
    return json.dumps({"reason": "likes good", "verdict": "A" if good[0] else "B"})
"""
COUNT = "rubric_score(judge=rules,rubric=helpfulness)"


def suite() -> dict[str, Any]:
    python = {"adapter": "python", "kinds": ["chat"]}
    return {
        "name": "annotated",
        "seed": 5,
        "models": {name: {**python, "target": f"writers.py:{name}"} for name in ("zanzibar", "quokka")},
        "judges": {"rules": {"model": {**python, "target": "writers.py:judge"}}},
        "scenarios": {
            "notes": {
                "scenario": "judging_workshop.py:Notes",
                "options": {"cases": 60},
                "judging": [
                    {"judge": "rules", "rubric": "helpfulness"},
                    {"judge": "rules", "rubric": "helpfulness", "task": "pairwise", "against": "quokka"},
                ],
            }
        },
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("annotated")
    (folder / "judging_workshop.py").write_text(WORKSHOP.read_text())
    (folder / "writers.py").write_text(WRITERS)
    before = Path.cwd()
    os.chdir(folder)
    try:
        genrec_eval.run(suite(), out=folder / "run", quiet=True, report=False)
        yield folder
    finally:
        os.chdir(before)


@pytest.fixture
def run(played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of one's own, in a folder where its suite's files lie."""
    shutil.copytree(played, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here" / "run"


def export(run: Path, *words: str) -> None:
    assert exit_code(["annotate", "export", str(run), "--rubric", "helpfulness", *words]) == 0


def fill(path: Path, says: Callable[[dict[str, str]], str]) -> Path:
    """Fill in a csv sheet in its place."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    answer = next(name for name in ("score", "winner", "verdict") if name in rows[0])
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, answer: says(row)})
    path.write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    return path


def times(row: dict[str, str]) -> str:
    """A person who is one more severe than the judge, and now and then another one."""
    counted = int(row["answer"].rpartition(" times")[0][-1])
    film = int(row["question"].partition("-")[2].rstrip("?"))
    return str(max(1, counted + (film % 7 == 0)))


def better(row: dict[str, str]) -> str:
    return "A" if "good" in row["answer_a"] else "B"


def estimates(run: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = json.loads((run / "estimates.json").read_text())["estimates"]
    return {
        (row["metric"], row["model"]): row
        for row in rows
        if row["slice"] == "all" and row["baseline"] is None
    }


def test_from_sheets_to_corrected_figures(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {
        name: (run / name).read_bytes() for name in ("estimates.json", "scores.parquet", "judgements.parquet")
    }
    export(run, "--sample", "30", "--annotators", "ana,ben", "--overlap", "0.4", "-o", "sheets")
    said = capsys.readouterr()
    assert "30 cases; items: ana 42, ben 42; 12 of the cases go to everybody" in said.out
    assert sorted(path.name for path in Path("sheets").iterdir()) == [
        "HOW-TO.txt",
        "ana.csv",
        "ana.html",
        "ben.csv",
        "ben.html",
    ]
    score(run)  # an export alone changes nothing
    assert {name: (run / name).read_bytes() for name in before} == before
    for name in ("ana", "ben"):
        fill(Path("sheets") / f"{name}.csv", times)
    assert exit_code(["annotate", "import", str(run), "sheets/ana.csv", "sheets/ben.csv"]) == 0
    said = capsys.readouterr()
    assert "ana: 42 answers\n" in said.out
    assert "84 annotations" in said.out
    score(run)
    found, old = estimates(run), json.loads(before["estimates.json"])["estimates"]
    new = json.loads((run / "estimates.json").read_text())["estimates"]
    known = {(row["metric"], row["model"], row["slice"], row["baseline"]): row for row in new}
    assert all(known[row["metric"], row["model"], row["slice"], row["baseline"]] == row for row in old)
    people = found["rubric_score(judge=human,rubric=helpfulness)", "zanzibar"]
    judge = found[COUNT, "zanzibar"]
    corrected = found["corrected(judge=rules,rubric=helpfulness)", "zanzibar"]
    assert (people["n"], judge["n"], corrected["n"]) == (30, 60, 60)
    assert corrected["interval"].startswith("ppi++, λ 0.")
    assert "30 labelled and 30 judged alone" in corrected["interval"]
    assert corrected["high"] - corrected["low"] < 0.85 * (people["high"] - people["low"])
    films = range(60)
    truth = sum(max(1, n % 5 + (n % 7 == 0)) for n in films) / 60
    assert corrected["low"] < truth < corrected["high"]
    assert judge["value"] - truth > 0.5
    ceiling = found["human_agreement(judge=human,rubric=helpfulness)", "zanzibar"]
    assert (ceiling["n"], ceiling["value"]) == (12, 1.0)
    assert 0.75 < found["human_agreement(judge=rules,rubric=helpfulness)", "zanzibar"]["value"] < 0.9
    assert "Corrected by people" in (run / "report.html").read_text()


def test_pairs_are_turned_back_and_identical_ones_are_ties(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(run, "--against", "quokka", "-o", "pairs")
    assert "1 pairs of identical texts are ties" in capsys.readouterr().out
    fill(Path("pairs/annotator-1.csv"), better)
    assert exit_code(["annotate", "import", str(run), "pairs/annotator-1.csv", "-q"]) == 0
    assert capsys.readouterr().out == ""
    score(run)
    found = estimates(run)
    wins = found["win_rate(against=quokka,judge=human,rubric=helpfulness)", "zanzibar"]
    assert wins["value"] == pytest.approx(59.5 / 60)
    rows = pq.read_table(run / "annotations.parquet").to_pylist()
    assert {row["order"] for row in rows} == {"given", "swapped"}
    assert {row["judge"] for row in rows} == {"human:annotator-1"}
    agreement = found[
        "human_agreement(against=quokka,judge=rules,rubric=helpfulness,task=pairwise)", "zanzibar"
    ]
    assert (agreement["value"], agreement["n"]) == (1.0, 59)


def test_a_rubric_that_no_judge_was_put_is_scored_by_people_alone(run: Path) -> None:
    assert (
        exit_code(["annotate", "export", str(run), "--rubric", "fluency", "--sample", "10", "-o", "out"]) == 0
    )
    fill(Path("out/annotator-1.csv"), lambda row: "4")
    assert exit_code(["annotate", "import", str(run), "out/annotator-1.csv"]) == 0
    score(run)
    found = estimates(run)
    assert found["rubric_score(judge=human,rubric=fluency)", "quokka"]["value"] == 4
    assert not [metric for metric, _ in found if "fluency" in metric and "corrected" in metric]


def test_a_run_without_judges_can_be_annotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judging_workshop.py").write_text(WORKSHOP.read_text())
    (tmp_path / "writers.py").write_text(WRITERS)
    plain = suite()
    del plain["judges"]
    del plain["scenarios"]["notes"]["judging"]
    done: Run = genrec_eval.run(plain, out=tmp_path / "run", quiet=True, report=False)
    export(done.path, "--sample", "10", "-o", "out")
    fill(Path("out/annotator-1.csv"), times)
    assert exit_code(["annotate", "import", str(done.path), "out/annotator-1.csv"]) == 0
    score(done.path)
    assert estimates(done.path)["rubric_score(judge=human,rubric=helpfulness)", "zanzibar"]["n"] == 10


def test_annotations_of_texts_that_are_no_more_do_not_count(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(run, "-o", "out")
    fill(Path("out/annotator-1.csv"), times)
    assert exit_code(["annotate", "import", str(run), "out/annotator-1.csv"]) == 0
    Path("replayed").touch()
    shutil.move(run / "annotations", "annotations")
    shutil.move(run / "annotations.parquet", "annotations.parquet")
    genrec_eval.run(suite(), out=run, quiet=True, report=False, fresh=True)
    shutil.move("annotations", run / "annotations")
    shutil.move("annotations.parquet", run / "annotations.parquet")
    score(run)
    found = estimates(run)["rubric_score(judge=human,rubric=helpfulness)", "zanzibar"]
    assert (found["n"], found["excluded"]) == (56, {"not-judged": 4})
    told = {row["model"]: str(row) for row in json.loads((run / "estimates.json").read_text())["coverage"]}
    assert "4 annotations are about texts that the run no longer holds" in told["zanzibar"]
    assert "no longer holds" not in told["quokka"]
    capsys.readouterr()
    assert exit_code(["annotate", "import", str(run), "out/annotator-1.csv"]) == 0
    assert "4 are about texts that the run no longer holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--scenario", "note"], "has no scenario 'note'; did you mean 'notes'?"),
        (["--rubric", "helpfullness"], "unknown rubric 'helpfullness'; did you mean 'helpfulness'?"),
        (["--task", "listwise"], "people are not asked tasks of the kind 'listwise'"),
        (["--against", "quoka"], "scenario 'notes' has no model 'quoka'; did you mean 'quokka'?"),
        (["--task", "claims", "--against", "quokka"], "--against is for --task pairwise"),
        (["--annotators", "ana,ana"], "annotator 'ana' is named twice"),
        (["-o", "run/annotations/x"], "lies beside the key"),
    ],
)
def test_what_cannot_be_exported_is_said(
    run: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["annotate", "export", "run", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_sheet_that_was_filled_in_is_not_written_over(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(run, "-o", "out")
    export(run, "-o", "out")  # the same once more
    fill(Path("out/annotator-1.csv"), times)
    capsys.readouterr()
    assert exit_code(["annotate", "export", "run", "--rubric", "helpfulness", "-o", "out"]) == 2
    assert "is there and may have been filled in" in capsys.readouterr().err


def test_imports_at_fault_store_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("item,score\nx-1-1,3\n")
    assert exit_code(["annotate", "import", str(run), "a.csv"]) == 2
    assert "begin with: genrec-eval annotate export" in capsys.readouterr().err
    export(run, "-o", "out")
    capsys.readouterr()
    assert exit_code(["annotate", "import", str(run), "a.csv"]) == 2
    assert (
        "a.csv:2: item 'x-1-1' is of a sheet that was not exported from this run" in capsys.readouterr().err
    )
    assert exit_code(["annotate", "import", str(run), "out/annotator-1.csv"]) == 2
    assert "nothing is filled in: 120 rows, all of them blank" in capsys.readouterr().err
    assert not (run / "annotations.parquet").exists()


def test_a_judge_named_human_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = json.loads((run / "run.json").read_text())
    raw["suite"]["judges"]["human"] = raw["suite"]["judges"]["rules"]
    (run / "run.json").write_text(json.dumps(raw))
    assert exit_code(["annotate", "export", str(run), "--rubric", "helpfulness"]) == 2
    assert "has a judge named 'human'" in capsys.readouterr().err


def test_annotations_are_kept_when_the_suite_is_run_again(run: Path) -> None:
    export(run, "-o", "out")
    fill(Path("out/annotator-1.csv"), times)
    assert exit_code(["annotate", "import", str(run), "out/annotator-1.csv"]) == 0
    kept = (run / "annotations.parquet").read_bytes()
    done = genrec_eval.run(suite(), out=run, quiet=True, report=False)
    assert (done.path / "annotations.parquet").read_bytes() == kept
    assert estimates(run)["rubric_score(judge=human,rubric=helpfulness)", "zanzibar"]["n"] == 60
