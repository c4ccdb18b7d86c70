"""Nobody looks fairer by failing: what groups and ways of asking are compared by must have come for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.audit.missing import _EMPTY
from genrec_eval.protocol.results import Verdict

Recommend = Callable[..., Any]
AGES = ("old",) * 50 + ("mid",) * 46 + ("young",) * 4
"""Four of a hundred users are young: fewer than the error budget lets fail."""


def age(user: str) -> str:
    return AGES[int(user[1:]) % 100]


def popular(user: str, history: Sequence[str], k: int) -> list[str]:
    return [item for item in (f"i{number}" for number in range(60)) if item not in history][:k]


def errors(user: str, history: Sequence[str], k: int) -> Any:
    if age(user) == "young":
        raise RuntimeError("declined")
    return popular(user, history, k)


def junk(user: str, history: Sequence[str], k: int) -> Any:
    return 17 if age(user) == "young" else popular(user, history, k)


def some(user: str, history: Sequence[str], k: int) -> Any:
    """One in ten of the middle-aged gets none."""
    return [] if age(user) == "mid" and int(user[1:]) % 10 == 7 else popular(user, history, k)


def nobody(user: str, history: Sequence[str], k: int) -> Any:
    return []


def invents(user: str, history: Sequence[str], k: int) -> Any:
    return ["nowhere"] * k


GAPS = (
    "group_gap(by=age,least=8,of=novelty)@5",
    "group_gap(by=age,least=8,of=ndcg)@5",
    "demographic_parity(by=age,least=8)@5",
    "exposure_gap(by=providers)@5",
    "group_gap(by=age,least=8,of=short)@5",
    "group_gap(by=age,least=8,of=parse_failure_rate)",
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    folder = tmp_path_factory.mktemp("served")
    users = range(200)
    rows = [f"u{n},i{(n * 7 + at * (1 + n % 5)) % 60},{at}" for n in users for at in range(6)]
    (folder / "log.csv").write_text("\n".join(["user,item,timestamp", *rows]))
    (folder / "users.csv").write_text("\n".join(["user,age", *(f"u{n},{age(f'u{n}')}" for n in users)]))
    (folder / "items.csv").write_text(
        "\n".join(["item,provider", *(f"i{n},{'ab'[n % 2]}" for n in range(60))])
    )
    models: dict[str, Recommend] = {
        one.__name__: one for one in (popular, errors, junk, some, nobody, invents)
    }
    files = {"interactions": "log.csv", "users": "users.csv", "items": "items.csv"}
    options = {"k": 5, "groups": ["age"], "providers": "provider", "metrics": GAPS}
    suite = {
        "name": "missing",
        "data": {"own": {"dataset": "files", "options": files}},
        "scenarios": {
            "top-k": {
                "scenario": "top-k",
                "data": "own",
                "options": {**options, "split": {"method": "leave-one-out"}},
            }
        },
        "claims": [
            {
                "claim": f"{name} {metric}",
                "scenario": "top-k",
                "model": name,
                "metric": metric,
                "at_most": 0.5,
            }
            for name in models
            for metric in GAPS
        ],
    }
    return played(folder, suite, models)


def played(folder: Path, suite: dict[str, Any], models: dict[str, Recommend]) -> genrec_eval.Run:
    (folder / "suite.json").write_text(json.dumps(suite))
    return genrec_eval.run(folder / "suite.json", models=models, out=folder / "run", quiet=True, report=False)


def verdict(run: genrec_eval.Run, model: str, metric: str) -> Verdict:
    (found,) = (v for v in run.results.verdicts if v.gate and v.claim == f"{model} {metric}")
    return found


def test_where_all_got_lists_the_claims_hold(served: genrec_eval.Run) -> None:
    assert {str(verdict(served, "popular", metric).verdict) for metric in GAPS} == {"PASS"}


@pytest.mark.parametrize("model", ["errors", "junk"])
def test_a_group_that_got_nothing_makes_no_gap_small(served: genrec_eval.Run, model: str) -> None:
    """4 % of all users are within the error budget, and 8 of the 8 young ones are not."""
    found = verdict(served, model, GAPS[0])
    assert found.verdict == "INSUFFICIENT"
    assert found.value is None
    assert "192 failed group" in found.reason


@pytest.mark.parametrize("metric", [GAPS[0], GAPS[1], GAPS[2], GAPS[3]])
@pytest.mark.parametrize("model", ["some", "nobody", "invents"])
def test_levelling_down_makes_no_gap_small(served: genrec_eval.Run, model: str, metric: str) -> None:
    """Where a gap counts no list as 0, whoever is served well could be brought down to the others."""
    if (model, metric) == ("some", GAPS[3]):
        pytest.skip("exposure compares no groups of users")
    found = verdict(served, model, metric)
    assert found.verdict == "INSUFFICIENT"
    assert "nothing to compare" in found.reason or "has no value" in found.reason
    if (model, metric) == ("some", GAPS[0]):
        assert "of 92 users of age mid, and a PASS needs 95 %" in found.reason


def test_gaps_of_failing_itself_are_decided(served: genrec_eval.Run) -> None:
    assert verdict(served, "some", GAPS[4]).verdict == "PASS"
    assert verdict(served, "junk", GAPS[5]).verdict == "FAIL"
    assert verdict(served, "nobody", GAPS[5]).verdict == "PASS"


def unlike(user: str) -> bool:
    return int(user[1:]) % 5 < 2


def told(user: str, k: int, profile: dict[str, str]) -> list[str]:
    """Other lists for two fifths of those who are called female."""
    first = 30 if profile.get("gender") == "female" and unlike(user) else 1
    return [f"i{number:03}" for number in range(first, first + k)]


def asked(user: str, history: Sequence[str], k: int, profile: dict[str, str]) -> Any:
    return told(user, k, profile)


def arm_fails(user: str, history: Sequence[str], k: int, profile: dict[str, str]) -> Any:
    if profile.get("gender") == "female" and unlike(user):
        raise RuntimeError("declined")
    return told(user, k, profile)


def neutral_empty(user: str, history: Sequence[str], k: int, profile: dict[str, str]) -> Any:
    return [] if not profile and unlike(user) else told(user, k, profile)


class Repeats:
    """Gives its list under female in the last of three repeats alone, and then the one of everybody."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def __call__(self, user: str, history: Sequence[str], k: int, profile: dict[str, str]) -> Any:
        if profile.get("gender") == "female" and unlike(user):
            self.asked[user] = self.asked.get(user, 0) + 1
            if self.asked[user] < 3:
                raise RuntimeError("declined")
        return told(user, k, {})


