"""Claims about published figures in suites, and the suites that reproduce them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import FileError
from genrec_eval.suite.load import check_metrics, missing_environment, resolve
from genrec_eval.suite.merge import locate, shipped

REPRODUCE = ("alpaca-eval", "llmbar", "mt-bench", "pandalm", "prometheus-repeat")


def suite(**claim: Any) -> dict[str, Any]:
    return {
        "name": "s",
        "data": {"log": {"dataset": "pandalm", "options": {"path": "x"}}},
        "models": {"judge": {"adapter": "logged"}},
        "scenarios": {"pairs": {"scenario": "recorded-judgements", "data": "log"}},
        "claims": [
            {"claim": "c", "scenario": "pairs", "metric": "judge_accuracy", "model": "judge", **claim}
        ],
    }


def test_a_claim_about_a_published_figure() -> None:
    (claim,) = resolve(suite(published=0.66, tolerance=0.005)).suite.claims
    assert (claim.rule, claim.margin, claim.tolerance) == ("published", 0.66, 0.005)
    (exact,) = resolve(suite(published=0, tolerance=0)).suite.claims
    assert (exact.rule, exact.margin) == ("published", 0.0)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ({"published": 0.66}, "'published' and 'tolerance' go together"),
        ({"at_least": 0.66, "tolerance": 0.1}, "'published' and 'tolerance' go together"),
        ({"published": 0.66, "at_least": 0.6, "tolerance": 0.1}, "not at_least and published together"),
        ({"published": 0.66, "tolerance": -0.1}, "must be at least 0, not -0.1"),
        ({"published": 0.66, "tolerance": 0.1, "against": "judge"}, "about one model alone"),
    ],
)
def test_what_a_published_claim_cannot_say(claim: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        resolve(suite(**claim))


def test_suites_in_a_folder_are_found_by_their_names(tmp_path: Path) -> None:
    known = shipped()
    assert [name for name in known if "/" in name] == [f"reproduce/{name}" for name in REPRODUCE]
    assert locate("reproduce/pandalm", tmp_path) == known["reproduce/pandalm"]
    with pytest.raises(UsageError, match=r"did you mean 'reproduce/pandalm'"):
        locate("reproduce/pandaml", tmp_path)
    assert not any(name.startswith("prompts") for name in known)


@pytest.mark.parametrize("name", REPRODUCE)
def test_reproduce_suites_are_valid_wherever_the_data_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENREC_EVAL_DATA", raising=False)
    loaded = resolve(f"reproduce/{name}")
    check_metrics(loaded)
    assert missing_environment(loaded) == []  # a run says what it lacks, and is incomplete
    assert loaded.suite.name == f"reproduce-{name}"
    assert loaded.suite.claims


def test_judgements_alone_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIELENS_100K", raising=False)
    assert len(missing_environment(resolve("movielens-100k"))) == 1


def test_metrics_of_other_scenarios_are_refused_where_they_are_named() -> None:
    wrong = suite(published=0.5, tolerance=0)
    wrong["scenarios"]["pairs"]["options"] = {"metrics": ["judge_acuracy"]}
    with pytest.raises(FileError, match="did you mean 'judge_accuracy'"):
        check_metrics(resolve(wrong))
    wrong["scenarios"]["pairs"]["options"] = {"by": ["judge", "judge"]}
    with pytest.raises(FileError, match="by names a column twice"):
        resolve(wrong)
