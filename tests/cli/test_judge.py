"""``genrec-eval judge``: audits of a run on the command line, and what is shipped to judge with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import genrec_eval
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import Exit


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = exit_code(["judge", *arguments])
    told = capsys.readouterr()
    return code, told.out + told.err


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which two judges were probed."""
    plan = {
        "name": "probed",
        "seed": 7,
        "models": {
            "slot": {"adapter": "reference", "model": "first-slot-judge"},
            "mumbler": {"adapter": "reference", "model": "mumbling-judge", "options": {"share": 0.6}},
        },
        "scenarios": {
            "probe": {"scenario": "judge-probe", "options": {"bases": 12, "probes": ["known", "identical"]}}
        },
    }
    return genrec_eval.run(
        plan, out=tmp_path_factory.mktemp("runs") / "probed", quiet=True, report=False
    ).path


def test_audit_says_what_is_wrong_and_writes_a_page_each(
    probed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(["audit", str(probed), "-o", str(tmp_path)], capsys)
    assert code == Exit.PASS
    assert "It prefers one of the two slots, whatever stands in it" in told
    assert "Too many of its answers hold no verdict" in told
    assert "between 35 % and 65 %" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["judge-mumbler.html", "judge-slot.html"]
    for path in tmp_path.iterdir():
        assert str(path) in told.replace("\n", "")


def test_one_judge_into_one_file(probed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "slot.html"
    code, told = run(["audit", str(probed), "--judge", "slot", "-o", str(page)], capsys)
    assert code == Exit.PASS
    assert "mumbler" not in told
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    code, told = run(["audit", str(probed), "-o", str(page)], capsys)
    assert code == Exit.USAGE
    assert "can hold one judge, and the run has 2" in told


def test_json_is_strict_and_whole(probed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(["audit", str(probed), "--json"], capsys)
    assert code == Exit.PASS
    found = {one["judge"]: one for one in json.loads(told, parse_constant=pytest.fail)}
    assert list(found) == ["slot", "mumbler"]
    (fault,) = [one for one in found["slot"]["findings"] if "two slots" in one["claim"]]
    assert (fault["kind"], fault["measure"]["value"]) == ("FINDING", 1.0)
    parts = found["slot"]["parts"]
    assert [part["audit"]["task"] for part in parts] == ["pairwise", "pointwise"]
    assert parts[0]["probe"]["position_consistency"]["value"] == 0.0
    assert parts[0]["audit"]["human"] is None
    assert parts[0]["audit"]["missing"]["human"]


def test_wrong_names_get_one_sentence(
    probed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        ([str(probed), "--judge", "slott"], "has no judge 'slott'; did you mean 'slot'?"),
        ([str(probed), "--own", "me"], "--own 'me': the run has no such model"),
        ([str(probed), "--labels", str(tmp_path / "no.csv")], "no such label file"),
        ([str(tmp_path)], ""),
    ):
        code, told = run(["audit", *arguments], capsys)
        assert code == Exit.USAGE
        assert told.startswith("error: ")
        assert said in told
        assert "Traceback" not in told


def test_a_run_without_judges_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = {
        "name": "none",
        "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 100}}},
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "world"}},
    }
    done = genrec_eval.run(plan, out=tmp_path / "run", quiet=True, report=False)
    code, told = run(["audit", str(done.path)], capsys)
    assert code == Exit.USAGE
    assert "has no judges: nothing in it was judged" in told


def test_dialects_and_rubrics_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = run(["list"], capsys)
    assert code == Exit.PASS
    for name in ("mtbench-pair", "prometheus-absolute", "faithfulness", "coverage"):
        assert name in told
    code, told = run(["show", "mtbench-pair"], capsys)
    assert code == Exit.PASS
    assert "<answer 2>" in told
    assert '<data name="answer_b"' in told
    code, told = run(["show", "json", "--task", "claims", "--no-fence"], capsys)
    assert "pairwise" not in told
    assert "<another claim>" in told
    assert "<data" not in told
    code, told = run(["show", "faithfulness"], capsys)
    assert "scale 1 to 5" in told
    code, told = run(["show", "mtbench"], capsys)
    assert code == Exit.USAGE
    assert "did you mean 'mtbench-pair'" in told
    code, told = run(["show", "llmbar", "--task", "pointwise"], capsys)
    assert "has no words for pointwise tasks, only for pairwise" in told


def test_every_dialect_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    from genrec_eval.judging.dialect import dialects
    from genrec_eval.judging.rubric import rubrics

    for name in [*dialects(), *rubrics()]:
        assert run(["show", name], capsys)[0] == Exit.PASS