@pytest.fixture(scope="module")
def disclosed(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    models: dict[str, Recommend] = {
        "asked": asked,
        "arm_fails": arm_fails,
        "neutral_empty": neutral_empty,
        "repeats": Repeats(),
    }
    attributes = {"gender": {"values": ["female", "male"]}}
    options = {
        "k": 5,
        "attributes": attributes,
        "similarities": ["jaccard"],
        "metrics": ["relative_similarity"],
    }
    suite = {
        "name": "missing",
        "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 100}}},
        "scenarios": {
            "disclosed": {"scenario": "counterfactual", "data": "world", "repeats": 3, "options": options}
        },
        "claims": [
            {
                "claim": f"{name} relative_similarity(attribute={attribute})@5",
                "scenario": "disclosed",
                "model": name,
                "metric": f"relative_similarity(attribute={attribute})@5",
                "at_least": 0.9,
            }
            for name in models
            for attribute in attributes
        ],
    }
    return played(tmp_path_factory.mktemp("disclosed"), suite, models)


@pytest.mark.parametrize("model", ["arm_fails", "neutral_empty", "repeats"])
def test_arms_that_failed_make_no_lists_alike(disclosed: genrec_eval.Run, model: str) -> None:
    metric = "relative_similarity(attribute=gender)@5"
    assert verdict(disclosed, "asked", metric).verdict == "FAIL"
    found = verdict(disclosed, model, metric)
    assert found.verdict == "INSUFFICIENT"
    where = "lists with gender female disclosed" if model == "repeats" else "users"
    assert f"{where}, and a PASS needs 95 %" in found.reason


def test_what_says_nothing() -> None:
    texts = ["", " \n", "... !", "Ein Wort", "7", "\u03b2", "\u597d", None]
    assert _EMPTY["text"](pa.array(texts)).to_pylist() == [True] * 3 + [False] * 5
    assert _EMPTY["items"](pa.array([[], ["a"], None])).to_pylist() == [True, False, False]
