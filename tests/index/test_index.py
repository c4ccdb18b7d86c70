"""The page over runs: every run is on it, lines break where runs may not be compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from past_runs import write_run

from genrec_eval.core.errors import Exit, UsageError
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.index import render_index, write_index
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.runs.history import Followed, change, followed, history
from genrec_eval.reporting.runs.past import found_in, past

PASS, FAIL, OPEN, NOT = Ruling.PASS, Ruling.FAIL, Ruling.INSUFFICIENT, Ruling.NOT_RUN


def _followed(*folders: Path) -> Followed:
    runs = sorted((past(folder) for folder in folders), key=lambda run: run.when)
    assert not any(run.reason for run in runs)
    (one,) = followed(runs, Results.load(runs[-1].path))
    return one


def _paths(one: Followed) -> list[list[tuple[float, float]]]:
    """Joined points of the first model."""
    sketch = history([one], one.scenario)
    assert sketch is not None
    rows = next(held for kind, held, _ in sketch.panels[0].layers if kind == "paths")
    groups = dict.fromkeys(row["g"] for row in rows if row["g"].startswith("0."))
    return [[(row["o"], row["y"]) for row in rows if row["g"] == group] for group in groups]


def test_runs_that_may_be_compared_are_joined(tmp_path: Path) -> None:
    one = _followed(*(write_run(tmp_path / f"r{day}", day, {"a": 0.1 * day}) for day in (3, 1, 2)))
    assert one.breaks == {}
    assert _paths(one) == [[(0, pytest.approx(0.1)), (1, pytest.approx(0.2)), (2, pytest.approx(0.3))]]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"data": "d2"}, "data"),
        ({"options": {"k": 5}}, "options of the scenario"),
        ({"definition": "ndcg(gain=exp)@10"}, "definition"),
        ({"limit": 50}, "number of units asked"),
    ],
)
def test_what_else_changes_breaks_the_line(tmp_path: Path, changed: dict[str, Any], what: str) -> None:
    old = [write_run(tmp_path / f"r{day}", day) for day in (1, 2)]
    new = [write_run(tmp_path / f"r{day}", day, **changed) for day in (3, 4)]
    one = _followed(*old, *new)
    assert one.breaks == {2: (what,)}
    assert [len(path) for path in _paths(one)] == [2, 2]
    sketch = history([one], one.scenario)
    assert sketch is not None
    assert [row[-1] for row in sketch.rows[::2]] == ["—", "yes", f"changed: {what}", "yes"]
    assert change(_followed(*old, new[0]))[0] == (
        f"NDCG@10 cannot be compared with the run before; changed: {what}"
    )


def test_a_judge_matters_to_what_it_judged_alone(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / "r1", 1), write_run(tmp_path / "r2", 2, judge="j2")]
    assert _followed(*folders).breaks == {}
    for folder in folders:
        held = json.loads((folder / "estimates.json").read_text())
        held["definitions"]["ndcg@10"]["parameters"] = {"judge": "rules", "rubric": "r"}
        (folder / "estimates.json").write_text(json.dumps(held))
    assert _followed(*folders).breaks == {1: ("judge",)}


def test_a_run_without_the_model_is_not_joined_over(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / "r1", 1),
        write_run(tmp_path / "r2", 2, {"b": 0.1}),
        write_run(tmp_path / "r3", 3),
    ]
    assert [len(path) for path in _paths(_followed(*folders))] == [1, 1]


def test_a_change_is_told_where_the_intervals_do_not_meet(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / "r1", 1, {"a": 0.2, "b": 0.1}),
        write_run(tmp_path / "r2", 2, {"a": 0.25, "b": 0.115}),
        write_run(tmp_path / "r3", 3, {"a": 0.2, "b": 0.115}),
    ]
    said, moved = change(_followed(*folders[:2]))
    assert moved
    assert said == (
        "NDCG@10 of a rose from 0.200 ± 0.010 to 0.250 ± 0.010, for the better; 1 model stayed within the"
        " intervals"
    )
    assert "for the worse" in change(_followed(*folders))[0]
    assert change(_followed(folders[2]))[0] == "NDCG@10 was measured once"
    still = write_run(tmp_path / "r4", 4, {"a": 0.2, "b": 0.115})
    assert change(_followed(*folders, still)) == (
        "NDCG@10 stayed within the intervals for 2 models",
        False,
    )


@pytest.mark.parametrize(
    ("verdicts", "ended", "claims"),
    [
        ([(PASS, PASS), (FAIL, FAIL)], Exit.PASS, (2, 0, 0, 0)),
        ([(FAIL, PASS), (OPEN, PASS)], Exit.CLAIM_FAILED, (0, 1, 1, 0)),
        ([(PASS, PASS), (OPEN, PASS)], Exit.INCONCLUSIVE, (1, 0, 1, 0)),
        ([(NOT, PASS)], Exit.INCOMPLETE, (0, 0, 0, 1)),
    ],
)
def test_a_run_ends_as_its_exit_code_did(
    tmp_path: Path, verdicts: list[tuple[Ruling, Ruling]], ended: Exit, claims: tuple[int, ...]
) -> None:
    run = past(write_run(tmp_path / "r", verdicts=verdicts))
    assert (run.ended, run.claims, run.reason) == (ended, claims, "")


def _broken(folder: Path) -> dict[str, str]:
    """Runs that cannot be shown, and a word of the reason."""
    write_run(folder / "playing", state="playing")
    write_run(folder / "newer", format=99)
    write_run(folder / "old", format=None)
    (write_run(folder / "unscored") / "estimates.json").unlink()
    (write_run(folder / "torn") / "run.json").write_text('{"run": ')
    (write_run(folder / "list") / "estimates.json").write_text("[]")
    (write_run(folder / "binary") / "estimates.json").write_bytes(b"\x00\xff")
    held = write_run(folder / "words") / "estimates.json"
    held.write_text(held.read_text().replace('"PASS"', '"FINE"'))
    held = write_run(folder / "future") / "estimates.json"
    held.write_text(held.read_text().replace("estimates/1", "estimates/2"))
    (folder / "killed").mkdir()
    (folder / "killed" / "journal.sqlite").write_bytes(b"")
    return {
        "playing": "not finished",
        "newer": "newer version",
        "old": "names no format",
        "unscored": "score it with",
        "torn": "not valid JSON",
        "list": "does not hold an object",
        "binary": "not valid JSON",
        "words": "not those of a run",
        "future": "schema 2",
        "killed": "run.json is missing",
    }


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    expected = _broken(tmp_path)
    write_run(tmp_path / "sound" / "nested", 2)
    (tmp_path / "empty").mkdir()
    found = {path.name: past(path).reason for path in found_in([tmp_path])}
    assert {name: reason for name, reason in found.items() if not reason} == {"nested": ""}
    for name, word in expected.items():
        assert word in found[name], (name, found[name])
    page = write_index([tmp_path]).read_text()
    for name in (*expected, "sound/nested"):
        assert name in page
    assert page.count('scope="row"') == len(expected) + 1
    assert f"{len(expected)} without figures and 1 passed" in page


def test_runs_are_found_once_and_links_lead_nowhere_else(tmp_path: Path) -> None:
    run = write_run(tmp_path / "in" / "r")
    (tmp_path / "in" / "link").symlink_to(tmp_path, target_is_directory=True)
    assert list(found_in([tmp_path, run])) == [run]
    with pytest.raises(UsageError, match="is not a folder"):
        list(found_in([tmp_path / "none"]))
    (tmp_path / "bare").mkdir()
    with pytest.raises(UsageError, match="no run in"):
        write_index([tmp_path / "bare"])


def test_reports_are_linked_from_where_the_page_lies(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs" / 'javascript:x"><b>')
    (run / "report.html").write_text("x")
    out = write_index([tmp_path / "runs"], tmp_path / "pages" / "all.html")
    links = re.findall(r'<a href="(\./[^"]*)"', out.read_text())
    assert links == ["./../runs/javascript%3Ax%22%3E%3Cb%3E/report.html"]


def test_the_root_of_the_evidence_is_shown(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "r1"), write_run(tmp_path / "r2", 2)
    (first / "evidence.json").write_text(json.dumps({"root": "ab" * 32}))
    (second / "evidence.json").write_text(json.dumps({"root": "<b>"}))
    assert (past(first).root, past(second).root) == ("ab" * 32, "")
    assert f'title="{"ab" * 32}"' in render_index([tmp_path], tmp_path)


def test_names_of_strangers_are_text(tmp_path: Path) -> None:
    hostile = "<script>alert('x')</script>\u202e{{ 7*7 }}"
    for day in (1, 2):
        write_run(tmp_path / f"r{day}", day, {hostile: 0.1 * day}, suite=hostile)
    page = render_index([tmp_path], tmp_path)
    assert page.count("<script>") == 1
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page


def test_suites_stand_apart_and_the_page_is_the_same_every_time(tmp_path: Path) -> None:
    for day in (1, 2):
        write_run(tmp_path / f"one{day}", day, suite="one")
        write_run(tmp_path / f"two{day}", day, suite="two")
    page = render_index([tmp_path], tmp_path)
    assert "4 runs of 2 suites: 4 passed." in page
    assert page.count('data-kind="history"') == 2
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert page == render_index([tmp_path], tmp_path)
