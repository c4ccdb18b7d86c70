"""Runs that hardly are runs: every number is there or says why it is not, in strict JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError

Recommend = Callable[..., Any]


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} in estimates.json")


def play(
    folder: Path, rows: list[tuple[str, str, int]], models: dict[str, Recommend], users: str = "", **more: Any
) -> dict[str, Any]:
    """Play interactions (user, item, time), cut at time 10, and read the estimates strictly."""
    lines = "\n".join(f"{user},{item},{time}" for user, item, time in rows)
    (folder / "log.csv").write_text(f"user,item,timestamp\n{lines}\n")
    data: dict[str, Any] = {"interactions": "log.csv"}
    options: dict[str, Any] = {"k": 3, "split": {"time": 10}, **more.pop("options", {})}
    if users:
        (folder / "users.csv").write_text(users)
        data |= {"users": "users.csv", "groups": ["tribe"]}
        options["groups"] = ["tribe"]
    suite = {
        "name": "degenerate",
        "data": {"own": {"dataset": "files", "options": data}},
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "own", "options": options}},
        **more,
    }
    (folder / "suite.json").write_text(json.dumps(suite))
    run = genrec_eval.run(folder / "suite.json", models=models, out=folder / "run", quiet=True)
    assert repr(run)
    assert run.report.stat().st_size > 10_000
    document: dict[str, Any] = json.loads((run.path / "estimates.json").read_text(), parse_constant=refuse)
    for row in document["estimates"]:
        ends = [row["low"], row["high"]]
        assert (row["reason"] is None) == (None not in ends), row
        assert (row["interval"] is None) == (None in ends), row
        assert row["attempted"] == row["scored"] + sum(row["excluded"].values()), row
        if None not in ends:
            assert row["low"] <= row["value"] <= row["high"], row
            assert all(math.isfinite(row[name]) for name in ("value", "low", "high"))
    return document


def of(document: dict[str, Any], metric: str, **where: Any) -> dict[str, Any]:
    wanted = {"metric": metric, "model": "popularity", "slice": "all", "baseline": None, **where}
    found = [row for row in document["estimates"] if all(row[name] == wanted[name] for name in wanted)]
    assert len(found) == 1
    return dict(found[0])


def users(n: int) -> list[tuple[str, str, int]]:
    """Each with one item before and one after the cut."""
    early = [(f"u{i}", f"a{i % 4}", i % 9) for i in range(n)]
    return early + [(f"u{i}", f"b{i % 3}", 10 + i % 9) for i in range(n)]


def test_one_user_and_one_model(tmp_path: Path) -> None:
    document = play(tmp_path, users(1), {})
    row = of(document, "ndcg@3")
    assert (row["n"], row["low"], row["reason"]) == (1, None, "one unit says nothing about the spread")
    assert not [row for row in document["estimates"] if row["baseline"]]
    assert {v["verdict"] for v in document["verdicts"]} == {"INSUFFICIENT"}


def test_nobody_left_is_a_sentence(tmp_path: Path) -> None:
    again = [("u1", "a", 1), ("u1", "a", 11), ("u2", "b", 2), ("u2", "b", 12)]
    with pytest.raises(UsageError, match=r"no user of dataset '.*' has a new item after the cut"):
        play(tmp_path, again, {})


def test_all_users_alike(tmp_path: Path) -> None:
    """Every model misses for everybody: a bound instead of a width of zero, and no claim of a difference."""
    claim = {
        "claim": "c",
        "scenario": "top-k",
        "metric": "recall@3",
        "model": "same",
        "against": "popularity",
    }
    document = play(
        tmp_path, users(40), {"same": lambda user, history, k: ["zzz", "zzzz", "z"]},
        claims=[{**claim, "better_by": 0}], options={"k": 3, "metrics": ["recall", "hit_rate", "coverage"]},
    )  # fmt: skip
    row = of(document, "recall@3", model="same")
    assert (row["value"], row["low"], row["interval"]) == (0.0, 0.0, "constant")
    assert row["high"] == pytest.approx(1 - 0.025 ** (1 / 40))
    assert of(document, "hit_rate@3", model="same")["interval"] == "wilson"
    verdict = document["verdicts"][0]
    assert (verdict["verdict"], verdict["value"], verdict["needed"]) == ("INSUFFICIENT", 0.0, None)
    assert verdict["low"] == -verdict["high"] < 0
    assert "equals popularity's" in verdict["reason"]


def test_a_model_that_never_answers(tmp_path: Path) -> None:
    def broken(user: str, history: tuple[str, ...], k: int) -> list[str]:
        raise RuntimeError("no")

    claim = {"claim": "c", "scenario": "top-k", "metric": "recall@3", "model": "broken", "at_least": 0.5}
    document = play(tmp_path, users(30), {"broken": broken}, claims=[claim])
    row = of(document, "recall@3", model="broken")
    assert (row["value"], row["attempted"], row["answered"], row["scored"]) == (0.0, 30, 0, 30)
    none = of(document, "invalid@3", model="broken")
    assert (none["value"], none["reason"], none["excluded"]) == (
        None,
        "no unit is scored: 30 unanswered",
        {"unanswered": 30},
    )
    assert {v["verdict"] for v in document["verdicts"] if v["model"] == "broken"} == {"INSUFFICIENT"}
    assert all("only 0 %" in v["reason"] for v in document["verdicts"] if v["model"] == "broken")


def test_a_group_that_is_not_known_for_all(tmp_path: Path) -> None:
    tribes = ["hill"] * 12 + [""] * 8 + ["sea"] * 3
    table = "user,tribe\n" + "\n".join(f"u{i},{tribe}" for i, tribe in enumerate(tribes)) + "\n"
    claim = {"claim": "c", "scenario": "top-k", "metric": "recall@3", "model": "popularity"}
    document = play(
        tmp_path, users(23), {}, users=table,
        claims=[{**claim, "slice": "tribe=hill", "at_least": 0},
                {**claim, "slice": "tribe=sea", "at_least": 0},
                {**claim, "slice": "tribe=hil", "at_least": 0},
                {**claim, "metric": "coverage@3", "slice": "tribe=hill", "at_least": 0}],
    )  # fmt: skip
    slices = {row["slice"] for row in document["estimates"] if row["slice"].startswith("tribe")}
    assert slices == {"tribe=hill", "tribe=sea"}
    assert of(document, "recall@3", slice="tribe=hill")["n"] == 12
    assert of(document, "recall@3")["n"] == 23
    small = of(document, "recall@3", slice="tribe=sea")
    assert (small["value"], small["reason"], small["n"]) == (None, "fewer than 5 units", 3)
    hill, sea, typo, whole = document["verdicts"][:4]
    assert hill["verdict"] == "PASS"
    assert (sea["verdict"], sea["needed"]) == ("INSUFFICIENT", None)
    assert "fewer than 5 units" in sea["reason"]
    assert (typo["verdict"], whole["verdict"]) == ("NOT-RUN", "NOT-RUN")
    assert "did you mean 'tribe=hill'" in typo["reason"]
    assert "for coverage@3" in whole["reason"]


def test_another_level_is_kept_and_wider(tmp_path: Path) -> None:
    rows: dict[float, dict[str, Any]] = {}
    for level in (0.8, 0.99):
        folder = tmp_path / str(level)
        folder.mkdir()
        rows[level] = of(play(folder, users(60), {}, level=level), "ndcg@3")
        assert rows[level]["level"] == level
    assert rows[0.99]["low"] <= rows[0.8]["low"] <= rows[0.8]["high"] <= rows[0.99]["high"]
    assert rows[0.99]["high"] - rows[0.99]["low"] > rows[0.8]["high"] - rows[0.8]["low"]
