"""What differs beside the answers: named, unsound first, and metrics that mean another thing not compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_run import made, scores, source

import genrec_eval
from genrec_eval.audit.comparing.compare import compare
from genrec_eval.audit.comparing.settings import ORDER, differing
from genrec_eval.audit.comparing.types import Change, Comparison, Setting

NDCG = "ndcg@10"
BEFORE, AFTER = scores(np.linspace(0, 1, 20)), scores(np.linspace(0, 1, 20) ** 2)


def pair(
    tmp_path: Path, change: dict[str, Any] | None = None, name: str = NDCG, **further: Any
) -> Comparison:
    a = made(tmp_path / "a", {"m": {name: BEFORE}})
    b = made(tmp_path / "b", {"m": {name: AFTER}}, change=change, **further)
    return compare(source(b), source(a))


def named(found: Comparison, name: str) -> Setting:
    return next(row for row in found.settings if row.name == name)


def test_equal_settings_are_none_at_all(tmp_path: Path) -> None:
    found = pair(tmp_path)
    assert not found.settings
    assert found.sound


@pytest.mark.parametrize(
    ("key", "value", "what", "name", "before", "after", "unsound"),
    [
        ("data.world.digest", "e" * 64, "data", "world", "d" * 16, "e" * 16, "the data are not the same"),
        (
            "suite.scenarios.top-k.options.k",
            20,
            "scenario",
            "top-k: k",
            "10",
            "20",
            "asks, or counts, otherwise",
        ),
        ("suite.scenarios.top-k.options.max_users", 9, "scenario", "top-k: max_users", None, "9", None),
        ("seed", 8, "seed", "seed", "7", "8", None),
        ("versions.genrec-eval", "0.2.0", "version", "genrec-eval", "0.1.0", "0.2.0", None),
        ("suite.engine.error_budget", 0.1, "engine", "error_budget", "0.05", "0.1", None),
        ("limit", 20, "engine", "--limit", None, "20", None),
        ("models.m.top-k.identity.model", "m2", "model", "m: model", "m", "m2", None),
        ("models.m.top-k.repeats", 3, "model", "m: repeats", "1", "3", None),
        (
            "models.m.top-k.recommender",
            {"prompt": "p"},
            "model",
            "m: recommender",
            None,
            '{"prompt": "p"}',
            None,
        ),
        ("git", {"commit": "abc"}, "git", "git", None, '{"commit": "abc"}', None),
        ("environment", {"python": "3.14"}, "environment", "environment", None, '{"python": "3.14"}', None),
        ("suite.name", "other", "suite", "name", "made", "other", None),
    ],
)
def test_each_difference_is_named(
    tmp_path: Path,
    key: str,
    value: Any,
    what: str,
    name: str,
    before: str | None,
    after: str | None,
    unsound: str | None,
) -> None:
    found = pair(tmp_path, {key: value})
    (row,) = found.settings
    assert (row.what, row.name, row.reference, row.candidate) == (what, name or what, before, after)
    assert (unsound is None) if row.unsound is None else (unsound or "?") in row.unsound
    assert found.sound is (unsound is None)


def test_the_unsound_come_first_in_a_fixed_order(tmp_path: Path) -> None:
    found = pair(tmp_path, {"seed": 8, "data.world.digest": "e" * 64, "suite.engine.retries": 1, "git": "x"})
    assert [row.what for row in found.settings] == ["data", "seed", "engine", "git"]
    assert {row.what for row in found.settings} <= set(ORDER)


def test_a_metric_under_another_definition_is_not_compared(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: BEFORE, "recall@10": BEFORE}})
    b = made(tmp_path / "b", {"m": {NDCG: AFTER, "recall@10": AFTER}})
    for path, version in ((a, "1.0"), (b, "2.0")):
        file = path / "estimates.json"
        document = json.loads(file.read_text())
        document["definitions"] = {NDCG: {"signature": f"ndcg|lib:{version}"}}
        file.write_text(json.dumps(document))
    found = compare(source(b), source(a))
    setting = named(found, NDCG)
    assert (setting.what, setting.reference, setting.candidate) == ("metric", "ndcg|lib:1.0", "ndcg|lib:2.0")
    rows = {row.metric: row for row in found.differences}
    assert rows[NDCG].change is Change.NOT_COMPARED
    assert rows[NDCG].value is None
    assert "computed by other versions in the reference (ndcg|lib:1.0)" in rows[NDCG].reason
    assert rows["recall@10"].change is not Change.NOT_COMPARED


def test_answers_that_stayed_out_are_a_setting(tmp_path: Path) -> None:
    found = pair(tmp_path, statuses={"m": ["timeout"] * 5 + ["ok"] * 15})
    row = named(found, "m in top-k")
    assert row.reference == "20 of 20 cases answered"
    assert row.candidate == "15 of 20 cases answered (75 %)"
    assert "rarely chance" in (row.unsound or "")
    ndcg = next(one for one in found.differences if one.metric == NDCG)
    assert ndcg.change is Change.INCONCLUSIVE


JUDGED: dict[str, Any] = {
    "name": "written",
    "seed": 3,
    "data": {
        "world": {
            "dataset": "synthetic",
            "options": {"users": 40, "items": 60, "interactions_per_user": 15, "reviews": 0.6},
        }
    },
    "models": {
        "template": {"adapter": "reference", "model": "template-writer"},
        "constant": {"adapter": "reference", "model": "constant-text"},
    },
    "judges": {"rules": {"model": {"adapter": "reference", "model": "rubric-judge"}}},
    "scenarios": {
        "told": {
            "scenario": "explanation",
            "data": "world",
            "options": {"max_users": 8, "metrics": ["length"], "split": {"method": "leave-one-out"}},
            "judging": [
                {"judge": "rules", "rubric": "faithfulness"},
                {"judge": "rules", "rubric": "helpfulness", "task": "pairwise", "against": "template"},
            ],
        }
    },
}


def test_other_judges_and_other_opponents_leave_nothing_to_compare(tmp_path: Path) -> None:
    genrec_eval.run(JUDGED, out=tmp_path / "a", quiet=True, report=False)
    found = genrec_eval.compare(tmp_path / "a", tmp_path / "a")
    judged = [row for row in found.differences if "judge=rules" in row.metric]
    assert judged
    assert {row.change for row in judged} <= {Change.UNCHANGED, Change.NOT_COMPARED}

    import shutil

    for name, keys, value in (
        ("judge", ("judges", "rules", "identity", "version"), 99),
        ("opponent", ("models", "template", "told", "identity", "version"), 99),
        ("rubric", ("rubrics", "faithfulness", "criterion"), "Is it short?"),
    ):
        shutil.copytree(tmp_path / "a", tmp_path / name)
        file = tmp_path / name / "run.json"
        run = json.loads(file.read_text())
        held = run
        for key in keys[:-1]:
            held = held[key]
        held[keys[-1]] = value
        file.write_text(json.dumps(run))
    reasons = {
        name: {
            row.metric.split("(")[0]: row.reason
            for row in genrec_eval.compare(tmp_path / "a", tmp_path / name).differences
        }
        for name in ("judge", "opponent", "rubric")
    }
    assert "rests on the judge 'rules', which is not the same" in reasons["judge"]["rubric_score"]
    assert "rests on the judge 'rules', which is not the same" in reasons["judge"]["win_rate"]
    assert "won against 'template', which is not the same model" in reasons["opponent"]["win_rate"]
    assert "is identical for every one" in reasons["opponent"]["rubric_score"]
    assert "rests on the rubric 'faithfulness'" in reasons["rubric"]["rubric_score"]
    unsound = genrec_eval.compare(tmp_path / "a", tmp_path / "judge").settings[0]
    assert (unsound.what, unsound.name, unsound.candidate) == ("judge", "rules: identity.version", "99")
    assert "not compared" in (unsound.unsound or "")


def test_differing_walks_structures_as_deep_as_they_are_alike() -> None:
    old = {"a": [{"x": 1}, {"x": 2}], "b": [1, 2], "c": None}
    new = {"a": [{"x": 1}, {"x": 3}], "b": [1, 2, 3], "d": "new"}
    assert list(differing(old, new)) == [
        ("a[1].x", "2", "3"),
        ("b", "[1, 2]", "[1, 2, 3]"),
        ("d", None, "new"),
    ]
