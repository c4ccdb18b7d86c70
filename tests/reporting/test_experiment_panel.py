"""What a report says of an experiment: told from run.json, whatever that holds."""

from __future__ import annotations

from typing import Any

import pytest

from genrec_eval.reporting.experiment import SHOWN, conditions, watches


def look(day: int, action: str = "continue", **change: Any) -> dict[str, Any]:
    return {
        "day": f"day {day}", "users": [100 * day, 101 * day], "estimate": -0.25, "low": -0.5, "high": 0.0,
        "harm": -0.35, "benefit": 0.25, "action": action, **change,
    }  # fmt: skip


def run(guardrails: Any, experiment: Any = None) -> dict[str, Any]:
    return {"scenarios": {"ab": {"facts": {"guardrails": guardrails, "experiment": experiment}}}}


def test_the_guardrail_that_stopped_an_arm_comes_first() -> None:
    rule = {"outcome": "clicks", "better": "higher", "margin": 0.1, "window": 3}
    unknown = look(1, estimate=None, low=None, high=None, harm=None, benefit=None)
    going = {**rule, "arm": "B", "looks": [unknown, look(2)]}
    stopped = {**rule, "arm": "C", "looks": [look(1), look(2, "stop for harm")]}
    first, second = watches(run([going, stopped]), "ab")
    assert (first.arm, first.told) == ("C", "stop for harm on day 2, at look 2")
    assert first.title == "clicks of a user's first 3 days, higher is better, harm of 0.1 tolerated"
    assert first.rows[-1] == (
        "2", "day 2", "200", "202", "−0.25", "−0.5 to 0", "−0.35", "0.25", "stop for harm",
    )  # fmt: skip
    assert second.told == "2 looks, none of which stopped it"
    assert second.rows[0] == ("1", "day 1", "100", "101", "—", "—", "—", "—", "continue")


def test_of_many_looks_the_last_are_shown() -> None:
    (found,) = watches(run([{"arm": "B", "looks": [look(day) for day in range(1, 50)]}]), "ab")
    assert [row[0] for row in found.rows] == [str(number) for number in range(50 - SHOWN, 50)]
    (nothing,) = watches(run([{"arm": "B", "looks": []}]), "ab")
    assert nothing.told == "no user was seen for the whole window"


def test_conditions_say_how_users_were_split() -> None:
    facts = {
        "arms": {"A": 60, "B": 40}, "planned": {"A": 50.0, "B": 50.0}, "control": "A", "sound": False,
        "sample_ratio_p": 0.0455, "first": "day 1", "last": "day 9", "first_days": 7, "missing": "zero",
        "cuped": {"clicks": {"theta": 1.0, "variance_removed": 0.5, "unknown_users": 3}},
    }  # fmt: skip
    said = dict(conditions({"experiment": facts}))
    assert said["Arms"] == "A 60 (planned 50), B 40 (planned 50); control A"
    assert said["Sample ratio"] == "a mismatch: no effect can be trusted (p = 0.0455)"
    assert said["CUPED takes out"] == "clicks: 50 % of the variance, 3 users not known before"
    assert conditions({}) == []


@pytest.mark.parametrize(
    "guardrails",
    [None, 7, "x", {"a": 1}, [None, 3], [{"looks": 5}], [{"looks": [None, {"users": 1, "low": "x"}]}]],
)
def test_broken_facts_break_nothing(guardrails: Any) -> None:
    for found in watches(run(guardrails, guardrails), "ab"):
        assert found.told
    assert isinstance(conditions({"experiment": guardrails}), list)
