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
    for model in ("nobody", "invents"):
        found = verdict(served, model, GAPS[4])
        assert (found.verdict, found.value) == (("INSUFFICIENT", 0) if model == "nobody" else ("PASS", 0))
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


def told_empty(user: str, history: Sequence[str], k: int, profile: dict[str, str]) -> Any:
    return [] if profile else told(user, k, {})


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
        "told_empty": told_empty,
        "repeats": Repeats(),
    }
    attributes = {"gender": {"values": ["female", "male"]}}
    options = {
        "k": 5,
        "attributes": attributes,
        "similarities": ["jaccard"],
        "metrics": ["relative_similarity", "snsr"],
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
        ]
        + [
            {
                "claim": "told_empty snsr",
                "scenario": "disclosed",
                "model": "told_empty",
                "metric": "snsr(attribute=gender)@5",
                "at_most": 0.5,
            }
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


WRITERS = """
from genrec_eval.protocol.brief import Brief

def silent(request):
    return ""

def now_and_then(request):
    brief = Brief.read(request.messages[-1].content)
    return "" if sum(map(ord, brief.user)) % 3 == 0 else "You may like this film."

def told_nothing(request):
    return "" if Brief.read(request.messages[-1].content).profile else "You may like this film."

def constant(request):
    return "You may like this film."
"""
SAID = {
    "text_similarity_gap(attribute=gender)": "at_most",
    "relative_text_similarity(attribute=gender,value=female)": "at_least",
    "text_similarity(attribute=gender,of=chrf)": "at_least",
    "text_noise": "at_least",
    "value_gap(attribute=gender,of=length)": "at_most",
    "value_gap(attribute=gender,of=tone)": "at_most",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    folder = tmp_path_factory.mktemp("written")
    (folder / "say.py").write_text(WRITERS)
    names = ("silent", "now_and_then", "told_nothing", "constant")
    options = {
        "max_users": 30,
        "variants": [],
        "attributes": {"gender": {"values": ["female", "male"]}},
        "metrics": list(SAID),
    }
    suite = {
        "name": "written",
        "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 100}}},
        "models": {
            name: {"adapter": "python", "kinds": ["chat"], "target": f"say.py:{name}"} for name in names
        },
        "scenarios": {"told": {"scenario": "explanation", "data": "world", "repeats": 2, "options": options}},
        "claims": [
            {
                "claim": f"{name} {metric}",
                "scenario": "told",
                "model": name,
                "metric": metric,
                side: 20 if "length" in metric else 0.5,
            }
            for name in names
            for metric, side in SAID.items()
        ],
    }
    return played(folder, suite, {})


@pytest.mark.parametrize("metric", SAID)
def test_a_writer_who_says_nothing_is_not_fair(written: genrec_eval.Run, metric: str) -> None:
    assert verdict(written, "constant", metric).verdict == "PASS"
    assert verdict(written, "silent", metric).verdict == "INSUFFICIENT"
    silenced = verdict(written, "told_nothing", metric)
    assert silenced.verdict != "PASS" or metric == "text_noise"  # which is about neutral texts alone
    if "gap" in metric:
        assert "to compare" in silenced.reason or "has no value" in silenced.reason


def test_who_is_silent_for_all_alike_has_a_length(written: genrec_eval.Run) -> None:
    assert verdict(written, "now_and_then", "value_gap(attribute=gender,of=length)").verdict == "PASS"
    found = verdict(written, "now_and_then", "text_similarity_gap(attribute=gender)")
    assert found.verdict == "INSUFFICIENT"
    assert "nothing to compare for 9 of 30 users" in found.reason


def test_empty_lists_under_every_value_are_not_equal_ones(disclosed: genrec_eval.Run) -> None:
    found = verdict(disclosed, "told_empty", "snsr")
    assert (found.verdict, found.value) == ("INSUFFICIENT", 0)
    assert "nothing to compare in 177 of 177 lists with gender female disclosed" in found.reason
    assert verdict(disclosed, "told_empty", "relative_similarity(attribute=gender)@5").verdict == "FAIL"


def test_what_says_nothing() -> None:
    texts = ["", " \n", "... !", "Ein Wort", "7", "\u03b2", "\u597d", None]
    assert _EMPTY["text"](pa.array(texts)).to_pylist() == [True] * 3 + [False] * 5
    assert _EMPTY["items"](pa.array([[], ["a"], None])).to_pylist() == [True, False, False]


def labelled(user: str, history: Sequence[str], k: int) -> Any:
    return [f"i{(int(user[1:]) + at) % 40}" for at in range(k)]


def hides(user: str, history: Sequence[str], k: int) -> Any:
    """One item of each provider, behind items of none."""
    return [*(f"i{40 + at}" for at in range(k - 2)), "i0", "i1"]


def hardly(user: str, history: Sequence[str], k: int) -> Any:
    return [*labelled(user, history, k - 1), "i50" if int(user[1:]) % 10 == 0 else "i0"]


def invents_some(user: str, history: Sequence[str], k: int) -> Any:
    return ["nowhere", *labelled(user, history, k - 1)]


def test_no_claim_on_exposure_holds_where_most_items_are_of_no_known_provider(tmp_path: Path) -> None:
    rows = [f"u{n},i{(n * 7 + at * (1 + n % 5)) % 60},{at}" for n in range(60) for at in range(6)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,timestamp", *rows]))
    of = [f"i{n},{'ab'[n % 2] if n < 40 else ''}" for n in range(60)]
    (tmp_path / "items.csv").write_text("\n".join(["item,provider", *of]))
    models: dict[str, Recommend] = {m.__name__: m for m in (labelled, hides, hardly, invents_some)}
    metric = "exposure_gap(by=providers,weights=uniform)@5"
    suite = {
        "name": "unlabelled",
        "data": {"own": {"dataset": "files", "options": {"interactions": "log.csv", "items": "items.csv"}}},
        "scenarios": {
            "top-k": {
                "scenario": "top-k",
                "data": "own",
                "options": {
                    "k": 5,
                    "providers": "provider",
                    "metrics": [metric],
                    "split": {"method": "leave-one-out"},
                },
            }
        },
        "claims": [
            {"claim": f"{m} {metric}", "scenario": "top-k", "model": m, "metric": metric, "at_most": 0.5}
            for m in models
        ],
    }
    run = played(tmp_path, suite, models)
    assert {m: str(verdict(run, m, metric).verdict) for m in models} == {
        "labelled": "PASS",
        "hides": "INSUFFICIENT",
        "hardly": "PASS",
        "invents_some": "INSUFFICIENT",
    }
    assert "60 % of the exposure goes to items of no known provider" in verdict(run, "hides", metric).reason
    found = run.estimates[run.estimates.metric == "unlabelled(weights=uniform)@5"]
    shares = found[(found.slice == "all") & found.baseline.isna()].set_index("model").value
    assert shares.round(3).to_dict() == {"labelled": 0, "hides": 0.6, "hardly": 0.02, "invents_some": 0.2}
